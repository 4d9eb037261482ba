package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.AuditEntry;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import io.keystile.store.WriteOutcome;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Text must come back as it was written, and none may be taken for another. */
abstract class TextRules extends ValueRules {
  @Test
  void g2_hostile_text_comes_back_byte_for_byte() {
    List<String> texts = Texts.hostile();
    List<KeyWrite> writes = texts.stream().map(this::withText).toList();
    int fields = 14;
    assertThat(texts.size() * fields).as("hostile values tried").isGreaterThan(2000);

    assertWrittenAndReadBack(writes);

    // A replacement goes another way through most stores
    List<KeyWrite> changes = new ArrayList<>();
    for (int i = 0; i < writes.size(); i += 4) {
      KeyRecord old = writes.get(i).record();
      KeyRecord donor = writes.get((i + 1) % writes.size()).record();
      KeyRecord next = donor.toBuilder().id(old.id()).owner(old.owner()).revision(2).build();
      changes.add(sample.write(next));
    }
    for (KeyWrite change : changes) {
      assertThat(store.replace(change)).isEqualTo(WriteOutcome.APPLIED);
      Differences.assertNone(
          "G2: load after replace" + AS_WRITTEN, loaded(change.record().id()), change.record());
    }
  }

  /** One text in every place that takes it. Names are unique, so owner and operation id too. */
  private KeyWrite withText(String text) {
    String id = sample.id();
    String note = Texts.cut(text, 500);
    SecretVersion version =
        new SecretVersion(
            1,
            "hmac-sha256",
            "pepper_1",
            Sample.hash(),
            Texts.cut(text, 16),
            Sample.NOW,
            text,
            note,
            null,
            null,
            null);
    KeyRecord record =
        KeyRecord.builder()
            .id(id)
            .personal(text)
            .prefix("acme", "live")
            .owner(id + text)
            .name(text)
            .plan(Texts.cut(text, 100))
            .adapted(new KeyRecord.Adapted(Sample.NOW, 0, note))
            .metadata(Map.of(text, text, "of " + text, "", "plain", text))
            .createdAt(Sample.NOW)
            .revoked(new KeyRecord.Revoked(Sample.NOW, RevocationReason.UNUSED, note, text, null))
            .versions(List.of(version))
            .seal(text)
            .build();
    AuditEntry entry =
        new AuditEntry(
            0,
            text + id,
            "issue",
            id,
            record.owner(),
            null,
            Sample.NOW,
            text,
            Texts.cut(text, 40),
            note,
            KeyRecord.State.DISABLED,
            null);
    return new KeyWrite(record, entry);
  }

  @Test
  void g2_text_of_the_greatest_length_comes_back() {
    List<KeyWrite> writes = new ArrayList<>();
    for (String character : List.of("x", "\u00e9", "\u65e5", "\ud83d\ude00", " ", "%", "'")) {
      writes.add(longest(character));
    }
    assertWrittenAndReadBack(writes);
  }

