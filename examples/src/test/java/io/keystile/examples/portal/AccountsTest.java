package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
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
}
