package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.KeyRecord;
import io.keystile.store.SecretVersion;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the audit entry of a change says about secret versions. */
class OperationTest {
  private static final Instant NOW = SampleKeys.CREATED;

  private final Operation operation = Operation.of("test", Cause.unstated(), null, null);

  @Test
  void an_entry_names_the_newest_version_that_was_made_or_changed() {
    SecretVersion first = version(1, null);
    SecretVersion retired = version(1, NOW.plusMillis(1));
    SecretVersion second = version(2, null);
    SecretVersion secondRetired = version(2, NOW.plusMillis(1));
    SecretVersion third = version(3, null);

    assertVersion(1, null, List.of(first));
    assertVersion(3, null, List.of(retired, secondRetired, third));
    assertVersion(2, List.of(first), List.of(retired, second));
    assertVersion(1, List.of(first), List.of(retired));
    assertVersion(2, List.of(retired, second), List.of(retired, secondRetired));
    assertVersion(
        1, List.of(retired, secondRetired, third), List.of(version(1, NOW), secondRetired, third));
    assertVersion(3, List.of(retired, second), List.of(secondRetired, third));
  }

  @Test
  void an_entry_names_no_version_if_all_that_are_left_are_as_they_were() {
    SecretVersion first = version(1, NOW);
    SecretVersion second = version(2, NOW);

    assertVersion(null, List.of(first), List.of(first));
    assertVersion(null, List.of(first, second), List.of(second));
    assertThat(operation.removal(record(List.of(first)), NOW).entry().secretVersion()).isNull();
  }

  private void assertVersion(
      @Nullable Integer expected, @Nullable List<SecretVersion> before, List<SecretVersion> after) {
    KeyRecord earlier = before == null ? null : record(before);
    assertThat(operation.write(earlier, record(after), NOW).entry().secretVersion())
        .isEqualTo(expected);
  }

  private static KeyRecord record(List<SecretVersion> versions) {
    KeyRecord sample = SampleKeys.record(SampleKeys.id(1), KeyRecord.State.ACTIVE);
    return sample.toBuilder().versions(versions).build();
  }

  private static SecretVersion version(int number, @Nullable Instant retiresAt) {
    return new SecretVersion(
        number, "sha256", null, "ab".repeat(32), "", NOW, null, null, null, retiresAt, null);
  }
}
