package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class AccountsTest {
  private final Accounts accounts = Accounts.demo(Map.of("alice", "acme"));

  @Test
  void passwords_are_told_once_and_new_each_time() {
    String told = accounts.revealPasswords();

    assertThat(told).matches("alice [0-9A-Za-z_-]{22}");
    assertThat(accounts.revealPasswords()).isEmpty();
    assertThat(Accounts.demo(Map.of("alice", "acme")).revealPasswords()).isNotEqualTo(told);
  }

  @Test
  void only_name_and_password_together_let_in() {
    String password = accounts.revealPasswords().substring("alice ".length());

    assertThat(accounts.find("alice", password)).map(Accounts.Account::owner).contains("acme");
    assertThat(accounts.find("alice", password + "x")).isEmpty();
    assertThat(accounts.find("alice", "")).isEmpty();
    assertThat(accounts.find("Alice", password)).isEmpty();
    assertThat(accounts.find("", password)).isEmpty();
    assertThat(accounts.find("mallory", password)).isEmpty();
  }

  @Test
  void one_who_registers_gets_an_owner_that_nobody_had() {
    String password = accounts.register("acme").orElseThrow();
    Accounts.Account first = accounts.find("acme", password).orElseThrow();
    Accounts later = Accounts.demo(Map.of("alice", "acme"));
    String other = later.register("acme").orElseThrow();

    assertThat(first.name()).isEqualTo("acme");
    assertThat(first.owner()).matches("account-[0-9A-Za-z_-]{22}");
    assertThat(later.find("acme", other).orElseThrow().owner()).isNotEqualTo(first.owner());
    assertThat(later.find("acme", password)).isEmpty();
    assertThat(accounts.revealPasswords()).doesNotContain(password);
  }

  @Test
  void a_name_that_is_taken_keeps_its_password() {
    String password = accounts.register("carol").orElseThrow();

    assertThat(accounts.register("carol")).isEmpty();
    assertThat(accounts.register("alice")).isEmpty();
    assertThat(accounts.find("carol", password)).isPresent();
  }

  @Test
  void what_is_no_name_is_refused() {
    for (String name : List.of("", "c", "Carol", "ca rol", "carol\n", "x".repeat(41))) {
      assertThatThrownBy(() -> accounts.register(name))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(accounts.has(name)).isFalse();
    }
  }

  /** Rounds in which not exactly one of two threads got the name. */
  private static int wrongRounds(Function<String, Optional<String>> register) throws Exception {
    int wrong = 0;
    for (int round = 0; round < 500; round++) {
      String name = "round" + round;
      if (atOnce(2, () -> register.apply(name).isPresent() ? 1 : 0) != 1) {
        wrong++;
      }
    }
    return wrong;
  }

  private static int atOnce(int threads, Callable<Integer> action) throws Exception {
    CyclicBarrier start = new CyclicBarrier(threads);
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<Integer>> results = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        results.add(
            pool.submit(
                () -> {
                  start.await();
                  return action.call();
                }));
      }
      int sum = 0;
      for (Future<Integer> result : results) {
        sum += result.get();
      }
      return sum;
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void of_two_threads_with_one_name_exactly_one_gets_it() throws Exception {
    assertThat(wrongRounds(accounts::register)).isZero();
  }

  @Test
  void the_twin_that_looks_first_and_writes_then_is_caught() throws Exception {
    Map<String, String> names = new HashMap<>();
    Function<String, Optional<String>> careless =
        name -> {
          synchronized (names) {
            if (names.containsKey(name)) {
              return Optional.empty();
            }
          }
          Thread.yield();
          synchronized (names) {
            names.put(name, "");
          }
          return Optional.of(name);
        };
    int wrong = wrongRounds(careless);
    System.out.println("The careless twin was wrong in " + wrong + " of 500 rounds");
    assertThat(wrong).isPositive();
  }

  @Test
  void threads_that_fill_it_at_once_make_no_more_than_there_may_be() throws Exception {
    AtomicInteger names = new AtomicInteger();
    int made =
        atOnce(
            4,
            () -> {
              int mine = 0;
              for (int i = 0; i < 400; i++) {
                mine += accounts.register("name" + names.incrementAndGet()).isPresent() ? 1 : 0;
              }
              return mine;
            });

    System.out.println("1600 attempts of 4 threads, " + made + " accounts made");
    assertThat(made).isEqualTo(Accounts.MOST - 1);
    assertThat(accounts.register("carol")).isEmpty();
  }
}
