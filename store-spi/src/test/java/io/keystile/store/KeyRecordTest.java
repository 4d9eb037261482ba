package io.keystile.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
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
            .limits(List.of(new KeyRecord.Limit("requests", 10, Duration.ofSeconds(1))))
            .adapted(new KeyRecord.Adapted(NOW, 60, "calm"))
            .metadata(Map.of("k", "v"))
            .endsAt(NOW)
            .rotation(new KeyRecord.RotationRule(Duration.ofDays(7), Duration.ofDays(60)))
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
    assertText("adapted.why", 1, 500, (builder, text) -> builder.adapted(adapted(NOW, 1, text)));
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
      nine.add(Samples.version(number * 3, NOW, null, null));
    }
    assertThat(Samples.record().versions(nine.subList(1, 9)).build().newest().number())
        .isEqualTo(27);
    assertRefused("versions", builder -> builder.versions(nine));
    assertRefused(
        "versions: must be in the order",
        builder -> builder.versions(List.of(nine.get(1), nine.get(0))));
    assertRefused(
        "versions: must be in the order",
        builder -> builder.versions(List.of(nine.get(0), nine.get(0))));
  }

  @Test
  void each_version_but_the_newest_has_an_end() {
    for (SecretVersion ended :
        List.of(
            Samples.version(1, NOW, null, null),
            Samples.version(1, null, NOW, null),
            Samples.version(1, null, null, NOW))) {
      assertThat(Samples.record().versions(List.of(ended, Samples.version(2))).build()).isNotNull();
    }
    SecretVersion first = Samples.version(1, NOW, null, null);
    SecretVersion endless = Samples.version(2);
    SecretVersion newest = Samples.version(3, NOW, NOW, NOW);
    for (List<SecretVersion> versions :
        List.of(List.of(endless, newest), List.of(first, endless, newest))) {
      assertRefused(
          "versions: each but the newest must have an end", builder -> builder.versions(versions));
    }
  }

  @Test
  void a_rule_for_rotation_is_in_milliseconds_up_to_a_hundred_years() {
    Duration most = Duration.ofDays(36_500);
    Duration millisecond = Duration.ofMillis(1);
    assertThat(new KeyRecord.RotationRule(Duration.ZERO, null).age()).isNull();
    assertThat(new KeyRecord.RotationRule(most, most).grace()).isEqualTo(most);
    assertThat(new KeyRecord.RotationRule(millisecond, millisecond).age()).isEqualTo(millisecond);

    Duration finer = Duration.ofNanos(1_000_001);
    Duration greatest = Duration.ofSeconds(Long.MAX_VALUE);
    Duration least = Duration.ofSeconds(Long.MIN_VALUE);
    for (Duration refused :
        List.of(millisecond.negated(), finer, most.plusMillis(1), greatest, least)) {
      assertRefusedRule("rotation.grace", refused, millisecond);
      assertRefusedRule("rotation.age", millisecond, refused);
    }
    assertRefusedRule("rotation.age", Duration.ZERO, Duration.ZERO);
  }

  private static void assertRefusedRule(String field, Duration grace, Duration age) {
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> new KeyRecord.RotationRule(grace, age))
        .withMessageStartingWith(field);
  }

  @Test
  void a_limit_is_an_amount_up_to_2_to_the_62_in_a_window_up_to_31_days() {
    Duration least = Duration.ofMillis(100);
    Duration most = Duration.ofDays(31);
    long greatest = 4_611_686_018_427_387_904L;
    assertThat(new KeyRecord.Limit("a", 0, least).window()).isEqualTo(least);
    assertThat(new KeyRecord.Limit("a".repeat(32), greatest, most).amount()).isEqualTo(greatest);
    assertThat(new KeyRecord.Limit("gpu-seconds-2-", 1, least.plusMillis(1))).isNotNull();

    for (long amount : new long[] {Long.MIN_VALUE, -1, greatest + 1, Long.MAX_VALUE}) {
      assertRefusedLimit("limits.amount", "requests", amount, least);
    }
    for (String unit :
        List.of("", "A", "-", "1a", "a b", "a:b", "a/b", "a_b", "é", "a\n", "a".repeat(33))) {
      assertRefusedLimit("limits.unit", unit, 1, least);
    }
    for (Duration window :
        List.of(
            Duration.ZERO,
            least.negated(),
            least.minusMillis(1),
            least.plusNanos(1),
            most.plusMillis(1),
            Duration.ofSeconds(Long.MAX_VALUE),
            Duration.ofSeconds(Long.MIN_VALUE))) {
      assertRefusedLimit("limits.window", "requests", 1, window);
    }
    assertThatNullPointerException().isThrownBy(() -> new KeyRecord.Limit(null, 1, least));
    assertThatNullPointerException().isThrownBy(() -> new KeyRecord.Limit("a", 1, null));
  }

  private static void assertRefusedLimit(String field, String unit, long amount, Duration window) {
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> new KeyRecord.Limit(unit, amount, window))
        .withMessageStartingWith(field);
  }

  @Test
  void limits_are_at_most_20_in_the_order_given_and_differ_in_unit_or_window() {
    List<KeyRecord.Limit> limits = new ArrayList<>();
    for (int i = 20; i > 0; i--) {
      limits.add(new KeyRecord.Limit(i % 2 == 0 ? "even" : "odd", 7, Duration.ofMinutes(i)));
    }
    limits.set(19, new KeyRecord.Limit("even", 7, Duration.ofMinutes(19)));
    assertThat(Samples.record().build().limits()).isEmpty();
    assertThat(Samples.record().limits(limits).build().limits()).containsExactlyElementsOf(limits);

    limits.set(0, new KeyRecord.Limit("even", 8, Duration.ofSeconds(19 * 60)));
    assertRefused("limits: no two may have the same", builder -> builder.limits(limits));
    limits.set(0, new KeyRecord.Limit("other", 8, Duration.ofMinutes(19)));
    limits.add(new KeyRecord.Limit("one-more", 7, Duration.ofMinutes(1)));
    assertRefused("limits: must be at most 20", builder -> builder.limits(limits));
    assertThatNullPointerException()
        .isThrownBy(() -> Samples.record().limits(Collections.singletonList(null)).build());
  }

  private static KeyRecord.Adapted adapted(Instant at, long perMinute, String why) {
    return new KeyRecord.Adapted(at, perMinute, why);
  }

  @Test
  void an_adapted_limit_has_a_time_an_amount_and_a_reason() {
    long greatest = 1L << 62;
    for (long perMinute : new long[] {0, 1, greatest}) {
      KeyRecord.Adapted adapted = adapted(NOW, perMinute, "calm");
      assertThat(Samples.record().adapted(adapted).build().adapted()).isEqualTo(adapted);
    }
    assertThat(Samples.record().build().adapted()).isNull();

    for (long perMinute : new long[] {Long.MIN_VALUE, -1, greatest + 1, Long.MAX_VALUE}) {
      assertRefusedAdapted("adapted.perMinute", NOW, perMinute);
    }
    for (Instant at : List.of(NOW.plusNanos(1), Instant.EPOCH.minusMillis(1), Instant.MAX)) {
      assertRefusedAdapted("adapted.at", at, 1);
    }
    assertThatNullPointerException().isThrownBy(() -> adapted(null, 1, "calm"));
    assertThatNullPointerException().isThrownBy(() -> adapted(NOW, 1, null));
  }

  private static void assertRefusedAdapted(String field, Instant at, long perMinute) {
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> adapted(at, perMinute, "calm"))
        .withMessageStartingWith(field);
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
        from.limits(),
        from.adapted(),
        from.metadata(),
        from.createdAt(),
        from.endsAt(),
        from.rotation(),
        from.revoked(),
        from.versions(),
        from.seal());
  }

  @Test
  void a_record_does_not_change_with_what_it_was_made_from() {
    List<String> scopes = new ArrayList<>(List.of("a"));
    KeyRecord.Limit limit = new KeyRecord.Limit("requests", 10, Duration.ofSeconds(1));
    List<KeyRecord.Limit> limits = new ArrayList<>(List.of(limit));
    Map<String, String> metadata = new HashMap<>(Map.of("k", "v"));
    List<SecretVersion> versions = new ArrayList<>(List.of(Samples.version(1)));
    KeyRecord record =
        Samples.record()
            .scopes(scopes)
            .limits(limits)
            .metadata(metadata)
            .versions(versions)
            .build();

    scopes.add("b");
    limits.clear();
    metadata.put("l", "w");
    versions.add(Samples.version(2));

    assertThat(record.scopes()).containsExactly("a");
    assertThat(record.limits()).containsExactly(limit);
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
  }

  @Test
  void its_older_versions_last_until_the_last_of_them_ends_and_not_after_its_fixed_end() {
    Instant early = NOW.plusMillis(1);
    Instant late = NOW.plusMillis(2);
    SecretVersion endsLate = Samples.version(1, late, null, null);
    SecretVersion endsEarly = Samples.version(2, late, early, null);
    SecretVersion never = Samples.version(3);

    assertOlderUntil(null, List.of(endsEarly), null);
    assertOlderUntil(null, List.of(endsEarly), early);
    assertOlderUntil(early, List.of(endsEarly, never), null);
    assertOlderUntil(late, List.of(endsLate, endsEarly), null);
    assertOlderUntil(late, List.of(endsLate, endsEarly, never), null);
    assertOlderUntil(early, List.of(endsLate, endsEarly, never), early);
    assertOlderUntil(early, List.of(endsEarly, never), late);
  }

  private static void assertOlderUntil(
      Instant expected, List<SecretVersion> versions, Instant endsAt) {
    assertThat(Samples.record().versions(versions).endsAt(endsAt).build().olderUntil())
        .isEqualTo(expected);
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
