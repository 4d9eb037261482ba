package io.keystile;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a request needs: the scopes a key must have been granted, and what the request costs. Built
 * once, as a constant, and handed to every validation.
 *
 * <pre>{@code
 * static final Access READ = Access.requiring("forecast:read");
 * static final Access EXPORT =
 *     Access.requiring("forecast:read").and(Access.requiringAny("export:csv", "export:json"));
 * }</pre>
 *
 * <p>A scope is 1 to 100 ASCII characters: segments of {@code [A-Za-z0-9._-]+}, joined by {@code
 * :}. It is compared exactly, case included. A key that was granted {@code forecast:*} has every
 * scope below {@code forecast}, at any depth, but not {@code forecast} itself; {@code *} is every
 * scope; a key that was granted {@code forecast} has nothing below it. A wildcard can be granted,
 * not required.
 *
 * <p>Immutable and safe for use by many threads.
 */
public final class Access {

  private static final Access AUTHENTICATED = new Access(new String[0][], false, 1);

  /** Each clause is met by any of its scopes; all clauses must be met. */
  private final String[][] clauses;

  private final boolean callerRequired;
  private final long cost;

  private Access(String[][] clauses, boolean callerRequired, long cost) {
    this.clauses = clauses;
    this.callerRequired = callerRequired;
    this.cost = cost;
  }

  /**
   * Returns the access that any valid key has, whatever its scopes.
   *
   * @return the access without required scopes
   */
  public static Access authenticated() {
    return AUTHENTICATED;
  }

  /**
   * Returns the access of keys that have all of these scopes.
   *
   * @param allOf at least one scope
   * @return the access
   * @throws IllegalArgumentException if there is no scope or one is not valid
   */
  public static Access requiring(String... allOf) {
    requireSome(allOf);
    return new Access(
        Stream.of(allOf)
            .map(scope -> new String[] {Scopes.requireScope(scope)})
            .toArray(String[][]::new),
        false,
        1);
  }

  /**
   * Returns the access of keys that have at least one of these scopes.
   *
   * @param anyOf at least one scope
   * @return the access
   * @throws IllegalArgumentException if there is no scope or one is not valid
   */
  public static Access requiringAny(String... anyOf) {
    requireSome(anyOf);
    String[] clause = Stream.of(anyOf).map(Scopes::requireScope).toArray(String[]::new);
    return new Access(new String[][] {clause}, false, 1);
  }

  private static void requireSome(String[] scopes) {
    if (scopes.length == 0) {
      throw new IllegalArgumentException(
          "No scope given; for none at all there is Access.authenticated()");
    }
  }

  /**
   * Returns the access that needs what both need, and costs what the dearer of them costs.
   *
   * @param other what is needed besides
   * @return the combined access
   */
  public Access and(Access other) {
    return new Access(
        Stream.concat(Stream.of(clauses), Stream.of(other.clauses)).toArray(String[][]::new),
        callerRequired || other.callerRequired,
        Math.max(cost, other.cost));
  }

  /**
   * Returns the access that also needs a caller name, and one that is stored with the key: for
   * calls between services. A key that has caller names stored is held to them in any case.
   *
   * @return the narrower access
   */
  public Access fromNamedCaller() {
    return new Access(clauses, true, cost);
  }

  /**
   * Returns the access whose requests count as so many against the limits of a key. A cost above
   * the limit of one of its windows is always refused.
   *
   * @param cost at least 1, which is what a request costs where nothing is said
   * @return a changed copy
   * @throws IllegalArgumentException if it is below 1
   */
  public Access costing(long cost) {
    if (cost < 1) {
      throw new IllegalArgumentException("cost: must be at least 1, is " + cost);
    }
    return new Access(clauses, callerRequired, cost);
  }

  /**
   * Returns the scopes that are named here, to tell a client what it needs: those of {@link
   * #requiringAny} all among them.
   *
   * @return each scope once, in order; immutable
   */
  public List<String> scopes() {
    return Arrays.stream(clauses).flatMap(Arrays::stream).distinct().toList();
  }

  long cost() {
    return cost;
  }

  boolean isCallerRequired() {
    return callerRequired;
  }

  /** Whether a key with these grants has it. Allocates nothing. */
  boolean permits(GrantedScopes granted) {
    for (String[] clause : clauses) {
      if (!coversAny(granted, clause)) {
        return false;
      }
    }
    return true;
  }

  private static boolean coversAny(GrantedScopes granted, String[] clause) {
    for (String scope : clause) {
      if (granted.covers(scope)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Describes what is needed, for logs.
   *
   * @return for instance {@code Access[forecast:read, export:csv|export:json]}
   */
  @Override
  public String toString() {
    return Arrays.stream(clauses)
        .map(clause -> String.join("|", clause))
        .collect(Collectors.joining(", ", "Access[", "]"));
  }
}
