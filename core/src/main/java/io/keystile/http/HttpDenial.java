package io.keystile.http;

import io.keystile.Access;
import io.keystile.Rejected;
import io.keystile.limit.Decision;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The answer to a request that is not let in: status, headers and body, ready to be written.
 *
 * <table>
 *   <caption>Answers</caption>
 *   <tr><th>Why<th>Status<th>Error
 *   <tr><td>no key in the request<td>401<td>none
 *   <tr><td>two different keys in the request<td>400<td>{@code invalid_request}
 *   <tr><td>not a valid key, for whatever reason<td>401<td>{@code invalid_token}
 *   <tr><td>a scope is missing<td>403<td>{@code insufficient_scope}
 *   <tr><td>address or caller not allowed<td>403<td>{@code access_denied}
 *   <tr><td>sent in clear<td>403<td>{@code insecure_transport}
 *   <tr><td>a secret that cannot replace itself any more<td>403<td>{@code superseded}
 *   <tr><td>used more often than its limits allow<td>429<td>{@code limit_exceeded}
 *   <tr><td>cannot be decided now<td>503<td>{@code temporarily_unavailable}
 * </table>
 *
 * <p>The body is problem details as of RFC 9457, in ASCII. 400, 401 and {@code insufficient_scope}
 * carry two {@code WWW-Authenticate} challenges as of RFC 6750, for {@code Bearer} and {@code
 * ApiKey}; 429 carries the exact {@code Retry-After}, in seconds rounded up, unless waiting does
 * not help, and names the policies that were violated in its body; 503 carries a {@code
 * Retry-After} of 5 seconds; all forbid to store the answer.
 *
 * <p>All keys that are not valid get the same answer, byte for byte, whether they are unknown,
 * expired or revoked. Nothing that a client sent is repeated: an answer is made of constants, the
 * host's realm, the scopes of an {@link Access}, and the limits of a plan. Immutable.
 */
public final class HttpDenial implements HttpGate.Result {

  /** The realm, unless {@link #withRealm} names another. */
  public static final String DEFAULT_REALM = "api";

  private static final Pattern REALM = Pattern.compile("[ !#-\\[\\]-~]{1,100}");

  /** Constants of our own, so that there is nothing to escape. */
  private enum Problem {
    NO_KEY(401, "Unauthorized", "", "This resource needs an API key."),
    AMBIGUOUS(
        400, "Bad Request", "invalid_request", "The request has more than one API key. Send one."),
    INVALID(401, "Unauthorized", "invalid_token", "The API key is not valid."),
    SCOPE_MISSING(
        403, "Forbidden", "insufficient_scope", "The API key does not have the scope for this."),
    NOT_FROM_HERE(403, "Forbidden", "access_denied", "The API key must not be used from here."),
    INSECURE_TRANSPORT(
        403,
        "Forbidden",
        "insecure_transport",
        "API keys must be sent over TLS. Take this one for known to others and replace it."),
    SUPERSEDED(
        403,
        "Forbidden",
        "superseded",
        "A newer secret of this API key was made, or the key was changed: this one cannot replace"
            + " itself."),
    LIMITED(
        429,
        "Too Many Requests",
        "limit_exceeded",
        "The limit of this API key is reached. Try again later."),
    TOO_COSTLY(
        429,
        "Too Many Requests",
        "limit_exceeded",
        "This request costs more than the limit of this API key."),
    UNAVAILABLE(
        503,
        "Service Unavailable",
        "temporarily_unavailable",
        "The API key cannot be checked at the moment. Try again later.");

    private final int status;
    private final String error;
    private final String body;

    Problem(int status, String title, String error, String detail) {
      this.status = status;
      this.error = error;
      String member = error.isEmpty() ? "" : ",\"error\":\"" + error + "\"";
      this.body =
          "\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"%s"
              .formatted(title, status, detail, member);
    }

    /** Whether another key, or one key instead of two, could help. */
    boolean isChallenge() {
      return switch (this) {
        case NO_KEY, AMBIGUOUS, INVALID, SCOPE_MISSING -> true;
        case NOT_FROM_HERE, INSECURE_TRANSPORT, SUPERSEDED, LIMITED, TOO_COSTLY, UNAVAILABLE ->
            false;
      };
    }
  }

  private static final String QUOTA_EXCEEDED =
      "https://iana.org/assignments/http-problem-types#quota-exceeded";

  /** How an answer is dressed. */
  private record Dress(String realm, boolean inQuery, boolean rateLimitFields) {}

  private static final Dress PLAIN = new Dress(DEFAULT_REALM, false, false);

  private final Problem problem;
  private final @Nullable Access access;
  private final @Nullable Decision limits;
  private final Dress dress;

  private HttpDenial(
      Problem problem, @Nullable Access access, @Nullable Decision limits, Dress dress) {
    this.problem = problem;
    this.access = access;
    this.limits = limits;
    this.dress = dress;
  }

