package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TimesTest {
  private static final Instant NOW = Instant.parse("2026-11-28T12:00:00Z");

  @ParameterizedTest
  @CsvSource({
    "PT0S, just now",
    "PT-59S, just now",
    "PT59S, in less than a minute",
    "PT-60S, 1 minute ago",
    "PT59M59S, in 59 minutes",
    "PT1H, in 1 hour",
    "PT-47H, 47 hours ago",
    "P2D, in 2 days",
    "P-400D, 400 days ago"
  })
  void are_told_as_people_tell_them(Duration from, String text) {
    assertThat(Times.distance(NOW.plus(from), NOW)).isEqualTo(text);
  }

  @Test
  void are_exact_where_one_looks() {
    assertThat(Times.near(NOW, NOW.plusSeconds(60), "").markup())
        .isEqualTo(
            "<time datetime=\"2026-11-28T12:00:00Z\" title=\"28 Nov 2026, 12:00 UTC\">1 minute"
                + " ago</time>");
    assertThat(Times.near(null, NOW, "Never").markup()).isEqualTo("Never");
  }
}