  private KeyWrite longest(String character) {
    String id = sample.id();
    String name = Texts.fill(character, 255);
    String note = Texts.fill(character, 500);
    List<SecretVersion> versions = new ArrayList<>();
    for (int number = 1; number <= 8; number++) {
      versions.add(
          new SecretVersion(
              Integer.MAX_VALUE - 8 + number,
              "s".repeat(40),
              "p".repeat(40),
              Sample.hash(),
              Texts.fill(character, 16),
              Sample.NOW,
              name,
              note,
              Sample.NOW,
              Sample.NOW,
              Sample.NOW));
    }
    List<String> words = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      words.add(String.format("%03d", i) + "w".repeat(97));
    }
    KeyRecord record =
        KeyRecord.builder()
            .id(id)
            .personal(name)
            .prefix("a234567890123456", "z234567890123456")
            .owner(id + Texts.fill(character, 255 - id.length()))
            .name(Texts.fill(character, 200))
            .scopes(words)
            .networks(words)
            .callers(words)
            .plan(Texts.fill(character, 100))
            .adapted(new KeyRecord.Adapted(Sample.NOW, 1L << 62, note))
            .metadata(
                Map.of(
                    Texts.fill(character, 2000), Texts.fill(character, 2000), "k", "v".repeat(91)))
            .createdAt(Sample.NOW)
            .revoked(new KeyRecord.Revoked(Sample.NOW, RevocationReason.LEAKED, note, name, null))
            .versions(versions)
            .seal(Texts.fill(character, 200))
            .build();
    AuditEntry entry =
        new AuditEntry(
            0,
            id + Texts.fill(character, 255 - id.length()),
            "a".repeat(40),
            id,
            record.owner(),
            Integer.MAX_VALUE,
            Sample.NOW,
            name,
            Texts.fill(character, 40),
            note,
            null,
            KeyRecord.State.REVOKED);
    return new KeyWrite(record, entry);
  }

  @Test
  void g2_empty_and_missing_values_come_back_as_they_were() {
    KeyRecord empty =
        sample
            .record()
            .name("")
            .metadata(Map.of("empty", ""))
            .versions(
                List.of(
                    new SecretVersion(
                        1, "s", null, Sample.hash(), "", Sample.NOW, null, null, null, null, null)))
            .build();
    KeyRecord words = sample.record().scopes(List.of("%", "\"", "'", "\\", ",", "a&b=c")).build();
    KeyRecord many = sample.record().metadata(manyEntries()).build();
    assertWrittenAndReadBack(sample.writes(List.of(empty, words, many)));
  }

  private static Map<String, String> manyEntries() {
    Map<String, String> metadata = new HashMap<>();
    for (int i = 0; i < 200; i++) {
      metadata.put("key " + i, i % 2 == 0 ? "" : "=&+% " + i);
    }
    return metadata;
  }

  @Test
  void g3_owners_that_look_alike_are_different_owners() {
    List<String> owners = Texts.lookalikes(sample.name("o"));
    assertThat(owners.size() * (owners.size() - 1) / 2)
        .as("pairs of owners that look alike")
        .isGreaterThan(2000);
    List<KeyRecord> records = new ArrayList<>();
    for (String owner : owners) {
      records.add(sample.record(owner).build());
    }
    Collections.reverse(records);
    given(records);

    int crossReads = 0;
    for (KeyRecord record : records) {
      if (!listed(ofOwner(record.owner())).equals(List.of(record))) {
        crossReads++;
      }
      if (trail(record.owner()).size() != 1) {
        crossReads++;
      }
    }
    assertThat(crossReads)
        .as(
            "G3: owners that differ only in case, accent, blank or emoji are different: cross-reads")
        .isZero();
  }

  @Test
  void g3_subjects_that_look_alike_are_different_subjects() {
    List<KeyRecord> records = new ArrayList<>();
    for (String subject : Texts.lookalikes(sample.name("s"))) {
      records.add(sample.record().personal(subject).build());
    }
    given(records);

    for (KeyRecord record : records) {
      assertThat(listed(KeyFilter.builder().subject(record.subject()).build()))
          .as("G3: subjects that differ only in case, accent, blank or emoji are different")
          .containsExactly(record);
    }
  }

  @Test
  void g3_operation_ids_that_look_alike_are_different_operations() {
    List<KeyWrite> writes = new ArrayList<>();
    for (String operationId : Texts.lookalikes(sample.name("op"))) {
      writes.add(sample.write(sample.record().build(), operationId));
    }

    assertThat(store.insert(writes, NO_MAXIMUM))
        .as("G3: operation ids that differ only in case, accent, blank or emoji are different")
        .isEqualTo(WriteOutcome.APPLIED);
    for (KeyWrite write : writes) {
      assertThat(withoutNumbers(trailOfOperation(write.entry().operationId())))
          .as("G3: operation ids must be compared byte for byte")
          .containsExactly(write.entry());
    }
  }

  @Test
  void g3_the_maximum_of_an_owner_does_not_count_the_keys_of_one_that_looks_alike() {
    for (String owner : Texts.lookalikes(sample.name("o")).subList(0, 24)) {
      KeyRecord record = sample.record(owner).build();
      assertThat(store.insert(List.of(sample.write(record)), 1))
          .as("G3: keys of an owner that looks alike must not count")
          .isEqualTo(WriteOutcome.APPLIED);
    }
  }

  @Test
  void g3_key_ids_that_differ_only_in_case_are_different_keys() {
    KeyRecord upper = sample.record().id(sample.id("KEY")).build();
    KeyRecord lower = sample.record().id(sample.id("key")).build();

    given(List.of(upper));
    assertThat(other.load(lower.id())).as("G3: key ids must be compared by byte").isEmpty();
    given(List.of(lower));

    store.recordUse(List.of(used(lower, 1, 1, 1)));
    assertThat(other.load(upper.id())).contains(upper);
    assertThat(other.find(upper.id())).contains(new StoredKey(upper, List.of()));
    assertThat(other.find(lower.id()).map(StoredKey::record)).contains(lower);
    assertThat(trailOfKey(upper.id())).hasSize(1);
  }

  @Test
  void g3_hostile_text_finds_nothing() {
    given(sample.record());
    for (String text : Texts.HOSTILE) {
      assertThat(listed(ofOwner(text))).as("G3: no owner is called so").isEmpty();
      assertThat(trailOfOperation(text)).as("G3: no operation id is like this").isEmpty();
    }
  }

  @Test
  void g3_text_that_nobody_can_store_finds_nothing() {
    given(sample.record());
    for (String text : List.of("\0", "a\0b", "\ud800", "\udc00x", "x".repeat(5000))) {
      assertThat(other.find(text)).as("G3: no key id is like this").isEmpty();
      assertThat(other.load(text)).as("G3: no key id is like this").isEmpty();
      assertThat(listed(ofOwner(text))).as("G3: no owner is called so").isEmpty();
      assertThat(listed(KeyFilter.builder().subject(text).brand(text).build())).isEmpty();
      assertThat(trail(text)).as("G3: no owner is called so").isEmpty();
      assertThat(trailOfKey(text)).as("G3: no key id is like this").isEmpty();
      assertThat(trailOfOperation(text)).as("G3: no operation id is like this").isEmpty();
    }
  }
}
