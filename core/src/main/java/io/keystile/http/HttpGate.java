package io.keystile.http;

import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.Origin;
import io.keystile.Rejected;
import io.keystile.Validation;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * Lets requests in that have a good key, and says what to answer to the others: all that an adapter
 * for a framework has to call.
 *
 * <pre>{@code
 * static final Access READ = Access.requiring("forecast:read");
 *
 * HttpGate<HttpExchange> gate =
 *     HttpGate.of(keys, new ExchangeGetter())
 *         .withRealm("forecast")
 *         .withProxies(TrustedProxies.of("10.0.0.0/8"));
 *
 * HttpGate.Result result = gate.check(exchange, READ);
 * result.headers().forEach(h -> exchange.getResponseHeaders().add(h.getKey(), h.getValue()));
 * if (result instanceof HttpGate.Passed passed) {
 *   serve(exchange, passed.accepted().key().owner());
 * } else if (result instanceof HttpDenial denial) {
 *   byte[] body = denial.body().getBytes(StandardCharsets.US_ASCII);
 *   boolean head = exchange.getRequestMethod().equals("HEAD");
 *   exchange.sendResponseHeaders(denial.status(), head ? -1 : body.length);
 *   if (!head) {
 *     exchange.getResponseBody().write(body);
 *   }
 *   exchange.close();
 * }
 * }</pre>
 *
 * <p>Immutable and safe for use by many threads, as long as the getter is. Throws nothing, whatever
 * a client sends. The methods that look like setters return a changed copy.
 *
 * @param <R> the request of a framework
 */
public final class HttpGate<R> {

  /** What to do with a request: let it in ({@link Passed}) or answer it ({@link HttpDenial}). */
  public sealed interface Result permits Passed, HttpDenial {

    /**
     * The headers to add to the response, in either case.
     *
     * @return names and values in order; a name may occur twice; immutable
     */
    List<Map.Entry<String, String>> headers();
  }

  /** The request may go on. Immutable. */
  public static final class Passed implements Result {
    private static final List<Map.Entry<String, String>> AFTER_QUERY =
        List.of(
            Map.entry("Cache-Control", "no-store"), Map.entry("Referrer-Policy", "no-referrer"));

    private final Accepted accepted;
    private final boolean inQuery;
    private final boolean rateLimitFields;

    private Passed(Accepted accepted, boolean inQuery, boolean rateLimitFields) {
      this.accepted = accepted;
      this.inQuery = inQuery;
      this.rateLimitFields = rateLimitFields;
    }

    /**
     * Whose request it is.
     *
     * @return the result of the validation
     */
    public Accepted accepted() {
      return accepted;
    }

    @Override
    public List<Map.Entry<String, String>> headers() {
      List<Map.Entry<String, String>> ofKey = headersOf(accepted);
      if (!rateLimitFields && (!inQuery || ofKey.isEmpty())) {
        return inQuery ? AFTER_QUERY : ofKey;
      }
      List<Map.Entry<String, String>> all = new ArrayList<>(inQuery ? AFTER_QUERY : List.of());
      all.addAll(ofKey);
      if (rateLimitFields) {
        all.addAll(rateLimitFieldsOf(accepted));
      }
      return List.copyOf(all);
    }

    /**
     * For logs.
     *
     * @return the key id and the secret version
     */
    @Override
    public String toString() {
      return "Passed[" + accepted + "]";
    }
  }

  /** The one form of a date that RFC 9110 lets a sender use; the JDK's own drops a zero. */
  private static final DateTimeFormatter HTTP_DATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM uuuu HH:mm:ss 'GMT'", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  private final ApiKeys keys;
  private final HeaderGetter<R> getter;
  private final CredentialExtractor extractor;
  private final TrustedProxies proxies;
  private final Style style;

  /** How answers are dressed. */
  private record Style(String realm, boolean rateLimitFields) {}

  private HttpGate(
      ApiKeys keys,
      HeaderGetter<R> getter,
      CredentialExtractor extractor,
      TrustedProxies proxies,
      Style style) {
    this.keys = Objects.requireNonNull(keys, "keys");
    this.getter = Objects.requireNonNull(getter, "getter");
    this.extractor = Objects.requireNonNull(extractor, "extractor");
    this.proxies = Objects.requireNonNull(proxies, "proxies");
    this.style = style;
  }

  /**
   * Returns a gate that reads the standard headers, trusts no proxy, and names the realm {@code
   * api}.
   *
   * @param <R> the request of a framework
   * @param keys validates the keys; stays the caller's to close
   * @param getter reads a request
   * @return the gate
   */
  public static <R> HttpGate<R> of(ApiKeys keys, HeaderGetter<R> getter) {
    return new HttpGate<>(
        keys,
        getter,
        CredentialExtractor.standard(),
        TrustedProxies.none(),
        new Style(HttpDenial.DEFAULT_REALM, false));
  }

