package io.keystile.leak;

import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * The request with which a code host tells the issuer of tokens where it saw some: that of GitHub's
 * secret scanning partner programme, a signed JSON array of objects with {@code token}, {@code
 * type}, {@code url} and {@code source}. Here is what is special about it; {@link LeakResponse}
 * does the rest.
 *
 * <pre>{@code
 * String pem = publicKeys.get(header(PartnerAlert.KEY_ID_HEADER)); // fetched from the host's API
 * if (!PartnerAlert.isSigned(body, header(PartnerAlert.SIGNATURE_HEADER), pem)) {
 *   return 401;
 * }
 * LeakReport report = response.evidence("secret scanning").handle(new ByteArrayInputStream(body));
 * }</pre>
 *
 * <p>The body needs no parser: a token holds nothing that JSON escapes, so the scanner finds it.
 * Who wants the URL of each as evidence parses the body and calls {@link LeakResponse#handleToken}
 * for each. Verify the body as it came, byte for byte, before anything else.
 *
 * <p>A request that is repeated does no harm, and one that is forged could revoke no more keys than
 * its sender has tokens of.
 */
public final class PartnerAlert {

  /** The header that names the public key. */
  public static final String KEY_ID_HEADER = "Github-Public-Key-Identifier";

  /** The header that holds the signature. */
  public static final String SIGNATURE_HEADER = "Github-Public-Key-Signature";

  /** The {@code label} of the answer for a token that is one of ours. */
  public static final String TRUE_POSITIVE = "true_positive";

  /** The {@code label} of the answer for a token that is not. */
  public static final String FALSE_POSITIVE = "false_positive";

  private static final String CURVE = "secp256r1";
  private static final String PEM_BEGIN = "-----BEGIN PUBLIC KEY-----";
  private static final String PEM_END = "-----END PUBLIC KEY-----";

  private PartnerAlert() {}

  /**
   * Whether the body was signed with a key: ECDSA on the curve P-256 with SHA-256.
   *
   * @param body the body of the request, as it came
   * @param signature the value of the header, an ASN.1 signature in Base64; anything, null too
   * @param publicKeyPem the key that the request names, from where the code host publishes its
   *     keys: a PEM text; anything, null too
   * @return true only if the signature is right; false for all else, never an exception
   */
  public static boolean isSigned(
      byte[] body, @Nullable String signature, @Nullable String publicKeyPem) {
    PublicKey key = publicKeyPem == null ? null : parse(publicKeyPem);
    return key != null && isSigned(body, signature, key);
  }

  /**
   * As {@link #isSigned(byte[], String, String)}, with a key that was read before.
   *
   * @param body the body of the request, as it came
   * @param signature the value of the header, an ASN.1 signature in Base64; anything, null too
   * @param publicKey the key that the request names
   * @return true only if the signature is right; false for all else, never an exception
   */
  public static boolean isSigned(byte[] body, @Nullable String signature, PublicKey publicKey) {
    if (signature == null) {
      return false;
    }
    try {
      if (!isOnTheCurve(publicKey)) {
        return false;
      }
      Signature verifier = Signature.getInstance("SHA256withECDSA");
      verifier.initVerify(publicKey);
      verifier.update(body);
      return verifier.verify(Base64.getDecoder().decode(signature));
    } catch (GeneralSecurityException | RuntimeException e) {
      return false; // a signature or key that cannot be read proves nothing
    }
  }

  /**
   * What to answer of a token, where the code host wants to know.
   *
   * @param outcome what came of the token
   * @return {@link #TRUE_POSITIVE} if it was proven, {@link #FALSE_POSITIVE} if it is not ours;
   *     null if that is not known yet
   */
  public static @Nullable String label(LeakReport.Outcome outcome) {
    return switch (outcome) {
      case REVOKED, ALREADY_REVOKED, ENDED, FAILED -> TRUE_POSITIVE;
      case NOT_OURS -> FALSE_POSITIVE;
      case UNDECIDED -> null;
    };
  }

  private static @Nullable PublicKey parse(String pem) {
    String text = pem.strip();
    if (!text.startsWith(PEM_BEGIN) || !text.endsWith(PEM_END)) {
      return null;
    }
    try {
      String base64 = text.substring(PEM_BEGIN.length(), text.length() - PEM_END.length());
      byte[] der = Base64.getMimeDecoder().decode(base64.getBytes(StandardCharsets.ISO_8859_1));
      return KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(der));
    } catch (GeneralSecurityException | RuntimeException e) {
      return null;
    }
  }

  private static boolean isOnTheCurve(PublicKey key) throws GeneralSecurityException {
    if (!(key instanceof ECPublicKey ec)) {
      return false;
    }
    AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
    parameters.init(new ECGenParameterSpec(CURVE));
    ECParameterSpec curve = parameters.getParameterSpec(ECParameterSpec.class);
    ECParameterSpec own = ec.getParams();
    return own.getCurve().equals(curve.getCurve())
        && own.getGenerator().equals(curve.getGenerator())
        && own.getOrder().equals(curve.getOrder())
        && own.getCofactor() == curve.getCofactor();
  }
}
