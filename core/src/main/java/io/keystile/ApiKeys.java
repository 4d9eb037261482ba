package io.keystile;

import io.keystile.limit.Plan;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyStore;
import io.keystile.store.Purge;
import io.keystile.usage.RequestRecord;
import io.keystile.usage.Risk;
import io.keystile.usage.UsageReports;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
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
 *
 *   IssuedKey next = keys.rotate(issued.id(), Rotation.usual().by("alice")); // the old one: 7 days
 *   keys.revoke(issued.id(), Revocation.because(LEAKED).by("alice"));
 * }
 * }</pre>
 *
 * <h2>The verbs</h2>
 *
 * <p><em>Validate</em> returns a result and never throws, whatever the token. <em>Issue</em> and
 * <em>rotate</em> return the token once. <em>Find</em> and <em>list</em> return what is there. All
 * others change a key and return how it is then; they are safe to repeat, with an operation id also
 * when the answer was lost. Those throw {@link KeyException} when they are refused or fail, {@link
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

  /** What the listener has of it, even if the store does not answer. */
  private static final Duration LAST_WORDS = Duration.ofMillis(500);

  private final Validator validator;
  private final Administration administration;
  private final KeyImporter importer;
  private final KeyCache cache;
  private final ChangeFeed feed;
  private final UseRecorder recorder;
  private final @Nullable UsageRecording usage;
  private final Limits limits;
  private final Events events;
  private final Background background;
  private final AtomicBoolean closed = new AtomicBoolean();

  ApiKeys(
      Validator.Parts parts,
      Settings settings,
      Administration administration,
      KeyImporter importer,
      Background background) {
    this.validator = new Validator(parts, settings);
    this.administration = administration;
    this.importer = importer;
    this.cache = parts.cache();
    this.feed = parts.feed();
    this.recorder = parts.recorder();
    this.usage = parts.usage();
    this.limits = parts.limits();
    this.events = parts.events();
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
    requireBoth(access, origin);
    return validator.validate(token, access, origin, true);
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
    requireBoth(access, origin);
    return validator.validateAsync(token, access, origin);
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
    requireBoth(access, origin);
    return validator.validate(token, access, origin, false);
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
   * Takes over keys that were issued elsewhere, so that their clients go on with the tokens they
   * have. Needs {@link ApiKeysBuilder#importedKeys}. Reads and stores 500 at a time, so any number
   * of keys may come; a key that is refused does not stop the others. Safe to repeat, also after it
   * failed half-way: what is there already is counted and left as it is, and what was purged stays
   * away.
   *
   * <p>The maximum of keys per owner does not hold here; all other rules of the host do. The audit
   * trail holds each key under the operation id {@code import:} and the key id. In lists imported
   * keys come first.
   *
   * <pre>{@code
   * KeyImport.Result result =
   *     keys.importKeys(
   *         rows.stream().map(Migration::toImport).iterator(),
   *         progress -> log.info("{} keys so far", progress.imported()));
   * }</pre>
   *
   * @param keys the keys; what the iterator throws ends the import
   * @param progress hears after each 500 keys and at the end, on this thread; what it throws ends
   *     the import
   * @return what was imported, found, and refused
   * @throws IllegalStateException if imports are off
   */
  public KeyImport.Result importKeys(
      Iterator<? extends KeyImport> keys, Consumer<? super KeyImport.Progress> progress) {
    Objects.requireNonNull(keys, "keys");
    Objects.requireNonNull(progress, "progress");
    requireOpen();
    return importer.run(keys, progress);
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
   * Replaces the secret of a key. The key keeps its id, owner, scopes, limits and history; it gets
   * one more secret version, with a lifetime of its own, and every older one that still works
   * retires after the grace, or at its own end if that is earlier. If more than {@link
   * ApiKeysBuilder#maxLiveSecrets} would work then, the oldest retire at once. A key whose secrets
   * have all ended is revived by this; one that is disabled, revoked or has come to its own fixed
   * end is not rotated ({@link KeyException.Failure#STATE_FORBIDS}).
   *
   * <p>Of two rotations at once one makes the new secret, and the other fails with {@link
   * KeyException.Failure#CONFLICT}.
   *
   * <p>On other nodes it takes up to {@link ApiKeysBuilder#propagation} until the new secret works
   * and, without a grace, until the old one does not. Until then they take the new one for a wrong
   * one: a client that is refused with it goes on with the old one for that long.
   *
   * <p>Secrets that have ended stay with the key for 90 days, to be recognised when they come back
   * ({@link KeyListener#retiredSecretUsed}); then, or when there are more than 8 secrets in all,
   * the next rotation drops the oldest of them, and only the audit trail knows of it.
   *
   * @param keyId the key
   * @param rotation how, and who does it
   * @return the key, with the one chance to read its new token
   */
  public IssuedKey rotate(String keyId, Rotation rotation) {
    return administration().secrets().rotate(keyId, rotation);
  }

  /**
   * Replaces the secret of a key at the wish of its client, which presents the token it has. Only
   * the newest secret of an active key can replace itself, so that a thief with an older one gets
   * nothing; the key must be granted the scope {@code keys:rotate} ({@link SelfRotation#ACCESS}).
   * Older secrets, the presented one too, go on working for {@link
   * ApiKeysBuilder#selfRotationGrace}, 24 hours by default. On other nodes the new secret works as
   * late as after {@link #rotate}.
   *
   * <p>If the answer is lost on its way to the client, nobody has the new token, and the old one
   * cannot replace itself once more: the host rotates the key before the old one retires.
   *
   * <p>The token is validated first, as {@link #validate} does, and then the store is written to:
   * blocks. Throws nothing for what a client sends; what the store fails in is a refusal, too.
   *
   * @param token what the client presented, byte for byte; anything, null too
   * @param origin where the request comes from
   * @param cause who asks and why, as far as known; an operation id that the client sends is known
   *     for this key alone
   * @return the new token, or the refusal
   */
  public SelfRotation rotateSelf(@Nullable String token, Origin origin, Cause cause) {
    Objects.requireNonNull(cause, "cause");
    Administration administration = administration();
    Validation validation = validate(token, SelfRotation.ACCESS, origin);
    if (validation instanceof Rejected rejected) {
      return SelfRotation.refused(rejected);
    }
    SelfRotation result = administration.secrets().rotateSelf((Accepted) validation, cause);
    Rejected refusal = result.refusal();
    if (refusal == null || refusal.reason().outcome() != Reason.Outcome.FORBIDDEN) {
      return result;
    }
    // by now this node knows what has become of the key, and has a better reason if it was revoked;
    // its limits are none: they have let this request in
    return peek(token, SelfRotation.ACCESS, origin) instanceof Rejected better
            && better.reason() != Reason.LIMIT_EXCEEDED
        ? SelfRotation.refused(better)
        : result;
  }

  /**
   * Revokes one secret of a key alone: the others go on working. Does nothing to a secret that is
   * revoked already. If it was the last that worked, the key has expired, and a rotation revives
   * it.
   *
   * @param keyId the key
   * @param secretVersion the number of the secret
   * @param revocation why, and who does it
   * @return the key after it
   */
  public KeyDetails revokeSecret(String keyId, int secretVersion, Revocation revocation) {
    return administration().secrets().revoke(keyId, secretVersion, revocation);
  }

  /**
   * Counts the keys that need a pepper: they are neither revoked nor ended, and a secret of theirs
   * that has not ended is hashed with it. A pepper whose count is 0, and that is the primary one on
   * no node, can be dropped, and nobody is refused for it. Reads every key that {@link
   * KeyQuery#pepper} finds, 200 at a time: not for the path of a request.
   *
   * @param pepperId the id of the pepper, see {@link ServerSecret}
   * @return how many keys would be unavailable without it
   * @throws IllegalArgumentException if no pepper can have this id
   */
  public int countNeeding(String pepperId) {
    ServerSecret.requireId(pepperId);
    return administration().countNeeding(pepperId);
  }

  /**
   * Counts the keys that need {@link ApiKeysBuilder#acceptUnpeppered}, where there are peppers:
   * they are neither revoked nor ended, and a secret of theirs that has not ended is hashed without
   * a pepper. Reads all keys that are neither revoked nor ended, 200 at a time: not for the path of
   * a request.
   *
   * @return how many keys would be unavailable without it
   */
  public int countUnpeppered() {
    return administration().countNeeding(null);
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
   * go when they are old enough themselves. An imported key is stripped instead: a revoked key with
   * its id and owner stays, without name, rights, plan, metadata and hashes, so that a repeated
   * import does not bring it back; its token is unknown from then on. To be called now and then, by
   * one node or by several.
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
    return OwnerKeys.of(this::administration, this::recording, owner);
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
    cache.invalidateIf(
        cached -> cached.inUse != null && subject.equals(cached.inUse.key.subject()));
  }

  /**
   * Changes the plans of this node, from the next request on. To be called on every node. What was
   * used before counts under the new limits, see {@link
   * io.keystile.limit.Limiter#changePlan(Plan)}; but a plan that counts for owners, or stops to,
   * begins anew.
   *
   * @param defaultPlan as in {@link ApiKeysBuilder#defaultPlan}
   * @param plans as in {@link ApiKeysBuilder#plans}, in place of all that there were
   */
  public void changePlans(Plan defaultPlan, Plan... plans) {
    limits.change(Limits.Plans.of(defaultPlan, plans));
  }

  /**
   * Reads what keys were used for.
   *
   * @return reports on all keys
   * @throws IllegalStateException if usage is not recorded, see {@link ApiKeysBuilder#recordUsage}
   */
  public UsageReports usage() {
    return recording().judging().reports();
  }

  /**
   * Assesses the risk of a key, with the settings of {@link ApiKeysBuilder#assessRisk} or the usual
   * ones: reads its usage of the last 90 days.
   *
   * @param keyId the key id
   * @return its risk; unknown for a key that was never used
   * @throws IllegalStateException if usage is not recorded
   * @throws io.keystile.store.StoreException if the store fails
   */
  public Risk risk(String keyId) {
    Judging judging = recording().judging();
    return judging.risk(judging.reports(), keyId);
  }

  /**
   * The last requests of a key that this node has answered, as evidence. Asks nobody.
   *
   * @param keyId the key id
   * @return at most 100, the oldest first; none if they are not kept, see {@link
   *     ApiKeysBuilder#keepRequests}
   * @throws IllegalStateException if usage is not recorded
   */
  public List<RequestRecord> recentRequests(String keyId) {
    return recording().recent(keyId);
  }

  /**
   * Removes usage that is old enough, for good. To be called now and then, by one node or by
   * several. A node that has not reached the store since before {@code hoursBefore} may count twice
   * what it then writes; so keep hours for some days at least.
   *
   * @param hoursBefore usage per hour from before then is removed
   * @param daysBefore usage per day from before then is removed
   * @return how much was removed: the number of tallies and of remembered batches
   * @throws IllegalStateException if usage is not recorded
   */
  public long purgeUsage(Instant hoursBefore, Instant daysBefore) {
    return usage().purge(hoursBefore, daysBefore);
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
        validator.missingPeppers(),
        usage == null ? null : usage.counts());
  }

  /**
   * Writes what is pending and tells the listener what waits for it, for up to 5 seconds, and ends
   * the background threads. From then on validation answers {@link Reason#STORE_UNAVAILABLE} and
   * verbs throw {@link IllegalStateException}. Does not close the store. May be called more than
   * once.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    background.stop();
    if (usage != null) {
      usage.judging().stop();
    }
    cache.close();
    long end = System.nanoTime() + CLOSE_DEADLINE.toNanos();
    Duration working = CLOSE_DEADLINE.minus(LAST_WORDS);
    if (!background.finish(this::lastFlush, limits::leave, working)) {
      log.warn("Closed before all work in the background was done");
    }
    recorder.abandon();
    if (usage != null) {
      usage.abandon();
    }
    // after all others, for they raise events, too
    Duration left = Duration.ofNanos(end - System.nanoTime());
    events.discard(background.lastWords(events::reportNow, left));
  }

  private boolean lastFlush() {
    boolean isWritten = recorder.close();
    return (usage == null || usage.close()) && isWritten;
  }

  /** Here, so that a mistake of the host's shows with the first request, not the first good one. */
  private static void requireBoth(Access access, Origin origin) {
    Objects.requireNonNull(access, "access");
    Objects.requireNonNull(origin, "origin");
  }

  /** For tests that drive the feed themselves. */
  void poll() {
    feed.poll();
  }

  /** For tests that drive the writing of last use and usage themselves. */
  void flush() {
    recorder.flush();
    if (usage != null) {
      usage.flush();
    }
  }

  /** For tests that assess keys themselves. */
  void assess() {
    recording().judging().round();
  }

  /** For tests that share limits themselves. */
  void exchange() {
    limits.exchange();
  }

  /** For tests that wait for what is done by itself: runs this when all that has begun is done. */
  void afterSteps(Runnable action) {
    background.steps().execute(action);
  }

  /** For tests that wait for the listener: runs this when it was told all that was raised. */
  void afterEvents(Runnable action) {
    background.listener().execute(action);
  }

  boolean isClosed() {
    return closed.get();
  }

  /** For tests of what is counted: as it is done from time to time. */
  void report() {
    events.report();
  }

  private UsageRecording recording() {
    requireOpen();
    if (usage == null) {
      throw new IllegalStateException("Usage is not recorded: the builder has recordUsage()");
    }
    return usage;
  }

  private Administration administration() {
    requireOpen();
    return administration;
  }

  private void requireOpen() {
    if (closed.get()) {
      throw new IllegalStateException("These ApiKeys are closed");
    }
  }
}
