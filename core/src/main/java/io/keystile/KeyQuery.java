package io.keystile;

import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord.State;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which keys to list, or to revoke at once. All conditions hold together; what is not mentioned is
 * not asked about. Immutable: each method returns a changed copy.
 *
 * <pre>{@code
 * KeyQuery query = KeyQuery.ofOwner("weather-app").status(ACTIVE).expiringBefore(nextWeek);
 * for (KeyPage page = keys.list(query); ; page = keys.list(query.after(page.next()))) {
 *   page.keys().forEach(this::remind);
 *   if (page.next() == null) {
 *     break;
 *   }
 * }
 * }</pre>
 *
 * <p>Keys come in the order of their creation. A key that exists and matches as long as the pages
 * are read is seen exactly once.
 */
public final class KeyQuery {

  private static final int DEFAULT_LIMIT = 100;
  private static final int MAX_LIMIT = 1000;
  private static final Set<State> NOT_REVOKED = Set.of(State.ACTIVE, State.DISABLED);

  // assigned by the method that makes the copy, before anybody else sees it, and never again
  private @Nullable String owner;
  private @Nullable String subject;
  private @Nullable String brand;
  private @Nullable String environment;
  private @Nullable String pepperId;
  private KeyDetails.@Nullable Status status;
  private @Nullable Instant issuedBefore;
  private @Nullable Instant expiringBefore;
  private @Nullable Instant unusedSince;
  private boolean neverUsed;
  private boolean rotationDue;
  private @Nullable String after;
  private int limit = DEFAULT_LIMIT;

  private KeyQuery() {}

  private KeyQuery copy() {
    KeyQuery copy = new KeyQuery();
    copy.owner = owner;
    copy.subject = subject;
    copy.brand = brand;
    copy.environment = environment;
    copy.pepperId = pepperId;
    copy.issuedBefore = issuedBefore;
    copy.status = status;
    copy.expiringBefore = expiringBefore;
    copy.unusedSince = unusedSince;
    copy.neverUsed = neverUsed;
    copy.rotationDue = rotationDue;
    copy.after = after;
    copy.limit = limit;
    return copy;
  }

  /**
   * Returns the query for all keys.
   *
   * @return a query without conditions
   */
  public static KeyQuery all() {
    return new KeyQuery();
  }

  /**
   * Returns the query for the keys of one owner.
   *
   * @param owner the owner, compared exactly
   * @return the query
   * @throws IllegalArgumentException if no owner can have this name
   */
  public static KeyQuery ofOwner(String owner) {
    return all().owner(owner);
  }

  KeyQuery owner(String owner) {
    KeyQuery copy = copy();
    copy.owner = Arguments.name(owner, "owner");
    return copy;
  }

  /**
   * Asks for the personal access tokens of one user.
   *
   * @param subject the user, compared exactly
   * @return a changed copy
   * @throws IllegalArgumentException if no subject can have this name
   */
  public KeyQuery subject(String subject) {
    KeyQuery copy = copy();
    copy.subject = Arguments.name(subject, "subject");
    return copy;
  }

  /**
   * Asks for the keys of one brand.
   *
   * @param brand the brand
   * @return a changed copy
   * @throws IllegalArgumentException if no brand can have this name
   */
  public KeyQuery brand(String brand) {
    KeyQuery copy = copy();
    copy.brand = Arguments.name(brand, "brand");
    return copy;
  }

  /**
   * Asks for the keys of one environment.
   *
   * @param environment the environment
   * @return a changed copy
   * @throws IllegalArgumentException if no environment can have this name
   */
  public KeyQuery environment(String environment) {
    KeyQuery copy = copy();
    copy.environment = Arguments.name(environment, "environment");
    return copy;
  }

  /**
   * Asks for the keys with a secret that is hashed with one pepper, whether or not the secret has
   * ended: those that are in danger when the pepper has leaked.
   *
   * @param pepperId the id of the pepper, see {@link ServerSecret}
   * @return a changed copy
   * @throws IllegalArgumentException if no pepper can have this id
   */
  public KeyQuery pepper(String pepperId) {
    ServerSecret.requireId(pepperId);
    KeyQuery copy = copy();
    copy.pepperId = pepperId;
    return copy;
  }

  /**
   * Asks for keys that were issued before a time, by the clock of the node that issued them.
   *
   * @param time the time, exclusive; not before 1970
   * @return a changed copy
   * @throws IllegalArgumentException if the time is before 1970
   */
  public KeyQuery issuedBefore(Instant time) {
    KeyQuery copy = copy();
    copy.issuedBefore = nextWholeMillis(time, "issuedBefore");
    return copy;
  }

  /**
   * Asks for the keys with one status, at the time of the call. {@code ACTIVE} finds those that are
   * {@code ROTATING} as well.
   *
   * @param status the status
   * @return a changed copy
   */
  public KeyQuery status(KeyDetails.Status status) {
    Objects.requireNonNull(status, "status");
    KeyQuery copy = copy();
    copy.status = status;
    return copy;
  }

  /**
   * Asks for keys that end before a time. Keys that have ended or are revoked already are left out,
   * unless {@link #status} asks for them.
   *
   * @param time the time, exclusive; not before 1970
   * @return a changed copy
   * @throws IllegalArgumentException if the time is before 1970
   */
  public KeyQuery expiringBefore(Instant time) {
    KeyQuery copy = copy();
    copy.expiringBefore = nextWholeMillis(time, "expiringBefore");
    return copy;
  }

