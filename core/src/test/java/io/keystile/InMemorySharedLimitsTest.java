package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.SharedLimits;
import io.keystile.store.tck.SharedLimitsContract;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class InMemorySharedLimitsTest extends SharedLimitsContract {
  private final InMemoryKeyStore store = new InMemoryKeyStore();

  @Override
  protected SharedLimits store() {
    return store;
  }

  /** Here nothing joins. */
  @Override
  protected void inTransaction(Runnable work) {
    work.run();
  }

  @Test
  void its_clock_is_the_one_it_was_made_with_in_whole_milliseconds() {
    ManualTime time = new ManualTime();
    SharedLimits manual = new InMemoryKeyStore(time);
    Instant now = time.instant();

    assertThat(manual.read(List.of()).now()).isEqualTo(now);
    time.advance(Duration.ofNanos(1_999_999));
    assertThat(manual.read(List.of()).now()).isEqualTo(now.plusMillis(1));
  }
}
