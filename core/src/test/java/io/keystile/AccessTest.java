package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccessTest {

  @ParameterizedTest
  @CsvSource({
    "orders:read,   orders:read,     true",
    "orders,        orders,          true",
    "orders,        orders:read,     false",
    "orders:read,   orders,          false",
    "orders:read,   orders:readall,  false",
    "orders:read,   orders:Read,     false",
    "orders:*,      orders:read,     true",
    "orders:*,      orders:read:all, true",
    "orders:*,      orders,          false",
    "orders:*,      orders2:read,    false",
    "orders:read:*, orders:read,     false",
    "orders:read:*, orders:read:all, true",
    "*,             anything,        true",
    "*,             any:thing,       true"
  })
  void grants(String grant, String required, boolean permitted) {
    assertThat(Access.requiring(required).permits(granted(grant))).isEqualTo(permitted);
  }

  @Test
  void any_valid_key_is_authenticated() {
    assertThat(Access.authenticated().permits(granted())).isTrue();
  }

  @Test
  void no_grant_permits_nothing() {
    assertThat(Access.requiring("a").permits(granted())).isFalse();
    assertThat(Access.requiringAny("a", "b").permits(granted())).isFalse();
  }

  @Test
  void all_any_and_both() {
    Access all = Access.requiring("a", "b");
    Access any = Access.requiringAny("c", "d");
    Access both = all.and(any);

    assertThat(all.permits(granted("a", "b"))).isTrue();
    assertThat(all.permits(granted("a", "c"))).isFalse();
    assertThat(any.permits(granted("d"))).isTrue();
    assertThat(any.permits(granted("a", "b"))).isFalse();
    assertThat(both.permits(granted("a", "b", "d"))).isTrue();
    assertThat(both.permits(granted("a", "d"))).isFalse();
    assertThat(both.permits(granted("a", "b"))).isFalse();
    assertThat(both).hasToString("Access[a, b, c|d]");
  }

  @Test
  void a_wildcard_covers_narrower_wildcards() {
    assertThat(granted("*").covers("orders:*")).isTrue();
    assertThat(granted("orders:*").covers("orders:read:*")).isTrue();
    assertThat(granted("orders:*").covers("orders:*")).isTrue();
    assertThat(granted("orders:*").covers("*")).isFalse();
    assertThat(granted("orders:read:*").covers("orders:*")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":",
        "a:",
        ":a",
        "a::b",
        "a b",
        "a\n",
        "a*",
        "*a",
        "a:*:b",
        "**",
        "a:**",
        "*:a",
        "ä",
        "a\uFF0Eb",
        "a/b",
        "a,b",
        "a\0",
        "a:b*"
      })
  void texts_outside_the_grammar_can_neither_be_required_nor_granted(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Access.requiring(text));
    assertThatIllegalArgumentException().isThrownBy(() -> Access.requiringAny("a", text));
    assertThatIllegalArgumentException().isThrownBy(() -> Scopes.requireGrant(text));
    assertThat(granted(text).covers("a")).isFalse();
    assertThat(granted(text).covers(text)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"*", "a:*"})
  void a_wildcard_cannot_be_required(String text) {
    assertThat(Scopes.requireGrant(text)).isEqualTo(text);
    assertThatIllegalArgumentException().isThrownBy(() -> Access.requiring(text));
  }

  @Test
  void a_hundred_characters_are_the_most() {
    String longest = "a".repeat(100);

    assertThat(Scopes.requireScope(longest)).isEqualTo(longest);
    assertThat(Scopes.requireGrant("a".repeat(98) + ":*")).hasSize(100);
    assertThatIllegalArgumentException().isThrownBy(() -> Scopes.requireScope(longest + "a"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Scopes.requireGrant("a".repeat(99) + ":*"));
  }

  @Test
  void an_empty_requirement_is_refused() {
    assertThatIllegalArgumentException().isThrownBy(Access::requiring);
    assertThatIllegalArgumentException().isThrownBy(Access::requiringAny);
  }

  private static GrantedScopes granted(String... grants) {
    return GrantedScopes.of(List.of(grants));
  }
}
