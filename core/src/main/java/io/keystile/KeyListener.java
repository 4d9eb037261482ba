package io.keystile;

import io.keystile.store.RevocationReason;
import io.keystile.usage.Risk;

/**
 * Hears of events that somebody should look at, and how much of what has happened on this node. All
 * methods do nothing by default, so that later versions can add some.
 *
 * <p>Called on one thread of the library's own ({@code keystile-listener}), one call at a time, in
 * the order in which each thread has raised its events. No request, verb or background task waits
 * for it: what is raised waits in a queue of 1,000. While a listener blocks, events that come in
 * with requests, {@link #wrongSecrets} too, are dropped from 875 on, so that there is room for
 * {@link #alert}, {@link #pepperMissing}, {@link #riskFound} and {@link #limitAdapted}; those are
 * dropped when it is full. What a listener throws is caught, logged once, and changes nothing. Both
 * are counted ({@code keystile.events}). {@link ApiKeys#close} delivers what waits, within its
 * deadline, and drops the rest; a process that is killed loses it. One listener that is given to
 * several instances is called by one thread of each.
 *
 * <p>Events about the use of a key are raised only after its secret was proven, so nobody can raise
 * them with a key id alone.
 *
 * <h2>Counters</h2>
 *
 * <p>{@link #count} hands over what was added since its last call, every 5 seconds and at the end.
 * These names are kept in later versions, and more may come:
 *
 * <table>
 * <caption>Metrics and their results</caption>
 * <tr><th>metric</th><th>results</th><th>what is counted</th></tr>
 * <tr><td>{@code keystile.validations}</td>
 *   <td>{@code accepted}, or a {@link Reason} in lower case</td>
 *   <td>validations, but no {@link ApiKeys#peek}</td></tr>
 * <tr><td>{@code keystile.cache}</td><td>{@code hit}, {@code miss}</td>
 *   <td>those of them that needed no load, and those that waited for one; text that is malformed
 *   is neither</td></tr>
 * <tr><td>{@code keystile.loads}</td><td>{@code done}, {@code failed}</td>
 *   <td>reads of one key from the store</td></tr>
 * <tr><td>{@code keystile.loads.micros}</td><td>{@code done}</td>
 *   <td>the microseconds that the done ones took together</td></tr>
 * <tr><td>{@code keystile.polls}</td><td>{@code done}, {@code failed}</td>
 *   <td>polls of the change feed; one that took too long has failed</td></tr>
 * <tr><td>{@code keystile.uses}</td><td>{@code written}, {@code dropped}</td>
 *   <td>marks of last use, merged per secret; dropped are those for which there was no room</td></tr>
 * <tr><td>{@code keystile.usage}</td><td>{@code stored}, {@code dropped}</td>
 *   <td>marks of usage, see {@link SystemStatus#usage}</td></tr>
 * <tr><td>{@code keystile.steps}</td><td>{@code done}, {@code failed}, {@code put_off}</td>
 *   <td>automatic changes of keys: those that ended, and those that found too many waiting</td></tr>
 * <tr><td>{@code keystile.events}</td><td>{@code delivered}, {@code failed}, {@code dropped}</td>
 *   <td>calls of the other methods here: those that returned, those that threw, and those that
 *   were not made</td></tr>
 * <tr><td>{@code keystile.wrong_secrets}</td>
 *   <td>{@code counted}, {@code unaddressed}, {@code overlooked}, {@code displaced}</td>
 *   <td>wrong secrets, see {@link #wrongSecrets}: those counted for their address, those that had
 *   none, those for which there was no place; and addresses that lost their place to others
 *   before their minute was over</td></tr>
 * </table>
 */
public interface KeyListener {

  /** A listener that does nothing. With it nothing is counted. */
  KeyListener NONE = new KeyListener() {};

  /**
   * A good token came over a transport that others can read: its secret should be replaced.
   *
   * @param keyId the key
   * @param accepted whether it was let in ({@link TransportPolicy#WARN})
   */
  default void insecureTransport(String keyId, boolean accepted) {}

