package io.keystile.leak;

import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKey;
import io.keystile.ApiKeys;
import io.keystile.KeyDetails;
import io.keystile.KeyException;
import io.keystile.Origin;
import io.keystile.Reason;
import io.keystile.Rejected;
import io.keystile.Revocation;
import io.keystile.TokenFormat;
import io.keystile.Validation;
import io.keystile.leak.LeakReport.Finding;
import io.keystile.leak.LeakReport.Outcome;
import io.keystile.store.RevocationReason;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Answers a leak in one call: finds the tokens in a text, proves each, and revokes the keys of
 * those that still work.
 *
 * <pre>{@code
 * LeakResponse response = LeakResponse.of(keys, scanner).by("leak-desk");
 * LeakReport report = response.evidence("https://paste.example/1234").handle(text);
 * }</pre>
 *
 * <p><b>What is revoked.</b> The key of each token that proves one of its secrets, if that secret
 * is live: also where the key is disabled, or bound to networks, callers or scopes, or where brand
 * and environment in the text were rewritten. A secret that has ended revokes nothing, unless
 * {@link #alsoEnded()} is asked for: whoever has it can do nothing with it, while the key may be in
 * use with another secret. Whoever only knows a key id can revoke nothing.
 *
 * <p><b>Failures.</b> A store that fails, even half-way, loses nothing: what was done is in the
 * report, what was not is in it as well, and {@link LeakReport#isComplete()} says that the call
 * should be repeated. It can be repeated at any time. After {@value #MAX_IN_A_ROW} tokens in a row
 * for which the store did not answer, it is not asked for the rest.
 *
 * <p>A proof is as old as that of a validation, see {@link ApiKeys}; the state of the key is read
 * from the store. To be called outside a transaction of the host's, or else a key is revoked only
 * once that commits.
 *
 * <p>Immutable, each method that looks like a setter returns a changed copy; safe for use by many
 * threads. Handling blocks.
 */
public final class LeakResponse {

  /** After how many failures in a row the store is left alone. */
  static final int MAX_IN_A_ROW = 10;

  private static final int MAX_EVIDENCE_BYTES = 500;
  private static final Access ANY = Access.authenticated();
  private static final Proof NOT_ASKED = new Proof(null, 0, Reason.STORE_UNAVAILABLE);

  /** What stands behind a key id, up to where the word ends: a secret, whole or mutilated. */
  private static final Pattern SECRET =
      Pattern.compile("([0-9A-Za-z]{22})(?:_|%5[Ff])[^\\s&#?/\"'<>]{8,}");

  private final ApiKeys keys;
  private final LeakScanner scanner;
  private final Revocation revocation;
  private final String evidence;
  private final boolean endedToo;

  private LeakResponse(
      ApiKeys keys, LeakScanner scanner, Revocation revocation, String evidence, boolean endedToo) {
    this.keys = keys;
    this.scanner = scanner;
    this.revocation = revocation;
    this.evidence = evidence;
    this.endedToo = endedToo;
  }

  /**
   * Returns a response that revokes as {@link RevocationReason#LEAKED}.
   *
   * @param keys the keys, of a node that may revoke
   * @param scanner what it finds tokens with: for the brands and environments of these keys
   * @return the response
   */
  public static LeakResponse of(ApiKeys keys, LeakScanner scanner) {
    return new LeakResponse(
        Objects.requireNonNull(keys, "keys"),
        Objects.requireNonNull(scanner, "scanner"),
        Revocation.because(RevocationReason.LEAKED),
        "",
        false);
  }

  /**
   * Says who does it.
   *
   * @param actor 1 to 255 bytes of UTF-8; better an opaque id than a name
   * @return a copy that says so
   * @throws IllegalArgumentException if the text is refused
   */
  public LeakResponse by(String actor) {
    return new LeakResponse(keys, scanner, revocation.by(actor), evidence, endedToo);
  }

  /**
   * Says where the leak was seen, best as a URL. It becomes the note of each revocation. This comes
   * from outside, and no key must live on for it; so any text is taken. Of tokens in it, whole or
   * cut, what stands behind the key id is left out, and so is the token that is proven; characters
   * that cannot be kept are replaced; and it is cut at {@value #MAX_EVIDENCE_BYTES} bytes of UTF-8.
   *
   * @param evidence the text; one that is empty says nothing
   * @return a copy that says so
   */
  public LeakResponse evidence(String evidence) {
    String told = SECRET.matcher(evidence).replaceAll("$1_…");
    return new LeakResponse(keys, scanner, revocation, told, endedToo);
  }

  /**
   * Asks to revoke the key of a secret that has ended, too: for instance where it is not known how
   * long the secret was in the hands of others.
   *
   * @return a copy that does so
   */
  public LeakResponse alsoEnded() {
    return new LeakResponse(keys, scanner, revocation, evidence, true);
  }

  /**
   * Handles a stream, and does not close it.
   *
   * @param text as {@link LeakScanner#scan(InputStream, java.util.function.Consumer)} takes it
   * @return what was found and done; if the stream fails, what was found before that
   */
  public LeakReport handle(InputStream text) {
    Objects.requireNonNull(text, "text");
    return handle(run -> scanner.scan(text, run::respond));
  }

  /**
   * Handles a text, and does not close it.
   *
   * @param text the text
   * @return what was found and done; if the reader fails, what was found before that
   */
  public LeakReport handle(Reader text) {
    Objects.requireNonNull(text, "text");
    return handle(run -> scanner.scan(text, run::respond));
  }

  /**
   * Handles a text.
   *
   * @param text the text
   * @return what was found and done
   */
  public LeakReport handle(CharSequence text) {
    Objects.requireNonNull(text, "text");
    return handle(run -> scanner.scan(text).forEach(run::respond));
  }

  /**
   * Handles one token that somebody reports as such; it is compared byte for byte, and not searched
   * for. So it may be that of a key that was imported, too.
   *
   * @param token any text; what is not a token is {@link Outcome#NOT_OURS}
   * @return what was done
   */
  public Finding handleToken(String token) {
    return new Run().responseTo(new FoundToken(token, 0, 1, 1));
  }

  private interface Scan {
    void into(Run run) throws IOException;
  }

  private LeakReport handle(Scan scan) {
    Run run = new Run();
    try {
      scan.into(run);
      return run.collector.report(null);
    } catch (IOException | RuntimeException e) {
      return run.collector.report(e); // from reading: a response throws nothing
    }
  }

  /** One call: what it has found so far, and how the store is doing. */
  private final class Run {
    final LeakReport.Collector collector = new LeakReport.Collector();
    private int unanswered;

    void respond(FoundToken found) {
      collector.add(responseTo(found));
    }

    Finding responseTo(FoundToken found) {
      if (unanswered >= MAX_IN_A_ROW) {
        return NOT_ASKED.finding(found, Outcome.UNDECIDED, null);
      }
      Finding finding = respondTo(found);
      boolean isAnswered =
          finding.outcome() != Outcome.FAILED && finding.reason() != Reason.STORE_UNAVAILABLE;
      unanswered = isAnswered ? 0 : unanswered + 1;
      return finding;
    }
  }

  /** What validation says of a token. */
  private record Proof(@Nullable ApiKey key, int secretVersion, @Nullable Reason reason) {

    static Proof of(Validation validation) {
      if (validation instanceof Accepted ok) {
        return new Proof(ok.key(), ok.secretVersion(), null);
      }
      Rejected no = (Rejected) validation;
      return new Proof(no.key(), no.secretVersion(), no.reason());
    }

    boolean isOpen() {
      return reason != null && reason.outcome() == Reason.Outcome.UNAVAILABLE;
    }

    Finding finding(FoundToken found, Outcome outcome, @Nullable RuntimeException failure) {
      boolean isToken = TokenFormat.isWellFormed(found.revealToken());
      String named = isToken ? found.keyId() : null;
      return new Finding(
          found.redacted(),
          isToken ? sha256(found.revealToken()) : null,
          key != null ? key.id() : named,
          secretVersion,
          found.offset(),
          found.line(),
          found.count(),
          outcome,
          reason,
          failure);
    }
  }

  private Finding respondTo(FoundToken found) {
    Proof proof = Proof.of(keys.peek(found.revealToken(), ANY, Origin.unknown()));
    ApiKey key = proof.key();
    if (key == null) {
      return proof.finding(found, proof.isOpen() ? Outcome.UNDECIDED : Outcome.NOT_OURS, null);
    }
    try {
      return proof.finding(found, stop(key.id(), proof.secretVersion(), because(found)), null);
    } catch (RuntimeException e) {
      return proof.finding(found, Outcome.FAILED, e);
    }
  }

  private Revocation because(FoundToken proven) {
    String note = storable(evidence.replace(proven.revealToken(), "…"));
    return note.isEmpty() ? revocation : revocation.note(note);
  }

  private Outcome stop(String keyId, int secretVersion, Revocation because) {
    // what was proven may come from the cache; how the key is must not
    KeyDetails key = keys.find(keyId).orElse(null);
    if (key == null) {
      return Outcome.ENDED; // it was purged: only what is revoked or has ended is
    }
    if (key.status() == KeyDetails.Status.REVOKED) {
      return Outcome.ALREADY_REVOKED;
    }
    if (!endedToo && !key.isLive(secretVersion)) {
      return Outcome.ENDED;
    }
    try {
      keys.revoke(keyId, because);
      return Outcome.REVOKED;
    } catch (KeyException e) {
      if (e.failure() == KeyException.Failure.UNKNOWN_KEY) {
        return Outcome.ENDED; // purged meanwhile
      }
      throw e;
    }
  }

  private static String sha256(String token) {
    try {
      byte[] bytes = token.getBytes(StandardCharsets.US_ASCII);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is missing, which every Java platform must have", e);
    }
  }

  /** Text that every store can keep. */
  private static String storable(String text) {
    StringBuilder kept = new StringBuilder();
    int bytes = 0;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      int taken = c == 0 || (c >= 0xD800 && c <= 0xDFFF) ? 0xFFFD : c;
      bytes += taken < 0x80 ? 1 : taken < 0x800 ? 2 : taken < 0x10000 ? 3 : 4;
      if (bytes > MAX_EVIDENCE_BYTES) {
        break;
      }
      kept.appendCodePoint(taken);
    }
    return kept.toString();
  }

  /**
   * Describes the response, for logs.
   *
   * @return what it looks for, and with what it revokes
   */
  @Override
  public String toString() {
    return "LeakResponse["
        + scanner
        + ", "
        + revocation
        + (evidence.isEmpty() ? "" : ", evidence stated")
        + (endedToo ? ", also for secrets that have ended]" : "]");
  }
}
