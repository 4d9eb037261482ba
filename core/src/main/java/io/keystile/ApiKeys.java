package io.keystile;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyStore;
import io.keystile.store.Purge;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * API keys for a service: issues, validates and administers them. One instance per store and
 * process, made with {@link #builder}, closed when the service stops.
 *
 * <pre>{@code
 * static final Access READ = Access.requiring("forecast:read");
 *
 * try (ApiKeys keys = ApiKeys.builder(store).brand("acme").environment("live").build()) {
 *   IssuedKey issued = keys.issue(KeySpec.forOwner("weather-app").scopes("forecast:read"));
 *   String token = issued.revealToken(); // show it once, then forget it
 *
 *   Origin origin = Origin.of(request.getRemoteAddr()).secure(request.isSecure());
 *   Validation v = keys.validate(token, READ, origin);
 *   if (v instanceof Accepted ok) {
 *     serve(ok.key().owner());
 *   }
 *   keys.revoke(issued.id(), Revocation.because(LEAKED).by("alice"));
 * }
 * }</pre>
 *
 * <h2>The verbs</h2>
 *
 * <p><em>Validate</em> returns a result and never throws, whatever the token. <em>Issue</em>
 * returns the token once. <em>Find</em> and <em>list</em> return what is there. All others change a
 * key and return how it is then; they are safe to repeat, with an operation id also when the answer
 * was lost. Those throw {@link KeyException} when they are refused or fail, {@link
 * IllegalArgumentException} for bad arguments, and {@link IllegalStateException} once this is
 * closed.
 *
 * <p>Verbs that change keys join the host's transaction where the store can, and take effect on
 * this node when it commits. Validation never does: it sees what is committed.
 *
 * <h2>How old an answer may be</h2>
 *
 * <p>After a verb has returned (in a host's transaction: after the commit), no validation that
 * begins later on this node decides by what was before it. On other nodes it takes up to {@link
 * ApiKeysBuilder#propagation}; while they cannot read the store, up to {@link
 * ApiKeysBuilder#maxStale}.
 *
 * <h2>Security guarantees</h2>
 *
 * <p>The store holds hashes only. A secret is proven, in constant time, before anything else about
 * its key is looked at; an unknown key id and a wrong secret of a key with one secret cost the same
 * work once they are cached. If it cannot be decided, nobody is let in. No token and no secret is
 * ever logged, or part of an exception or of a {@code toString}.
 *
 * <p>Thread-safe. {@link #validate} does not block when the key is cached; all other methods may.
 */
public final class ApiKeys implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ApiKeys.class);
  private static final Duration CLOSE_DEADLINE = Duration.ofSeconds(5);

  private final Validator validator;
  private final Administration administration;
  private final KeyCache cache;
  private final ChangeFeed feed;
  private final UseRecorder recorder;
  private final Background background;
  private final AtomicBoolean closed = new AtomicBoolean();

  ApiKeys(
      Validator.Parts parts,
      Settings settings,
      Administration administration,
      Background background) {
    this.validator = new Validator(parts, settings);
    this.administration = administration;
    this.cache = parts.cache();
    this.feed = parts.feed();
    this.recorder = parts.recorder();
    this.background = background;
  }

  /**
   * Begins to configure an instance.
   *
   * @param store where keys are kept
   * @return a new builder
   */
  public static ApiKeysBuilder builder(KeyStore store) {
    return new ApiKeysBuilder(store);
  }

  /**
   * Validates a token: one look-up gives identity and permissions. A warm call does no I/O, takes
   * no lock shared by all keys, and costs little more than the hash itself. A cold one waits for
   * the store, up to {@link ApiKeysBuilder#loadDeadline}. Whatever the token is, it throws nothing.
   *
   * @param token what the client presented, byte for byte; anything, null too
   * @param access what the request needs
   * @param origin where it comes from
   * @return whether it may go on, and why not
   */
  public Validation validate(@Nullable String token, Access access, Origin origin) {
    return validator.validate(request(token, access, origin, true));
  }

  /**
   * As {@link #validate}, for event loops: never blocks. When the key is cached the future is
   * complete on return, else it is completed by a thread of the library's; a continuation that
   * blocks must be given an executor of the host's.
   *
   * @param token what the client presented, byte for byte; anything, null too
   * @param access what the request needs
   * @param origin where it comes from
   * @return the result; never completed exceptionally
   */
  public CompletableFuture<Validation> validateAsync(
      @Nullable String token, Access access, Origin origin) {
    return validator.validateAsync(request(token, access, origin, true));
  }

  /**
   * As {@link #validate}, as a dry run: the full verdict, but it does not count as a use and raises
   * no event.
   *
   * @param token what the client presented, byte for byte; anything, null too
   * @param access what the request would need
   * @param origin where it would come from
   * @return what {@link #validate} would have returned
   */
  public Validation peek(@Nullable String token, Access access, Origin origin) {
    return validator.validate(request(token, access, origin, false));
  }

  /**
   * Issues a key.
   *
   * @param spec whose it is and what it may do
   * @return the key, with the one chance to read its token
   */
  public IssuedKey issue(KeySpec spec) {
    return administration().issue(spec);
  }

  /**
   * Finds a key.
   *
   * @param keyId the key id; text that is no key id finds nothing
   * @return the key, or empty
   */
  public Optional<KeyDetails> find(String keyId) {
    return administration().find(keyId);
  }

  /**
   * Lists keys in the order of their creation, a page at a time.
   *
   * @param query which keys
   * @return a page
   */
  public KeyPage list(KeyQuery query) {
    return administration().list(query);
  }

  /**
   * Changes what is said in the update, and leaves the rest.
   *
   * @param keyId the key
   * @param update the changes
   * @return the key after it
   */
  public KeyDetails update(String keyId, KeyUpdate update) {
    return administration().update(keyId, update);
  }

  /**
   * Switches a key off until it is enabled again. Does nothing to a disabled key.
   *
   * @param keyId the key
   * @param cause who does it and why
   * @return the key after it
   */
  public KeyDetails disable(String keyId, Cause cause) {
    return administration().disable(keyId, cause);
  }

  /**
   * Switches a disabled key on. Does nothing to an active key.
   *
   * @param keyId the key
   * @param cause who does it and why
   * @return the key after it
   */
  public KeyDetails enable(String keyId, Cause cause) {
    return administration().enable(keyId, cause);
  }

  /**
   * Revokes a key for good. Does nothing to a revoked key: the first revocation stands. Outside a
   * host's transaction it answers {@link KeyException.Failure#CONFLICT} only if the database gives
   * the write up again and again.
   *
   * @param keyId the key
   * @param revocation why, and who does it
   * @return the key after it
   */
  public KeyDetails revoke(String keyId, Revocation revocation) {
    return administration().revoke(keyId, revocation);
  }

  /**
   * Revokes every key that a query finds, each in a transaction of its own: for an incident, or the
   * end of an owner. If it fails half-way, repeat it; what is revoked already is left as it is.
   * With an operation id, the entry of each key in the audit trail has the id {@code
   * operationId/keyId}.
   *
   * <pre>{@code
   * keys.revokeAll(
   *     KeyQuery.all().pepper("pepper-2025"), Revocation.because(SECURITY_BREACH).by("alice"));
   * }</pre>
   *
   * <p>Stop what makes such keys before: a key that is issued while this runs may be missed.
   *
   * @param which which keys, with at least one condition. To revoke all there are, say up to when:
   *     {@code KeyQuery.all().issuedBefore(now)}
   * @param revocation why, and who does it; an operation id of up to 232 bytes
   * @return how many keys this call has revoked; those that others revoked meanwhile do not count
   * @throws IllegalArgumentException if the query has no condition, asks for a page ({@code after},
   *     {@code limit}) or for revoked keys; or if the operation id is too long
   */
  public int revokeAll(KeyQuery which, Revocation revocation) {
    return administration().revokeAll(which, revocation);
  }

  /**
   * Revokes every key of an owner, as {@link #revokeAll} does.
   *
   * @param owner the owner
   * @param revocation why, and who does it
   * @return how many keys this call has revoked
   */
  public int revokeAllOf(String owner, Revocation revocation) {
    return revokeAll(KeyQuery.ofOwner(owner), revocation);
  }

  /**
   * Revokes every personal access token of a user, as {@link #revokeAll} does.
   *
   * @param subject the user
   * @param revocation why, and who does it
   * @return how many tokens this call has revoked
   */
  public int revokeAllOfSubject(String subject, Revocation revocation) {
    return revokeAll(KeyQuery.all().subject(subject), revocation);
  }

  /**
   * Lets a personal access token live longer, before its end and up to the maximum.
   *
   * @param keyId the key
   * @param lifetime how long from now
   * @param cause who does it and why
   * @return the key after it
   */
  public KeyDetails extend(String keyId, Duration lifetime, Cause cause) {
    return administration().extend(keyId, lifetime, cause);
  }

  /**
   * Reads the audit trail: who did what to which key, and when, oldest first. Entries are there
   * even after their key was purged. A transaction that takes long may add an entry before the end
   * of what was read: who follows the trail as it grows reads again some way behind its end.
   *
   * @param filter whose, {@link AuditFilter#ofKey} for the history of one key
   * @param after the number of the last entry of the page before, or 0
   * @param limit how many at most, 1 to 1000
   * @return a page of the trail
   */
  public List<AuditEntry> audit(AuditFilter filter, long after, int limit) {
    return administration().audit(filter, after, limit);
  }

  /**
   * Removes for good what is old enough: keys that were revoked or have ended, entries of the audit
   * trail, and notices of changes older than a day. The history of a key outlives it: its entries
   * go when they are old enough themselves. To be called now and then, by one node or by several.
   *
   * @param keysKept how long keys stay after they were revoked or have ended
   * @param auditKept how long entries of the audit trail stay
   * @param cause who does it and why; with an operation id, of up to 232 bytes, the entry of each
   *     key that is removed has the id {@code operationId/keyId}
   * @return how much was removed
   */
  public Purge.Result purge(Duration keysKept, Duration auditKept, Cause cause) {
    return administration().purge(keysKept, auditKept, cause);
  }

  /**
   * What one owner may do with his own keys: for developer portals.
   *
   * @param owner the owner
   * @return the owner's view
   */
  public OwnerKeys forOwner(String owner) {
    return OwnerKeys.of(this::administration, owner);
  }

  /**
   * Tells that a user's permissions have changed: this node asks {@link SubjectPermissions} again
   * before it accepts one of his tokens. To be called on every node; a node that is not told keeps
   * the old answer for up to {@link ApiKeysBuilder#refreshAfter} of use, and {@link
   * ApiKeysBuilder#entryAge} at most.
   *
   * @param subject the user
   */
  public void subjectChanged(String subject) {
    cache.invalidateIf(key -> key.key != null && subject.equals(key.key.subject()));
  }

  /**
   * How this node is doing. Does not block and asks nobody.
   *
   * @return the status as of now
   */
  public SystemStatus status() {
    return new SystemStatus(
        !closed.get() && validator.isFresh(),
        feed.lastGoodPollAt(),
        feed.answering(),
        validator.missingPeppers());
  }

  /**
   * Writes what is pending, for up to 5 seconds, and ends the background threads. From then on
   * validation answers {@link Reason#STORE_UNAVAILABLE} and verbs throw {@link
   * IllegalStateException}. Does not close the store. May be called more than once.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    background.stop();
    cache.close();
    if (!background.finish(recorder::flush, CLOSE_DEADLINE)) {
      log.warn("Closed before all work in the background was done");
    }
  }

  private static Validator.Request request(
      @Nullable String token, Access access, Origin origin, boolean recorded) {
    // here, so that a mistake of the host's shows with the first request and not the first good one
    Objects.requireNonNull(access, "access");
    Objects.requireNonNull(origin, "origin");
    return new Validator.Request(token, access, origin, recorded);
  }

  /** For tests that drive the feed themselves. */
  void poll() {
    feed.poll();
  }

  /** For tests that drive the writing of last use themselves. */
  void flush() {
    recorder.flush();
  }

  private Administration administration() {
    if (closed.get()) {
      throw new IllegalStateException("These ApiKeys are closed");
    }
    return administration;
  }
}