  /**
   * A service key came from a browser: its secret is in somebody's page.
   *
   * @param keyId the key
   */
  default void usedFromBrowser(String keyId) {}

  /**
   * A secret came back whose grace is over, or that was revoked, while its key is still in use:
   * either a client was forgotten when the secret was changed, or somebody has stolen it. It was
   * refused. Raised with every such request.
   *
   * @param keyId the key
   * @param secretVersion the number of the secret
   */
  default void retiredSecretUsed(String keyId, int secretVersion) {}

  /**
   * A key was revoked, or one of its secrets replaced or revoked, for a reason that somebody should
   * look into: {@link RevocationReason#SUSPICIOUS_ACTIVITY}, {@link
   * RevocationReason#SECURITY_BREACH} or {@link RevocationReason#LEAKED}. Raised on the node that
   * did it, after the commit; where the answer of the store was lost, when the call is repeated
   * with its operation id. So it may come twice. (A repeated {@code revokeAll} finds only what is
   * left, and raises none for the key whose answer was lost.)
   *
   * @param keyId the key
   * @param reason why
   */
  default void alert(String keyId, RevocationReason reason) {}

  /**
   * The use of a key looks odd. Told from a level on that the host sets ({@link
   * RiskPolicy#alertingFrom}), on one node, once per key, kind and day of UTC; a second time only
   * if the store's answer to the mark that says so was lost.
   *
   * @param keyId the key
   * @param level its risk, of all that is odd together
   * @param kind what is odd
   * @param evidence with the numbers, in words
   */
  default void riskFound(String keyId, Risk.Level level, Risk.Kind kind, String evidence) {}

  /**
   * The limits of a key were adapted to its risk, by this node; {@link KeyDetails#adapted} tells
   * why.
   *
   * @param keyId the key
   * @param perMinute how many requests it may make in any minute from now on; -1 if its plan
   *     applies again
   */
  default void limitAdapted(String keyId, long perMinute) {}

  /**
   * The hash of a secret that has not ended needs a pepper that this node does not have. Raised
   * once per pepper id and node. Nothing is proven here.
   *
   * @param pepperId the missing pepper
   */
  default void pepperMissing(String pepperId) {}

  /**
   * So many wrong secrets came from one address within a minute that somebody may be guessing
   * ({@link ApiKeysBuilder#wrongSecretsPerMinute}). It is counted on this node, and for the address
   * alone, never for a key: key ids are public, and nobody may ruin another's key with them. Raised
   * at most once per address and minute, which begins with the first wrong secret.
   *
   * <p>What is refused as {@link Reason#WRONG_SECRET} or {@link Reason#UNKNOWN} counts: made-up
   * ids, those without a mint tag of ours among them, and secrets that the key does not have. A
   * client that uses its new secret before this node knows of the rotation counts, too. {@link
   * Reason#MALFORMED} does not: who guesses can compute the checksum, so such text is a mistake.
   *
   * <p>At most 8,192 addresses are counted at a time, in 164 KB. Beyond that a new one takes the
   * place of one with fewer wrong secrets, never of one that was told of: to push out an address
   * with n of them takes eight others that send n each, and fall into its part of the table, which
   * nobody outside knows. What no address is known of is not counted here.
   *
   * @param network the address as a network, {@code 192.0.2.7/32}; of IPv6 {@code
   *     2001:db8:0:1::/64}, since one client has all of it
   * @param count how many there were in this minute until now
   */
  default void wrongSecrets(String network, int count) {}

  /**
   * How much was added to a counter since the last call for it; counters to which nothing was added
   * are left out. See the table above.
   *
   * @param metric the name, of lower-case letters, dots and underscores
   * @param result which part of it; every metric has this one label
   * @param added at least 1
   */
  default void count(String metric, String result, long added) {}
}
