package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.Purge;
import io.keystile.store.StoredKey;
import io.keystile.store.WriteOutcome;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;

/** What the tests of all rules share: two nodes, values for one test, and short ways to read. */
abstract class Rules {
  static final int NO_MAXIMUM = Integer.MAX_VALUE;

  final Sample sample = new Sample();

  /** One node. */
  KeyStore store;

  /** Another node on the same data. */
  KeyStore other;

  abstract KeyStore store();

  @BeforeEach
  final void open() {
    store = store();
    other = store();
  }

  final WriteOutcome insert(KeyRecord record) {
    return store.insert(List.of(sample.write(record)), NO_MAXIMUM);
  }

  /** Stores records, so that a test can begin. */
  final void given(List<KeyRecord> records) {
    assertThat(store.insert(sample.writes(records), NO_MAXIMUM)).isEqualTo(WriteOutcome.APPLIED);
  }

  final KeyRecord given(KeyRecord record) {
    given(List.of(record));
    return record;
  }

  final KeyRecord given(KeyRecord.Builder record) {
    return given(record.build());
  }

  final KeyRecord givenNext(KeyRecord record) {
    KeyRecord next = sample.next(record);
    assertThat(store.replace(sample.write(next))).isEqualTo(WriteOutcome.APPLIED);
    return next;
  }

  final Purge.Result purge(KeyWrite... removals) {
    return store.purge(new Purge(List.of(removals), null, null, 1));
  }

  /** The records on all pages, as another node lists them. */
  final List<KeyRecord> listed(KeyFilter filter) {
    return listed(filter, 1000).stream().map(StoredKey::record).toList();
  }

  final List<StoredKey> listed(KeyFilter filter, int limit) {
    List<StoredKey> all = new ArrayList<>();
    List<StoredKey> page;
    String after = null;
    do {
      page = other.list(filter, after, limit);
      assertThat(page).as("Q1: a page must not be longer than its limit").hasSizeBetween(0, limit);
      all.addAll(page);
      after = page.isEmpty() ? null : page.get(page.size() - 1).record().id();
    } while (page.size() == limit);
    return all;
  }

  static KeyFilter ofOwner(String owner) {
    return KeyFilter.builder().owner(owner).build();
  }

  /** The entries of one owner's keys, as another node reads them. */
  final List<AuditEntry> trail(String owner) {
    return other.audit(AuditFilter.ofOwner(owner), 0, 1000);
  }

  final List<AuditEntry> trailOfKey(String keyId) {
    return other.audit(AuditFilter.ofKey(keyId), 0, 1000);
  }

  final List<AuditEntry> trailOfOperation(String operationId) {
    return other.audit(new AuditFilter(null, null, operationId, null, null), 0, 1000);
  }

  static List<AuditEntry> withoutNumbers(List<AuditEntry> entries) {
    return entries.stream().map(entry -> entry.numbered(0)).toList();
  }
}
