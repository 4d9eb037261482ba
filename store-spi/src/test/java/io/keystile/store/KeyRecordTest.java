package io.keystile.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeyRecordTest {
  private static final Instant NOW = Samples.NOW;

  private static void assertRefused(String field, UnaryOperator<KeyRecord.Builder> change) {
    KeyRecord.Builder builder = change.apply(Samples.record());
    assertThatExceptionOfType(IllegalArgumentException.class)
        .as("%s must be refused", field)
        .isThrownBy(builder::build)
        .withMessageStartingWith(field);
  }

  @Test
  void a_plain_record_is_active_at_revision_1_and_never_ends() {
    KeyRecord record = Samples.record().build();

    assertThat(record.revision()).isEqualTo(1);
    assertThat(record.state()).isEqualTo(KeyRecord.State.ACTIVE);
    assertThat(record.kind()).isEqualTo(KeyRecord.Kind.SERVICE);
    assertThat(record.liveUntil()).isNull();
    assertThat(record.newest()).isEqualTo(Samples.version(1));
  }

  @Test
  void to_builder_copies_every_component() {
    KeyRecord full =
        Samples.record()
            .revision(7)
            .personal("user-1")
            .name("name")
            .scopes(List.of("a", "b"))
            .networks(List.of("10.0.0.0/8"))
            .callers(List.of("billing"))
            .plan("pro")
            .metadata(Map.of("k", "v"))
            .endsAt(NOW)
            .revoked(new KeyRecord.Revoked(NOW, RevocationReason.LEAKED, "n", "alice", NOW))
            .seal("s")
            .build();

    assertThat(full.toBuilder().build()).isEqualTo(full).hasSameHashCodeAs(full);
    assertThat(full.toBuilder().name("other").build()).isNotEqualTo(full);
  }

  /** The longest text of each field, in bytes, and the same with one more. */
  @Test
  void text_is_measured_in_bytes_of_utf_8() {
    assertText("owner", 1, 255, KeyRecord.Builder::owner);
    assertText("subject", 1, 255, KeyRecord.Builder::personal);
    assertText("name", 0, 200, KeyRecord.Builder::name);
    assertText("plan", 1, 100, KeyRecord.Builder::plan);
    assertText("seal", 1, 200, KeyRecord.Builder::seal);
    assertText("note", 1, 500, (builder, text) -> builder.revoked(revoked(text, null)));
    assertText("actor", 1, 255, (builder, text) -> builder.revoked(revoked(null, text)));
  }

  private static KeyRecord.Revoked revoked(String note, String by) {
    return new KeyRecord.Revoked(NOW, RevocationReason.UNUSED, note, by, null);
  }

  private static void assertText(
      String field,
      int minBytes,
      int maxBytes,
      BiFunction<KeyRecord.Builder, String, KeyRecord.Builder> set) {
    for (String character : List.of("x", "é", "日", "😀")) {
      String longest = longest(character, maxBytes);
      assertThat(set.apply(Samples.record(), longest).build()).isNotNull();
      assertTextRefused(field, longest + "y", set);
    }
    if (minBytes == 0) {
      assertThat(set.apply(Samples.record(), "").build()).isNotNull();
    } else {
      assertTextRefused(field, "", set);
    }
    Samples.UNSTORABLE.forEach(text -> assertTextRefused(field, text, set));
  }

  private static void assertTextRefused(
      String field, String text, BiFunction<KeyRecord.Builder, String, KeyRecord.Builder> set) {
    assertThatExceptionOfType(IllegalArgumentException.class)
        .as("%s of %d characters must be refused", field, text.length())
        .isThrownBy(() -> set.apply(Samples.record(), text).build())
        .withMessageStartingWith(field)
        .satisfies(e -> assertThat(text.isEmpty() || !e.getMessage().contains(text)).isTrue());
  }

  private static String longest(String character, int bytes) {
    int width = character.getBytes(StandardCharsets.UTF_8).length;
    return character.repeat(bytes / width) + "x".repeat(bytes % width);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0351fcs8Bym6tbejfDMyA",
        "0351fcs8Bym6tbejfDMyAJJ",
        "0351fcs8Bym6tbejfDMyA_",
        "0351fcs8Bym6tbejfDMyA ",
        "0351fcs8Bym6tbejfDMyÁJ",
        "0351fcs8Bym6tbejfDMyA\n"
      })
  void a_key_id_has_22_base62_digits(String id) {
    assertRefused("id", builder -> builder.id(id));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a", "Ab", "1ab", "a-b", "a b", "a2345678901234567", "ab\n", "é2"})
  void brand_and_environment_are_short_lower_case_words(String label) {
    assertRefused("brand", builder -> builder.prefix(label, "live"));
    assertRefused("environment", builder -> builder.prefix("acme", label));
  }

  @Test
  void words_are_printable_ascii_without_blanks() {
    for (String word : List.of("", " ", "a b", "a\t", "é", "\u007f", "w".repeat(101))) {
      assertRefused("scopes", builder -> builder.scopes(List.of("fine", word)));
      assertRefused("networks", builder -> builder.networks(List.of(word)));
      assertRefused("callers", builder -> builder.callers(List.of(word)));
    }
    List<String> hundred = Collections.nCopies(100, "w".repeat(100));
    assertThat(Samples.record().scopes(hundred).build().scopes()).isEqualTo(hundred);
    assertRefused("scopes", builder -> builder.scopes(Collections.nCopies(101, "w")));
  }

  @Test
  void metadata_is_limited_as_a_whole() {
    Map<String, String> largest = Map.of("k", "v".repeat(4096 - 3));
    assertThat(Samples.record().metadata(largest).build().metadata()).isEqualTo(largest);
    assertRefused("metadata", builder -> builder.metadata(Map.of("k", "v".repeat(4096 - 2))));
    assertRefused("metadata", builder -> builder.metadata(Map.of("k", "é".repeat(2047), "l", "m")));
    assertRefused("metadata", builder -> builder.metadata(Map.of("", "no key")));
    for (String text : Samples.UNSTORABLE) {
      assertRefused("metadata", builder -> builder.metadata(Map.of(text, "v")));
      assertRefused("metadata", builder -> builder.metadata(Map.of("k", text)));
    }
  }

  @Test
  void metadata_is_kept_in_the_order_of_its_keys() {
    Map<String, String> unordered = new LinkedHashMap<>();
    unordered.put("b", "2");
    unordered.put("a", "");
    KeyRecord record = Samples.record().metadata(unordered).build();

    assertThat(record.metadata().keySet()).containsExactly("a", "b");
  }

  @Test
  void times_are_whole_milliseconds_from_1970() {
    for (Instant time :
        List.of(NOW.plusNanos(1), NOW.plusNanos(1000), Instant.ofEpochMilli(-1), Instant.MAX)) {
      assertRefused("createdAt", builder -> builder.createdAt(time));
      assertRefused("endsAt", builder -> builder.endsAt(time));
      assertThatExceptionOfType(IllegalArgumentException.class)
          .isThrownBy(() -> new KeyRecord.Revoked(time, RevocationReason.LEAKED, null, null, null));
      assertThatExceptionOfType(IllegalArgumentException.class)
          .isThrownBy(() -> new KeyRecord.Revoked(NOW, RevocationReason.LEAKED, null, null, time));
    }
    assertThat(Samples.record().createdAt(Instant.EPOCH).endsAt(Instant.EPOCH).build()).isNotNull();
  }

  @Test
  void a_revision_begins_with_1() {
    assertRefused("revision", builder -> builder.revision(0));
    assertThat(Samples.record().revision(Long.MAX_VALUE).build().revision())
        .isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void what_makes_a_key_must_be_given() {
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> KeyRecord.builder().build())
        .withMessage("id: must be given");
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> KeyRecord.builder().id(Samples.ID).prefix("acme", "live").build())
        .withMessage("owner: must be given");
    assertRefused("versions", builder -> builder.versions(List.of()));
    assertThatNullPointerException()
        .isThrownBy(() -> Samples.record().scopes(Collections.singletonList(null)).build());
  }

  @Test
  void versions_rise_and_are_at_most_8() {
    List<SecretVersion> nine = new ArrayList<>();
    for (int number = 1; number <= 9; number++) {
      nine.add(Samples.version(number * 3));
    }
    assertThat(Samples.record().versions(nine.subList(1, 9)).build().newest().number())
        .isEqualTo(27);
    assertRefused("versions", builder -> builder.versions(nine));
    assertRefused(
        "versions", builder -> builder.versions(List.of(Samples.version(2), Samples.version(1))));
    assertRefused(
        "versions", builder -> builder.versions(List.of(Samples.version(1), Samples.version(1))));
  }

  @Test
  void subject_and_revocation_go_with_kind_and_state() {
    KeyRecord record = Samples.record().build();
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> copy(record, KeyRecord.Kind.PERSONAL, KeyRecord.State.ACTIVE, null))
        .withMessageStartingWith("subject");
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> copy(record, KeyRecord.Kind.SERVICE, KeyRecord.State.ACTIVE, "user"))
        .withMessageStartingWith("subject");
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> copy(record, KeyRecord.Kind.SERVICE, KeyRecord.State.REVOKED, null))
        .withMessageStartingWith("revoked");
    assertRefused(
        "revoked", builder -> builder.revoked(revoked(null, null)).state(KeyRecord.State.DISABLED));
  }

  private static KeyRecord copy(
      KeyRecord from, KeyRecord.Kind kind, KeyRecord.State state, String subject) {
    return new KeyRecord(
        from.id(),
        from.revision(),
        kind,
        state,
        from.brand(),
        from.environment(),
        from.owner(),
        subject,
        from.name(),
        from.scopes(),
        from.networks(),
        from.callers(),
        from.plan(),
        from.metadata(),
        from.createdAt(),
        from.endsAt(),
        from.revoked(),
        from.versions(),
        from.seal());
  }

  @Test
  void a_record_does_not_change_with_what_it_was_made_from() {
    List<String> scopes = new ArrayList<>(List.of("a"));
    Map<String, String> metadata = new HashMap<>(Map.of("k", "v"));
    List<SecretVersion> versions = new ArrayList<>(List.of(Samples.version(1)));
    KeyRecord record =
        Samples.record().scopes(scopes).metadata(metadata).versions(versions).build();

    scopes.add("b");
    metadata.put("l", "w");
    versions.add(Samples.version(2));

    assertThat(record.scopes()).containsExactly("a");
    assertThat(record.metadata()).containsOnlyKeys("k");
    assertThat(record.versions()).hasSize(1);
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> record.metadata().put("l", "w"));
    assertThatExceptionOfType(UnsupportedOperationException.class)
        .isThrownBy(() -> record.versions().clear());
  }

  @Test
  void it_lives_until_its_last_version_ends_and_not_after_its_fixed_end() {
    Instant early = NOW.plusMillis(1);
    Instant late = NOW.plusMillis(2);
    SecretVersion endsEarly = Samples.version(1, early, null, null);
    SecretVersion endsLate = Samples.version(2, late, null, null);
    SecretVersion endsEarlyToo = Samples.version(3, null, early, null);
    SecretVersion never = Samples.version(4);

    assertLiveUntil(early, List.of(endsEarly), null);
    assertLiveUntil(late, List.of(endsEarly, endsLate), null);
    assertLiveUntil(late, List.of(endsLate, endsEarlyToo), null);
    assertLiveUntil(null, List.of(endsEarly, never), null);
    assertLiveUntil(early, List.of(endsLate), early);
    assertLiveUntil(early, List.of(endsEarly), late);
    assertLiveUntil(late, List.of(endsEarly, never), late);
    SecretVersion neverFirst = Samples.version(1);
    assertLiveUntil(null, List.of(neverFirst, endsLate), null);
  }

  private static void assertLiveUntil(
      Instant expected, List<SecretVersion> versions, Instant endsAt) {
    assertThat(Samples.record().versions(versions).endsAt(endsAt).build().liveUntil())
        .isEqualTo(expected);
  }

  @Test
  void text_of_a_record_holds_no_hash() {
    KeyRecord record = Samples.record().versions(List.of(Samples.version(1))).build();

    assertThat(record.toString()).contains("weather-app").doesNotContain(Samples.HASH);
  }
}
