package io.keystile.http;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads what the HTTP edge needs from a framework's own request: four one-liners are all that an
 * adapter has to know of a framework. For the JDK's server:
 *
 * <pre>{@code
 * final class ExchangeGetter implements HeaderGetter<HttpExchange> {
 *   public List<String> headers(HttpExchange exchange, String name) {
 *     return exchange.getRequestHeaders().get(name);
 *   }
 *
 *   public String rawQuery(HttpExchange exchange) {
 *     return exchange.getRequestURI().getRawQuery();
 *   }
 *
 *   public boolean isSecure(HttpExchange exchange) {
 *     return exchange instanceof HttpsExchange;
 *   }
 *
 *   public String peerAddress(HttpExchange exchange) {
 *     return exchange.getRemoteAddress().getAddress().getHostAddress();
 *   }
 * }
 * }</pre>
 *
 * <p>Must be stateless, so that one instance serves all requests on all threads, and must neither
 * block nor throw. All text is given as the client sent it: it is checked behind this interface.
 *
 * @param <R> the request of a framework
 */
public interface HeaderGetter<R> {

  /**
   * All values of a header, in the order of its lines, each as it was sent: neither trimmed nor
   * split at commas.
   *
   * @param request the request
   * @param name the name of the header, in any case
   * @return the values; null or empty if there is no such header. A null among them is read as an
   *     empty value
   */
  @Nullable List<String> headers(R request, String name);

  /**
   * The query of the request's target, as it was sent: without the {@code ?}, not percent-decoded.
   *
   * @param request the request
   * @return the query; null or empty if there is none
   */
  @Nullable String rawQuery(R request);

  /**
   * Whether the connection itself is secure, that is TLS that ends here. What a proxy says of its
   * own connection must not be mixed in; that is judged by {@link TrustedProxies}.
   *
   * @param request the request
   * @return true for TLS
   */
  boolean isSecure(R request);

  /**
   * The address at the other end of the connection, as text; never a name, never what a proxy says.
   * A port does not belong to it; the zone of an IPv6 address ({@code %eth0}) is ignored.
   *
   * @param request the request
   * @return the address; null if it is unknown, as on a Unix domain socket
   */
  @Nullable String peerAddress(R request);
}
