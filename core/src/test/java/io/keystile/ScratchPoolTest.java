package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ScratchPoolTest {

  private final ScratchPool pool = new ScratchPool(2);

  @Test
  void a_scratch_comes_back_wiped() {
    Scratch scratch = pool.acquire();
    assertThat(Tokens.parser().parse(Tokens.EXAMPLE, scratch)).isTrue();
    scratch.digestBlock();
    scratch.access = Access.authenticated();
    scratch.origin = Origin.unknown();
    pool.release(scratch);

    assertThat(pool.acquire()).isSameAs(scratch);
    assertThat(scratch.text).containsOnly(0);
    assertThat(scratch.digest).containsOnly(0);
    assertThat(scratch.access).isNull();
    assertThat(scratch.origin).isNull();
  }

  @Test
  void an_empty_pool_lends_a_new_scratch() {
    Scratch first = pool.acquire();
    Scratch second = pool.acquire();

    assertThat(second).isNotSameAs(first);
    pool.release(first);
    pool.release(second);
    assertThat(new Scratch[] {pool.acquire(), pool.acquire()})
        .containsExactlyInAnyOrder(first, second);
  }

  @Test
  void a_full_pool_drops_what_comes_back() {
    for (int i = 0; i < 100; i++) {
      pool.release(new Scratch());
    }
    assertThat(pool.acquire()).isNotNull();
  }
}
