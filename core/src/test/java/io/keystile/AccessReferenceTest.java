package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Scopes against a naive matcher that splits text into segments. */
class AccessReferenceTest {

  private static final int PAIRS = 2_000_000;

  private static final String[] SEGMENTS = {
    "a", "b", "A", "ab", "a.b", "a-b", "a_b", "orders", "read", "readall", "*", "**", "a*", "", " "
  };

  private interface Matcher {
    boolean permits(List<String> grants, boolean any, List<String> required);
  }

  private record Tally(long pairs, long permitted, long differs) {}

  @Test
  void two_million_pairs() {
    Tally tally = compare(AccessReferenceTest::permits, PAIRS);

    System.out.printf(
        "AccessReferenceTest: %,d pairs, %,d permitted, %d differ%n",
        tally.pairs, tally.permitted, tally.differs);
    assertThat(tally.pairs).isEqualTo(PAIRS);
    assertThat(tally.permitted).isBetween(PAIRS / 20L, PAIRS * 19L / 20);
    assertThat(tally.differs).isZero();
  }

  @Test
  void a_wildcard_that_ignores_the_border_of_segments_is_caught() {
    Matcher twin = (grants, any, required) -> permits(replaced(grants, ":*", "*"), any, required);
    Matcher prefix =
        (grants, any, required) -> {
          for (String grant : grants) {
            boolean wild = isGrant(grant) && grant.endsWith("*");
            String start = wild ? grant.replaceAll(":?\\*$", "") : "";
            if (wild && required.stream().allMatch(scope -> scope.startsWith(start))) {
              return true;
            }
          }
          return permits(grants, any, required);
        };

    assertThat(compare(twin, PAIRS / 10).differs).isPositive();
    assertThat(compare(prefix, PAIRS / 10).differs).isPositive();
  }

  @Test
  void case_folding_is_caught() {
    Matcher twin = (grants, any, required) -> permits(replaced(grants, "A", "a"), any, required);

    assertThat(compare(twin, PAIRS / 10).differs).isPositive();
  }

  @Test
  void any_taken_for_all_is_caught() {
    Matcher twin = (grants, any, required) -> permits(grants, !any, required);

    assertThat(compare(twin, PAIRS / 10).differs).isPositive();
  }

  private static boolean permits(List<String> grants, boolean any, List<String> required) {
    String[] scopes = required.toArray(String[]::new);
    Access access = any ? Access.requiringAny(scopes) : Access.requiring(scopes);
    return access.permits(GrantedScopes.of(grants));
  }

  private static Tally compare(Matcher matcher, int pairs) {
    SplittableRandom random = Seed.of("AccessReferenceTest");
    long permitted = 0;
    long differs = 0;
    for (int i = 0; i < pairs; i++) {
      List<String> grants = texts(random, random.nextInt(4), SEGMENTS.length);
      List<String> required = texts(random, random.nextInt(1, 4), 10);
      boolean any = random.nextBoolean();
      boolean expected = reference(grants, any, required);
      permitted += expected ? 1 : 0;
      differs += matcher.permits(grants, any, required) == expected ? 0 : 1;
    }
    return new Tally(pairs, permitted, differs);
  }

  private static List<String> texts(SplittableRandom random, int count, int segments) {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      StringBuilder text = new StringBuilder(SEGMENTS[random.nextInt(Math.min(segments, 11))]);
      for (int more = random.nextInt(3); more > 0; more--) {
        text.append(':').append(SEGMENTS[random.nextInt(segments)]);
      }
      texts.add(text.toString());
    }
    return texts;
  }

  private static boolean reference(List<String> grants, boolean any, List<String> required) {
    long covered = required.stream().filter(scope -> covers(grants, scope)).count();
    return any ? covered > 0 : covered == required.size();
  }

  private static boolean covers(List<String> grants, String scope) {
    return grants.stream().anyMatch(grant -> covers(grant, scope));
  }

  private static boolean covers(String grant, String scope) {
    if (!isGrant(grant)) {
      return false;
    }
    String[] granted = grant.split(":", -1);
    String[] wanted = scope.split(":", -1);
    boolean wild = granted[granted.length - 1].equals("*");
    int fixed = wild ? granted.length - 1 : granted.length;
    if (wild ? wanted.length <= fixed : wanted.length != fixed) {
      return false;
    }
    for (int i = 0; i < fixed; i++) {
      if (!granted[i].equals(wanted[i])) {
        return false;
      }
    }
    return true;
  }

  private static boolean isGrant(String text) {
    String[] segments = text.split(":", -1);
    for (int i = 0; i < segments.length; i++) {
      boolean last = i == segments.length - 1;
      if (!segments[i].matches("[A-Za-z0-9._-]+") && !(last && segments[i].equals("*"))) {
        return false;
      }
    }
    return text.length() <= 100;
  }

  private static List<String> replaced(List<String> texts, String what, String by) {
    return texts.stream().map(text -> text.replace(what, by)).toList();
  }
}
