package io.keystile.http;

import io.keystile.Access;
import io.keystile.Rejected;
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
 *   <tr><td>cannot be decided now<td>503<td>{@code temporarily_unavailable}
 * </table>
 *
 * <p>The body is problem details as of RFC 9457, in ASCII. 400, 401 and {@code insufficient_scope}
 * carry two {@code WWW-Authenticate} challenges as of RFC 6750, for {@code Bearer} and {@code
 * ApiKey}; 503 carries a {@code Retry-After} of 5 seconds; all forbid to store the answer.
 *
 * <p>All keys that are not valid get the same answer, byte for byte, whether they are unknown,
 * expired or revoked. Nothing that a client sent is repeated: an answer is made of constants, the
 * host's realm, and the scopes of an {@link Access}. Immutable.
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
          "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"%s}"
              .formatted(title, status, detail, member);
    }

    /** Whether another key, or one key instead of two, could help. */
    boolean isChallenge() {
      return this != NOT_FROM_HERE && this != INSECURE_TRANSPORT && this != UNAVAILABLE;
    }
  }

  private final Problem problem;
  private final @Nullable Access access;
  private final String realm;
  private final boolean inQuery;

  private HttpDenial(Problem problem, @Nullable Access access, String realm, boolean inQuery) {
    this.problem = problem;
    this.access = access;
    this.realm = realm;
    this.inQuery = inQuery;
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
    return new HttpDenial(problem, null, DEFAULT_REALM, credential.isInQuery());
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
          case LIMITED, UNAVAILABLE -> Problem.UNAVAILABLE;
        };
    return new HttpDenial(problem, access, DEFAULT_REALM, false);
  }

  private static Problem forbidden(Rejected rejected) {
    return switch (rejected.reason()) {
      case SCOPE_MISSING -> Problem.SCOPE_MISSING;
      case INSECURE_TRANSPORT -> Problem.INSECURE_TRANSPORT;
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
    return answering(requireRealm(realm), inQuery);
  }

  static String requireRealm(String realm) {
    if (!REALM.matcher(realm).matches()) {
      throw new IllegalArgumentException("realm: must match " + REALM);
    }
    return realm;
  }

  /** A copy for this realm, which was checked before. */
  HttpDenial answering(String realm, boolean inQuery) {
    return new HttpDenial(problem, access, realm, inQuery);
  }

  /**
   * The status of the answer.
   *
   * @return 400, 401, 403 or 503; expect 429 in a later version
   */
  public int status() {
    return problem.status;
  }

  @Override
  public List<Map.Entry<String, String>> headers() {
    List<Map.Entry<String, String>> headers = new ArrayList<>();
    headers.add(Map.entry("Content-Type", "application/problem+json"));
    headers.add(Map.entry("Cache-Control", "no-store"));
    if (inQuery) {
      headers.add(Map.entry("Referrer-Policy", "no-referrer"));
    }
    if (problem.isChallenge()) {
      String named = "realm=\"" + realm + "\"";
      headers.add(Map.entry("WWW-Authenticate", "Bearer " + named + parameters()));
      headers.add(Map.entry("WWW-Authenticate", "ApiKey " + named));
    }
    if (problem == Problem.UNAVAILABLE) {
      headers.add(Map.entry("Retry-After", "5"));
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
    return problem.body;
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
