package io.keystile.examples.portal;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Whether a form was sent from a page of this portal, in the session that the page was made for. It
 * must say so itself, by a token that is bound to the session's id, and the browser must: by the
 * origin, and by {@code Sec-Fetch-Site} if it knows that. The token is computed, not kept, so that
 * the sign-in form of a visitor has one, too.
 */
class FormGuard {
  private final SecretKeySpec key =
      new SecretKeySpec(Randoms.text().getBytes(StandardCharsets.US_ASCII), "HmacSHA256");
  private final @Nullable String origin;

  /**
   * @param origin where browsers find the portal, as {@code https://keys.example.com}; null where
   *     it is asked for, in clear
   */
  FormGuard(@Nullable String origin) {
    this.origin = origin;
  }

  /** A page with a form for anybody: who has no session id yet gets the one it is bound to. */
  Reply page(Call call, Html html) {
    Reply page = Reply.page(200, html);
    return call.isNew() ? page.with("Set-Cookie", cookie(call.sessionId(), "")) : page;
  }

  /** What tells the browser its session id: where there is TLS, for connections with it alone. */
  String cookie(String sessionId, String more) {
    boolean isSecure = origin != null && origin.startsWith("https://");
    return "%s=%s; Path=/portal; HttpOnly; SameSite=Strict%s%s"
        .formatted(Call.COOKIE, sessionId, isSecure ? "; Secure" : "", more);
  }

  String token(String sessionId) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      byte[] code = mac.doFinal(("form " + sessionId).getBytes(StandardCharsets.UTF_8));
      return Base64.getUrlEncoder().withoutPadding().encodeToString(code);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e); // each JDK has it
    }
  }

  boolean accepts(Call call) {
    return isFromHere(call.header("Origin"), call.header("Sec-Fetch-Site"), own(call))
        && MessageDigest.isEqual(
            token(call.sessionId()).getBytes(StandardCharsets.US_ASCII),
            call.field("token").getBytes(StandardCharsets.UTF_8));
  }

  private String own(Call call) {
    return origin != null ? origin : "http://" + call.header("Host");
  }

  /** Browsers have sent the origin with each form for years; the other header is newer. */
  static boolean isFromHere(@Nullable String from, @Nullable String site, String own) {
    return own.equals(from) && (site == null || site.equals("same-origin"));
  }
}
