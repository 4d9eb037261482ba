package io.keystile;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What a key was granted, compiled when its record is loaded. Asking it allocates nothing. */
final class GrantedScopes {

  private final Set<String> exact;

  /** The wildcards without their {@code *}: each covers what begins with it. */
  private final String[] prefixes;

  private GrantedScopes(Set<String> exact, String[] prefixes) {
    this.exact = exact;
    this.prefixes = prefixes;
  }

  /** Compiles grants, see {@link Scopes}. What is not a grant grants nothing. */
  static GrantedScopes of(Collection<String> grants) {
    Set<String> exact = new HashSet<>();
    List<String> prefixes = new ArrayList<>();
    for (String grant : grants) {
      if (!Scopes.isGrant(grant)) {
        continue;
      }
      exact.add(grant);
      if (Scopes.isWildcard(grant)) {
        prefixes.add(grant.substring(0, grant.length() - 1));
      }
    }
    return new GrantedScopes(Set.copyOf(exact), prefixes.toArray(String[]::new));
  }

  /** Whether the grants cover this scope, or all that this grant covers. The text must be valid. */
  boolean covers(String scopeOrGrant) {
    if (exact.contains(scopeOrGrant)) {
      return true;
    }
    for (String prefix : prefixes) {
      if (scopeOrGrant.startsWith(prefix)) {
        return true;
      }
    }
    return false;
  }
}