  /**
   * The headers for the response to a client that was let in, for adapters that do without a gate:
   * {@code API-Key-Rotate-By} with {@link Accepted#rotateBy()}, rounded down to a second, if the
   * client is to replace its secret by then; else nothing.
   *
   * @param accepted the result of the validation
   * @return names and values in order; empty for most, and then without an allocation; immutable
   */
  public static List<Map.Entry<String, String>> headersOf(Accepted accepted) {
    Instant rotateBy = accepted.rotateBy();
    return rotateBy == null
        ? List.of()
        : List.of(Map.entry("API-Key-Rotate-By", HTTP_DATE.format(rotateBy)));
  }

  /**
   * The fields {@code RateLimit} and {@code RateLimit-Policy} for the response to a client that was
   * let in, for adapters that do without a gate. Experimental, see {@link #withRateLimitFields()}.
   *
   * @param accepted the result of the validation
   * @return names and values in order; empty for a key without limits; immutable
   */
  public static List<Map.Entry<String, String>> rateLimitFieldsOf(Accepted accepted) {
    return List.copyOf(RateLimitFields.of(accepted.limits()));
  }

  /**
   * Tells clients their limits: each response to a good key, and each that refuses one for its
   * limits, carries {@code RateLimit-Policy} with all windows and {@code RateLimit} with what is
   * left of them, or of those that refuse. Windows that are not whole seconds are left out.
   *
   * <p>Experimental: the syntax is that of draft-ietf-httpapi-ratelimit-headers-10, which is no
   * standard yet, and may change with it in any version.
   *
   * @return a copy that does
   */
  public HttpGate<R> withRateLimitFields() {
    return new HttpGate<>(keys, getter, extractor, proxies, new Style(style.realm, true));
  }

  /**
   * Reads keys from other places than the standard headers.
   *
   * @param extractor finds the key of a request
   * @return a copy that uses it
   */
  public HttpGate<R> withExtractor(CredentialExtractor extractor) {
    return new HttpGate<>(keys, getter, extractor, proxies, style);
  }

  /**
   * Believes what these proxies say about client and transport.
   *
   * @param proxies the host's own proxies
   * @return a copy that does
   */
  public HttpGate<R> withProxies(TrustedProxies proxies) {
    return new HttpGate<>(keys, getter, extractor, proxies, style);
  }

  /**
   * Names the realm in challenges.
   *
   * @param realm as {@link HttpDenial#withRealm} takes it
   * @return a copy with this realm
   * @throws IllegalArgumentException if the realm is not valid
   */
  public HttpGate<R> withRealm(String realm) {
    Style named = new Style(HttpDenial.requireRealm(realm), style.rateLimitFields);
    return new HttpGate<>(keys, getter, extractor, proxies, named);
  }

  /**
   * Checks a request. Blocks as {@link ApiKeys#validate} does: not for a key that is cached, else
   * for one read of the store at most.
   *
   * @param request the request
   * @param access what it needs
   * @return what to do with it
   */
  public Result check(R request, Access access) {
    Credential credential = extractor.extract(request, getter);
    if (credential.outcome() != Credential.Outcome.FOUND) {
      return unnamed(credential);
    }
    Validation validation =
        keys.validate(credential.revealToken(), access, proxies.origin(request, getter));
    return result(validation, access, credential);
  }

  /**
   * Checks a request without blocking, for event loops. The request is read before this returns,
   * and not afterwards.
   *
   * @param request the request
   * @param access what it needs
   * @return what to do with it; completed on the threads that {@link ApiKeys#validateAsync} names,
   *     and never exceptionally
   */
  public CompletableFuture<Result> checkAsync(R request, Access access) {
    Credential credential = extractor.extract(request, getter);
    if (credential.outcome() != Credential.Outcome.FOUND) {
      return CompletableFuture.completedFuture(unnamed(credential));
    }
    Origin origin = proxies.origin(request, getter);
    return keys.validateAsync(credential.revealToken(), access, origin)
        .thenApply(validation -> result(validation, access, credential));
  }

  private Result unnamed(Credential credential) {
    return HttpDenial.of(credential)
        .answering(style.realm, credential.isInQuery(), style.rateLimitFields);
  }

  private Result result(Validation validation, Access access, Credential credential) {
    if (validation instanceof Accepted accepted) {
      return new Passed(accepted, credential.isInQuery(), style.rateLimitFields);
    }
    return HttpDenial.of((Rejected) validation, access)
        .answering(style.realm, credential.isInQuery(), style.rateLimitFields);
  }
}
