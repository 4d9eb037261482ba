package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.keystile.http.HttpGate;
import io.keystile.store.KeyRecord;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The warm path allocates nothing. */
class AllocationTest {

  private static final int ROUNDS = 100_000;

  private final ScratchPool pool = new ScratchPool(2);
  private final TokenParser parser = Tokens.parser();
  private final SecretHasher hasher = new SecretHasher();
  private final byte[] stored = Tokens.parsed(Tokens.EXAMPLE).digestBlock();
  private final String overlong = "acme_live_".repeat(100_000);
  private final Access access =
      Access.requiring("orders:read").and(Access.requiringAny("a:b", "a:c"));
  private final GrantedScopes granted = GrantedScopes.of(List.of("orders:*", "x", "a:c"));

  private long proven;

  @Test
  void a_proof_allocates_nothing() {
    assertThat(allocated(() -> prove(Tokens.EXAMPLE))).isZero();
    assertThat(proven).isPositive();
  }

  @Test
  void a_malformed_text_of_any_length_allocates_nothing() {
    assertThat(allocated(() -> prove(overlong))).isZero();
    assertThat(allocated(() -> prove("acme_live_?"))).isZero();
    assertThat(proven).isZero();
  }

  @Test
  void a_check_of_scopes_allocates_nothing() {
    assertThat(allocated(() -> proven += access.permits(granted) ? 1 : 0)).isZero();
    assertThat(proven).isPositive();
  }

  @Test
  void the_headers_for_a_client_that_has_nothing_to_change_allocate_nothing() {
    ApiKey key = ApiKey.of(SampleKeys.record(SampleKeys.id(1), KeyRecord.State.ACTIVE));
    Accepted usual = Internals.accepted(key, 1, Long.MAX_VALUE);
    Accepted due = Internals.accepted(key, 1, 0);

    assertThat(allocated(() -> HttpGate.headersOf(usual))).isZero();
    assertThat(allocated(() -> HttpGate.headersOf(due))).isPositive();
  }

  @Test
  void a_scratch_for_each_call_is_caught() {
    assertThat(allocated(() -> parser.parse(Tokens.EXAMPLE, new Scratch())))
        .isGreaterThan(100L * ROUNDS);
  }

  private void prove(String token) {
    Scratch scratch = pool.acquire();
    try {
      if (parser.parse(token, scratch)
          && hasher.verify(scratch.digestBlock(), "sha256", null, stored)
              == SecretHasher.Proof.PROVEN) {
        proven++;
      }
    } finally {
      pool.release(scratch);
    }
  }

  /** Bytes allocated by {@value #ROUNDS} warm calls on this thread. */
  private static long allocated(Runnable call) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int attempt = 0; attempt < 5; attempt++) { // the first warms up
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < ROUNDS; i++) {
        call.run();
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }
}