  /** Whole milliseconds that are before a time are before this one, too. */
  private static Instant nextWholeMillis(Instant time, String option) {
    Instant floor = Arguments.time(time, option);
    return floor.isBefore(time) ? floor.plus(1, ChronoUnit.MILLIS) : floor;
  }

  /**
   * Asks for keys that let nobody in since a time, or never did. Last use may be known late, see
   * {@link KeyDetails}.
   *
   * @param time the time; a use at that very time is one since
   * @return a changed copy
   * @throws IllegalArgumentException if the time is before 1970
   */
  public KeyQuery unusedSince(Instant time) {
    KeyQuery copy = copy();
    copy.unusedSince = Arguments.time(time, "unusedSince");
    return copy;
  }

  /**
   * Asks for keys that never let anybody in.
   *
   * @return a changed copy
   */
  public KeyQuery neverUsed() {
    KeyQuery copy = copy();
    copy.neverUsed = true;
    return copy;
  }

  /**
   * Only keys whose secret is due to be replaced, by the {@link RotationPolicy} that applies to
   * each ({@link KeyDetails#rotationDueAt()}). Without a status: only keys that may be used. Not
   * for {@code revokeAll}.
   *
   * <p>Looks at every key that its other conditions leave, until the page is full: for a job, not
   * for the path of a request.
   *
   * @return a changed copy
   */
  public KeyQuery rotationDue() {
    KeyQuery copy = copy();
    copy.rotationDue = true;
    return copy;
  }

  /**
   * Asks for the page that begins after a key.
   *
   * @param next {@link KeyPage#next()} of the page before
   * @return a changed copy
   * @throws IllegalArgumentException if it is no such text
   */
  public KeyQuery after(String next) {
    if (KeyId.parse(Objects.requireNonNull(next, "after")) == null) {
      throw new IllegalArgumentException("after: must be what KeyPage.next() returned");
    }
    KeyQuery copy = copy();
    copy.after = next;
    return copy;
  }

  /**
   * Sets the size of a page.
   *
   * @param limit how many keys at most, 1 to 1000; default: 100
   * @return a changed copy
   * @throws IllegalArgumentException if it is out of range
   */
  public KeyQuery limit(int limit) {
    if (limit < 1 || limit > MAX_LIMIT) {
      throw new IllegalArgumentException("limit: must be 1 to " + MAX_LIMIT);
    }
    KeyQuery copy = copy();
    copy.limit = limit;
    return copy;
  }

  @Nullable String owner() {
    return owner;
  }

  @Nullable String after() {
    return after;
  }

  int limit() {
    return limit;
  }

  boolean isRotationDue() {
    return rotationDue;
  }

  /** The same question in the words of a store; it may find more than {@link #isRotationDue}. */
  KeyFilter toFilter(Instant now, RotationRules rules) {
    KeyFilter.Builder filter = toFilter(now, Set.of());
    if (rotationDue) {
      filter.due(rules.due(now));
      if (status == null) {
        filter.states(Set.of(State.ACTIVE)).liveAfter(now);
      }
    }
    return filter.build();
  }

  /**
   * The same question about keys that can be revoked.
   *
   * @throws IllegalArgumentException if that cannot be meant
   */
  KeyFilter toFilterOfRevocable(Instant now) {
    if (after != null || limit != DEFAULT_LIMIT) {
      throw new IllegalArgumentException("after, limit: are for lists only");
    }
    if (status == KeyDetails.Status.REVOKED) {
      throw new IllegalArgumentException("status: what is revoked cannot be revoked again");
    }
    if (rotationDue) {
      throw new IllegalArgumentException("rotationDue: is for lists only");
    }
    KeyFilter filter = toFilter(now, Set.of()).build();
    if (filter.equals(KeyFilter.all())) {
      throw new IllegalArgumentException("which: must have a condition, or all keys are revoked");
    }
    return toFilter(now, NOT_REVOKED).build();
  }

  private KeyFilter.Builder toFilter(Instant now, Set<State> ofAnyStatus) {
    KeyFilter.Builder filter =
        KeyFilter.builder()
            .owner(owner)
            .subject(subject)
            .brand(brand)
            .environment(environment)
            .pepperId(pepperId)
            .issuedBefore(issuedBefore)
            .unusedSince(unusedSince)
            .neverUsed(neverUsed)
            .liveUntil(lastEnd());
    boolean expiring = expiringBefore != null;
    if (status == null) {
      return expiring ? filter.states(NOT_REVOKED).liveAfter(now) : filter.states(ofAnyStatus);
    }
    switch (status) {
      case ACTIVE -> filter.states(Set.of(State.ACTIVE)).liveAfter(now);
      case ROTATING -> filter.states(Set.of(State.ACTIVE)).liveAfter(now).olderLiveAfter(now);
      case DISABLED -> filter.states(Set.of(State.DISABLED)).liveAfter(expiring ? now : null);
      case REVOKED -> filter.states(Set.of(State.REVOKED));
      default -> filter.states(Set.of(State.ACTIVE)).liveUntil(earlier(now, lastEnd()));
    }
    return filter;
  }

  /** The last millisecond before {@link #expiringBefore}. */
  private @Nullable Instant lastEnd() {
    if (expiringBefore == null || expiringBefore.equals(Instant.EPOCH)) {
      return expiringBefore;
    }
    return expiringBefore.minus(1, ChronoUnit.MILLIS);
  }

  private static Instant earlier(Instant a, @Nullable Instant b) {
    return b == null || a.isBefore(b) ? a : b;
  }
}
