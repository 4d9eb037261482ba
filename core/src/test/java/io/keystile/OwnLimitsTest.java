package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.tuple;

import io.keystile.limit.Decision;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Limits that are in the record of a key. Time is the test's. */
class OwnLimitsTest {
  private static final KeySpec SPEC = KeySpec.forOwner("owner").plan("free");

  private final Nodes nodes = new Nodes(new InMemoryKeyStore());
  private final ApiKeys keys = nodes.node();
  private final Plan own =
      Plan.of("special", Window.perMinute(3), new Window(2, Duration.ofMillis(1_500)))
          .quota("bytes", Window.perDay(1L << 40));

  @AfterEach
  void close() {
    nodes.close();
  }

  private Plan stored(IssuedKey key) {
    return keys.find(key.id()).orElseThrow().limits();
  }

  @Test
  void they_replace_all_windows_of_the_plan() {
    IssuedKey key = keys.issue(SPEC.limits(own));

    assertThat(Uses.limits(keys, key.revealToken()).windows())
        .extracting(Decision.Standing::unit, Decision.Standing::window)
        .containsExactly(
            tuple("requests", Window.perMinute(3)),
            tuple("requests", new Window(2, Duration.ofMillis(1_500))),
            tuple("bytes", Window.perDay(1L << 40)));
    assertThat(Uses.accepted(keys, key, 10)).isEqualTo(2);
    nodes.time.advance(Duration.ofMillis(1_501));
    assertThat(Uses.accepted(keys, key, 10)).isEqualTo(1);
    assertThat(stored(key).windows()).isEqualTo(own.windows());
    assertThat(stored(key).units()).containsExactly("bytes");
    assertThat(stored(key).windows("bytes")).isEqualTo(own.windows("bytes"));
    assertThat(key.details().key().plan()).isEqualTo("free");
  }

  @Test
  void a_key_without_any_has_those_of_its_plan() {
    IssuedKey key = keys.issue(SPEC);

    assertThat(stored(key)).isNull();
    assertThat(Uses.windows(keys, key)).isEqualTo(Plan.free().windows());
  }

  @Test
  void requests_that_they_do_not_limit_are_not_limited() {
    Plan bytesAlone = Plan.of("bytes").quota("bytes", Window.perDay(1_000));
    IssuedKey key = keys.issue(SPEC.limits(bytesAlone));

    assertThat(Uses.accepted(keys, key, 1_000)).isEqualTo(1_000);
  }

  @Test
  void they_are_counted_for_the_key_alone() {
    IssuedKey one = keys.issue(SPEC.limits(Uses.perMinute("x", 3).perOwner()));
    IssuedKey other = keys.issue(SPEC.limits(Uses.perMinute("x", 3).perOwner()));

    assertThat(Uses.accepted(keys, one, 10)).isEqualTo(3);
    assertThat(Uses.accepted(keys, other, 10)).isEqualTo(3);
    assertThat(stored(one).isPerOwner()).isFalse();
  }

  @Test
  void they_are_set_changed_and_taken_away_and_what_was_used_counts_on() {
    IssuedKey key = keys.issue(SPEC);
    assertThat(Uses.accepted(keys, key, 4)).isEqualTo(4);

    keys.update(key.id(), KeyUpdate.of().limits(Uses.perMinute("x", 6)));
    assertThat(Uses.used(keys, key)).isEqualTo(4);
    assertThat(Uses.accepted(keys, key, 10)).isEqualTo(2);

    keys.update(key.id(), KeyUpdate.of().limits(Uses.perMinute("x", 2)));
    assertThat(Uses.limits(keys, key.revealToken()).windows())
        .singleElement()
        .satisfies(window -> assertThat(window.used()).isEqualTo(6))
        .satisfies(window -> assertThat(window.remaining()).isZero());
    assertThat(Uses.accepted(keys, key, 10)).isZero();

    keys.update(key.id(), KeyUpdate.of().usualLimits());
    assertThat(stored(key)).isNull();
    assertThat(Uses.windows(keys, key)).isEqualTo(Plan.free().windows());
    assertThat(Uses.accepted(keys, key, 10)).as("of ten a second six were used").isEqualTo(4);
  }

  @Test
  void another_node_sees_them_with_its_next_poll() {
    IssuedKey key = keys.issue(SPEC);
    ApiKeys other = nodes.node();
    assertThat(Uses.windows(other, key)).isEqualTo(Plan.free().windows());

    keys.update(key.id(), KeyUpdate.of().limits(Uses.perMinute("x", 2)));
    assertThat(Uses.windows(keys, key)).containsExactly(Window.perMinute(2));
    assertThat(Uses.windows(other, key)).as("not yet").isEqualTo(Plan.free().windows());

    other.poll();
    assertThat(Uses.windows(other, key)).containsExactly(Window.perMinute(2));
    assertThat(Uses.accepted(other, key, 10)).isEqualTo(2);
  }

  @Test
  void another_update_leaves_them_alone() {
    IssuedKey key = keys.issue(SPEC.limits(own));
    keys.update(key.id(), KeyUpdate.of().name("renamed").plan("pro"));
    keys.rotate(key.id(), Rotation.usual());

    assertThat(stored(key).windows()).isEqualTo(own.windows());
  }

  @Test
  void there_is_at_least_one_and_at_most_twenty() {
    Plan twenty = ofWindows(20);
    Plan more = ofWindows(21);
    IssuedKey key = keys.issue(SPEC.limits(twenty));

    assertThat(stored(key).windows()).isEqualTo(twenty.windows());
    for (Plan refused : List.of(Plan.unlimited(), more)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> SPEC.limits(refused))
          .withMessageStartingWith("limits:");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> KeyUpdate.of().limits(refused))
          .withMessageStartingWith("limits:");
    }
  }

  private static Plan ofWindows(int count) {
    return Plan.of(
        "many",
        IntStream.rangeClosed(1, count)
            .mapToObj(i -> new Window(i, Duration.ofSeconds(i)))
            .toArray(Window[]::new));
  }

  @Test
  void an_owner_cannot_set_them() {
    OwnerKeys mine = keys.forOwner("owner").plans("free", "unlimited");

    assertThatExceptionOfType(KeyException.class)
        .isThrownBy(() -> mine.issue(SPEC.limits(Uses.perMinute("x", 1_000_000))))
        .satisfies(
            refused -> assertThat(refused.failure()).isEqualTo(KeyException.Failure.NOT_PERMITTED));
    assertThat(mine.list(KeyQuery.all()).keys()).isEmpty();
    assertThat(Uses.windows(keys, mine.issue(SPEC))).isEqualTo(Plan.free().windows());
  }

  @Test
  void a_key_that_was_issued_elsewhere_may_have_some_too() {
    ApiKeys node = nodes.node(b -> b.importedKeys(Tokens.secret("i1", 7)));
    KeyImport row = KeyImport.ofToken("old-token-1", SPEC.limits(Uses.perMinute("x", 2)));
    node.importKeys(List.of(row).iterator(), progress -> {});

    assertThat(Uses.accepted(node, "old-token-1", 10)).isEqualTo(2);
  }
}