  /**
   * Returns the answer to a request without a key, or with more than one.
   *
   * @param credential what was found
   * @return the answer
   * @throws IllegalArgumentException if one key was found: that must be validated
   */
  public static HttpDenial of(Credential credential) {
    Problem problem =
        switch (credential.outcome()) {
          case ABSENT -> Problem.NO_KEY;
          case AMBIGUOUS -> Problem.AMBIGUOUS;
          case FOUND -> throw new IllegalArgumentException("A credential must be validated");
        };
    return new HttpDenial(
        problem, null, null, new Dress(DEFAULT_REALM, credential.isInQuery(), false));
  }

  /**
   * Returns the answer to a request whose key was rejected.
   *
   * @param rejected the result of the validation
   * @param access what the request needed, which the client is told if the key lacks a scope
   * @return the answer
   */
  public static HttpDenial of(Rejected rejected, Access access) {
    Problem problem =
        switch (rejected.reason().outcome()) {
          case INVALID -> Problem.INVALID;
          case FORBIDDEN -> forbidden(rejected);
          case LIMITED -> limited(rejected.limits());
          case UNAVAILABLE -> Problem.UNAVAILABLE;
        };
    return new HttpDenial(problem, access, rejected.limits(), PLAIN);
  }

  private static Problem limited(@Nullable Decision limits) {
    boolean isHopeless = limits != null && limits.retryAfter() == null;
    return isHopeless ? Problem.TOO_COSTLY : Problem.LIMITED;
  }

  private static Problem forbidden(Rejected rejected) {
    return switch (rejected.reason()) {
      case SCOPE_MISSING -> Problem.SCOPE_MISSING;
      case INSECURE_TRANSPORT -> Problem.INSECURE_TRANSPORT;
      case SUPERSEDED -> Problem.SUPERSEDED;
      default -> Problem.NOT_FROM_HERE;
    };
  }

  /**
   * Names the realm in the challenges.
   *
   * @param realm what the keys are for, 1 to 100 printable ASCII characters without quotes and
   *     backslashes
   * @return a copy with this realm
   * @throws IllegalArgumentException if the realm is not valid
   */
  public HttpDenial withRealm(String realm) {
    return answering(requireRealm(realm), dress.inQuery, dress.rateLimitFields);
  }

  /**
   * Adds {@code RateLimit} and {@code RateLimit-Policy} to an answer 429; see {@link
   * HttpGate#withRateLimitFields()}.
   *
   * @return a copy with these fields
   */
  public HttpDenial withRateLimitFields() {
    return answering(dress.realm, dress.inQuery, true);
  }

  static String requireRealm(String realm) {
    if (!REALM.matcher(realm).matches()) {
      throw new IllegalArgumentException("realm: must match " + REALM);
    }
    return realm;
  }

  /** A copy for this realm, which was checked before. */
  HttpDenial answering(String realm, boolean inQuery, boolean rateLimitFields) {
    return new HttpDenial(problem, access, limits, new Dress(realm, inQuery, rateLimitFields));
  }

  /**
   * The status of the answer.
   *
   * @return 400, 401, 403, 429 or 503
   */
  public int status() {
    return problem.status;
  }

  @Override
  public List<Map.Entry<String, String>> headers() {
    List<Map.Entry<String, String>> headers = new ArrayList<>();
    headers.add(Map.entry("Content-Type", "application/problem+json"));
    headers.add(Map.entry("Cache-Control", "no-store"));
    if (dress.inQuery) {
      headers.add(Map.entry("Referrer-Policy", "no-referrer"));
    }
    if (problem.isChallenge()) {
      String named = "realm=\"" + dress.realm + "\"";
      headers.add(Map.entry("WWW-Authenticate", "Bearer " + named + parameters()));
      headers.add(Map.entry("WWW-Authenticate", "ApiKey " + named));
    }
    if (problem == Problem.UNAVAILABLE) {
      headers.add(Map.entry("Retry-After", "5"));
    }
    if (limits != null) {
      Duration wait = limits.retryAfter();
      if (wait != null) {
        headers.add(Map.entry("Retry-After", Long.toString(RateLimitFields.seconds(wait))));
      }
      if (dress.rateLimitFields) {
        headers.addAll(RateLimitFields.of(limits));
      }
    }
    return List.copyOf(headers);
  }

  private String parameters() {
    String error = problem.error.isEmpty() ? "" : ", error=\"" + problem.error + "\"";
    if (problem != Problem.SCOPE_MISSING || access == null) {
      return error;
    }
    return error + ", scope=\"" + String.join(" ", access.scopes()) + "\"";
  }

  /**
   * The body of the answer.
   *
   * @return problem details in JSON, ASCII only
   */
  public String body() {
    if (limits == null) {
      return "{\"type\":\"about:blank\"," + problem.body + "}";
    }
    return "{\"type\":\"%s\",%s,\"violated-policies\":%s}"
        .formatted(QUOTA_EXCEEDED, problem.body, RateLimitFields.violated(limits));
  }

  /**
   * For logs.
   *
   * @return the status and the error
   */
  @Override
  public String toString() {
    return "HttpDenial["
        + problem.status
        + (problem.error.isEmpty() ? "]" : " " + problem.error + "]");
  }
}
