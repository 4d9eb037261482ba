package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.UsageStore;
import io.keystile.store.UsageStore.Filter;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** What is read of tallies, page by page. */
abstract class TallyPageRules extends TallyRules {
  /** The order that the interface states; key ids and metrics are ASCII. */
  static final Comparator<Tally> ORDER =
      Comparator.comparing((Tally tally) -> tally.subject().keyId())
          .thenComparing(Tally::start)
          .thenComparing(
              tally -> tally.subject().plan(), Comparator.nullsFirst(TallyPageRules::byBytes))
          .thenComparing(Tally::metric)
          .thenComparing(Tally::label, TallyPageRules::byBytes);

  private static int byBytes(String a, String b) {
    return Arrays.compareUnsigned(
        a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
  }

  /** All pages, as another node reads them. */
  final List<Tally> read(Filter filter, int limit) {
    List<Tally> all = new ArrayList<>();
    List<Tally> page;
    Tally after = null;
    do {
      page = other.tallies(filter, after, limit);
      assertThat(page).as("B8: a page must not be longer than its limit").hasSizeBetween(0, limit);
      all.addAll(page);
      after = page.isEmpty() ? null : page.get(page.size() - 1);
    } while (page.size() == limit);
    return all;
  }

  /** Each combination of some values that sort in a way of their own. */
  private List<Tally> combinations() {
    List<Tally> tallies = new ArrayList<>();
    List<String> texts =
        List.of("\u0001", " ", "A", "A ", "B", "a", "aa", "\u00e9", "\uffff", "\ud83d\ude00");
    for (int key = 0; key < 2; key++) {
      String keyId = sample.id();
      String owner = sample.name("owner");
      for (int hours = 0; hours < 2; hours++) {
        Instant start = hour.plus(Duration.ofHours(hours * 7L));
        for (int plan = -1; plan < texts.size(); plan += 3) {
          Subject subject = new Subject(keyId, owner, plan < 0 ? null : texts.get(plan));
          for (String metric : List.of("a", "a-", "a0", "aa", "b")) {
            for (String label : texts) {
              tallies.add(new Tally(subject, Period.HOUR, start, metric, label, tallies.size()));
            }
          }
        }
      }
    }
    return tallies;
  }

  @Test
  void b8_pages_of_any_size_hold_all_tallies_in_byte_order() {
    List<Tally> tallies = combinations();
    assertThat(tallies).hasSize(800);
    given(shuffled(tallies));
    List<Tally> sorted = new ArrayList<>(tallies);
    sorted.sort(ORDER);

    Filter filter =
        new Filter(Period.HOUR, hour, hour.plus(Duration.ofDays(1)), null, null, null, Set.of());
    for (int limit : new int[] {1, 7, 100, 799, 800, 801, 10_000}) {
      assertThat(read(filter, limit))
          .as("B8: pages of %d must hold each tally once, in byte order", limit)
          .isEqualTo(sorted);
    }
  }

  @Test
  void b8_a_page_begins_after_any_tally_stored_or_not() {
    List<Tally> tallies = combinations();
    given(tallies);
    tallies.sort(ORDER);
    Filter filter =
        new Filter(Period.HOUR, hour, hour.plus(Duration.ofDays(1)), null, null, null, Set.of());
    for (int i = 0; i < tallies.size(); i += 7) {
      Tally near = tallies.get(i);
      String label = near.label() + "x";
      Tally after = new Tally(near.subject(), near.period(), near.start(), near.metric(), label, 0);
      List<Tally> rest = tallies.stream().filter(t -> ORDER.compare(t, after) > 0).toList();
      assertThat(other.tallies(filter, after, 3))
          .as("B8: a page must begin after the given tally, also if it is not stored")
          .isEqualTo(rest.subList(0, Math.min(3, rest.size())));
    }
    Subject before = new Subject(sample.beforeAll(), "owner", null);
    assertThat(other.tallies(filter, tally(before, 0), 1)).isEqualTo(tallies.subList(0, 1));
    Subject last = new Subject(sample.id("zzz"), "owner", null);
    assertThat(other.tallies(filter, tally(last, 0), 1)).isEmpty();
  }

  @Test
  void b8_a_page_holds_what_matches_all_conditions_and_nothing_else() {
    List<Tally> tallies = new ArrayList<>();
    String owner = sample.name("owner");
    for (int key = 0; key < 3; key++) {
      String keyId = sample.id();
      String ofKey = key == 0 ? sample.name("owner") : owner;
      for (String plan : Arrays.asList(null, "free", "pro")) {
        for (int hours : new int[] {-24, -1, 0, 1, 23, 24}) {
          for (Period period : Period.values()) {
            Instant start = hour.plus(Duration.ofHours(hours));
            for (String metric : List.of("requests", "bytes", "max-a")) {
              if (period.startOf(start).equals(start)) {
                Subject subject = new Subject(keyId, ofKey, plan);
                tallies.add(new Tally(subject, period, start, metric, "all", tallies.size() + 1L));
              }
            }
          }
        }
      }
    }
    given(shuffled(tallies));
    int checked = 0;
    for (Filter filter : filters(tallies.get(tallies.size() - 1).subject().keyId(), owner)) {
      List<Tally> expected =
          tallies.stream().filter(tally -> matches(tally, filter)).sorted(ORDER).toList();
      assertThat(read(filter, 100))
          .as("B8: a page must hold what matches all of the conditions: %s", filter)
          .isEqualTo(expected);
      checked += expected.isEmpty() ? 0 : 1;
    }
    assertThat(checked).as("filters that something matches").isGreaterThan(100);
  }

  private List<Filter> filters(String keyId, String owner) {
    Instant from = hour.minus(Duration.ofDays(1));
    Instant until = hour.plus(Duration.ofDays(2));
    List<Filter> filters = new ArrayList<>();
    for (Period period : Period.values()) {
      for (String key : Arrays.asList(null, keyId)) {
        for (String of : Arrays.asList(null, owner, "nobody")) {
          for (String plan : Arrays.asList(null, "pro", "Pro")) {
            for (Set<String> metrics :
                List.of(Set.<String>of(), Set.of("bytes"), Set.of("max-a", "requests", "none"))) {
              filters.add(new Filter(period, from, until, key, of, plan, metrics));
              filters.add(new Filter(period, hour, until, key, of, plan, metrics));
              filters.add(new Filter(period, from, hour, key, of, plan, metrics));
              filters.add(new Filter(period, hour, hour.plusMillis(1), key, of, plan, metrics));
              filters.add(new Filter(period, hour.plusMillis(1), until, key, of, plan, metrics));
            }
          }
        }
      }
      filters.add(new Filter(period, until, from, keyId, null, null, Set.of()));
    }
    return filters;
  }

  private static boolean matches(Tally tally, Filter filter) {
    List<Predicate<Tally>> conditions = new ArrayList<>();
    conditions.add(t -> t.period() == filter.period());
    conditions.add(t -> t.start().compareTo(filter.from()) >= 0);
    conditions.add(t -> t.start().compareTo(filter.until()) < 0);
    conditions.add(t -> filter.keyId() == null || t.subject().keyId().equals(filter.keyId()));
    conditions.add(t -> filter.owner() == null || t.subject().owner().equals(filter.owner()));
    conditions.add(t -> filter.plan() == null || filter.plan().equals(t.subject().plan()));
    conditions.add(t -> filter.metrics().isEmpty() || filter.metrics().contains(t.metric()));
    return conditions.stream().allMatch(condition -> condition.test(tally));
  }

  @Test
  void b8_what_is_added_between_two_pages_moves_nothing() {
    String owner = sample.name("owner");
    List<Tally> tallies = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      tallies.add(tally(new Subject(sample.id(String.format("%03d", 500 + i)), owner, null), 1));
    }
    given(tallies);
    Filter filter = new Filter(Period.HOUR, BEGIN, END, null, owner, null, Set.of());
    List<Tally> read = new ArrayList<>();
    for (int i = 0; i < tallies.size(); i += 5) {
      read.addAll(other.tallies(filter, i == 0 ? null : read.get(i - 1), 5));
      String before = sample.id(String.format("%03d", 400 + i));
      given(tally(new Subject(before, owner, null), 1));
    }
    assertThat(read)
        .as("B8: what is added before the place of the reader must move nothing")
        .isEqualTo(tallies);
  }

  @Test
  void b9_each_call_sees_what_was_added_before_it() {
    Subject subject = subject();
    for (int i = 1; i <= 10; i++) {
      given(List.of(tally(subject, 1), tally(subject, "requests", "label " + i, 1)));
      for (UsageStore node : List.of(other, store)) {
        List<Tally> expected = new ArrayList<>();
        expected.add(tally(subject, i));
        for (int label = 1; label <= i; label++) {
          expected.add(tally(subject, "requests", "label " + label, 1));
        }
        assertThat(Set.copyOf(node.tallies(ofKey(subject), null, 100)))
            .as("B9: call %d must see what was added before it, no earlier snapshot", i)
            .isEqualTo(Set.copyOf(expected));
      }
    }
    assertThat(Collections.frequency(stored(subject), tally(subject, 10))).isEqualTo(1);
  }
}
