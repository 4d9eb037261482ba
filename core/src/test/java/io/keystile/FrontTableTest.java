package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.KeyRecord;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FrontTableTest {

  @Test
  void what_was_put_last_is_found_and_no_other_id() {
    FrontTable table = new FrontTable(1_000);
    CachedKey key = key(1);
    CachedKey again = key(1);

    assertThat(get(table, key)).isNull();
    table.put(key);
    assertThat(get(table, key)).isSameAs(key);
    assertThat(table.get(key.idHigh, key.idLow + 1)).isNull();
    assertThat(table.get(key.idHigh + 1, key.idLow)).isNull();
    table.put(again);
    assertThat(get(table, key)).isSameAs(again);
  }

  @Test
  void a_dead_key_is_never_found_whenever_it_was_put() {
    FrontTable table = new FrontTable(1_000);
    CachedKey key = key(1);
    table.put(key);

    key.kill();
    assertThat(get(table, key)).isNull();
    table.remove(key);
    table.put(key); // by a thread that took it from the cache a while ago
    assertThat(get(table, key)).isNull();
  }

  @Test
  void to_remove_a_key_leaves_its_successor() {
    FrontTable table = new FrontTable(1);
    CachedKey key = key(1);
    CachedKey successor = key(1);
    table.put(key);
    table.put(successor);

    table.remove(key);
    assertThat(get(table, key)).isSameAs(successor);
  }

  /** So that a table of the stated size seldom sends anybody to the cache. */
  @Test
  void most_keys_keep_their_places_and_all_fit_in_the_smallest_table() {
    int count = 10_000;
    FrontTable table = new FrontTable(count);
    List<CachedKey> keys = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      keys.add(key(i));
      table.put(keys.get(i));
    }
    long found = keys.stream().filter(key -> get(table, key) != null).count();
    assertThat(found).isGreaterThan(count * 85L / 100);

    FrontTable smallest = new FrontTable(1);
    keys.forEach(smallest::put);
    assertThat(get(smallest, keys.get(count - 1))).isSameAs(keys.get(count - 1));
  }

  private static CachedKey key(int number) {
    return SampleKeys.cached(SampleKeys.id(number), KeyRecord.State.ACTIVE);
  }

  private static CachedKey get(FrontTable table, CachedKey key) {
    return table.get(key.idHigh, key.idLow);
  }
}
