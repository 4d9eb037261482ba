package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keystile.store.KeyRecord;
import java.io.Serializable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class KeyValuesTest {

  /** Stands out in a message that repeats it. */
  private static final String MARK = "hunter2";

  private final Desk desk = new Desk();

  @Test
  void an_issued_key_shows_its_token_to_who_asks_for_it_and_nowhere_else() {
    IssuedKey issued = desk.administration.issue(KeySpec.forOwner("weather-app"));
    String token = issued.revealToken();
    String secret = token.substring(token.length() - 38, token.length() - 6);

    assertThat(issued.revealToken()).isEqualTo(token);
    for (Object shown : List.of(issued, issued.details(), issued.details().key())) {
      assertThat(shown.toString()).doesNotContain(secret).contains(issued.id());
    }
    assertThat(issued.details().secrets().toString())
        .doesNotContain(secret)
        .contains("acme_live_" + issued.id().substring(0, 8) + "…" + token.substring(65 + 2));
    assertThat(issued.details().secrets().get(0).redacted()).isEqualTo(TokenFormat.redact(token));
    assertThat(issued).isNotInstanceOf(Serializable.class);
    assertThat(declared(IssuedKey.class)).doesNotContain("equals", "hashCode");
    assertThat(
            Arrays.stream(IssuedKey.class.getDeclaredMethods())
                .filter(method -> method.getReturnType() == String.class)
                .filter(method -> !Modifier.isPrivate(method.getModifiers()))
                .map(Method::getName))
        .containsExactlyInAnyOrder("id", "revealToken", "toString");
  }

  private static List<String> declared(Class<?> type) {
    return Arrays.stream(type.getDeclaredMethods()).map(Method::getName).toList();
  }

  @Test
  void what_is_shown_of_a_key_holds_no_hash_even_inside() throws Exception {
    String id = desk.issue();
    String hash = desk.record(id).newest().hash();
    KeyDetails details = desk.details(id);

    for (Object shown : List.of(details, details.key(), details.secrets().get(0))) {
      for (Field field : shown.getClass().getDeclaredFields()) {
        field.setAccessible(true);
        assertThat(String.valueOf(field.get(shown))).as(field.getName()).doesNotContain(hash);
        assertThat(field.getType()).isNotEqualTo(KeyRecord.class);
      }
    }
  }

  @Test
  void values_do_not_change_under_their_holder() {
    KeySpec spec = KeySpec.forOwner("weather-app");
    KeySpec other =
        spec.name("n").scopes("a").plan("p").brand("umbra").neverExpires().by("x").callers("c");
    assertThat(desk.record(desk.issue(spec)).scopes()).isEmpty();
    assertThat(desk.record(desk.issue(other.lifetime(Duration.ofDays(1)))).name()).isEqualTo("n");

    KeyUpdate update = KeyUpdate.of();
    update.name("changed");
    String id = desk.issue(spec);
    assertThat(desk.administration.update(id, update).revision()).isEqualTo(1);

    Revocation revocation = Desk.LEAK;
    assertThat(revocation.by("x").toString()).contains("LEAKED", "by=x");
    assertThat(revocation.toString()).contains("by=null");
    assertThat(Cause.by("a").note("b").operationId("c").toString())
        .isEqualTo("Cause[by=a, note=b, operationId=c]");
    assertThat(spec.toString()).contains("owner=weather-app");
  }

  @Test
  void hostile_values_are_refused_with_the_option_named_and_the_value_left_out() {
    List<String> broken =
        List.of(MARK + "\0", MARK + "\ud800", "\udc00" + MARK, MARK + "x".repeat(5000));
    int refused = 0;
    for (String value : broken) {
      for (Map.Entry<String, Consumer<String>> option : options().entrySet()) {
        String name = option.getKey();
        assertThatThrownBy(() -> option.getValue().accept(value))
            .as(name)
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageStartingWith(name.substring(name.indexOf(' ') + 1) + ":")
            .hasMessageNotContaining(MARK)
            .satisfies(
                e ->
                    Stream.iterate(e, cause -> cause != null, Throwable::getCause)
                        .forEach(cause -> assertThat(cause.toString()).doesNotContain(MARK)));
        refused++;
      }
    }
    System.out.printf("%d hostile values refused%n", refused);
    assertThat(refused).isEqualTo(4 * options().size());
    assertThat(desk.audit()).hasSize(1);
  }

  /** Everything that takes text, under a number and the name in the message. */
  private Map<String, Consumer<String>> options() {
    KeySpec spec = KeySpec.forOwner("weather-app");
    String id =
        desk.administration.list(KeyQuery.all()).keys().stream()
            .findFirst()
            .map(KeyDetails::id)
            .orElseGet(desk::issue);
    Map<String, Consumer<String>> options = new LinkedHashMap<>();
    options.put("1 owner", KeySpec::forOwner);
    options.put("2 owner", text -> KeySpec.personalToken(text, "user-1"));
    options.put("3 subject", text -> KeySpec.personalToken("weather-app", text));
    options.put("4 name", text -> desk.issue(spec.name(text)));
    options.put("5 scopes", text -> desk.issue(spec.scopes("a", text)));
    options.put("6 networks", text -> desk.issue(spec.networks("10.0.0.0/8", text)));
    options.put("7 callers", text -> desk.issue(spec.callers("a", text)));
    options.put("8 plan", text -> desk.issue(spec.plan(text)));
    options.put("9 metadata", text -> desk.issue(spec.metadata(Map.of("a", text))));
    options.put("10 metadata", text -> desk.issue(spec.metadata(Map.of(text, "a"))));
    options.put("11 brand, environment", text -> desk.issue(spec.brand(text)));
    options.put("12 brand, environment", text -> desk.issue(spec.environment(text)));
    options.put("13 actor", spec::by);
    options.put("14 note", spec::note);
    options.put("15 operationId", spec::operationId);
    KeyUpdate none = KeyUpdate.of();
    options.put("16 name", text -> desk.administration.update(id, none.name(text)));
    options.put("17 scopes", text -> desk.administration.update(id, none.scopes(text)));
    options.put("18 networks", text -> desk.administration.update(id, none.networks(text)));
    options.put("19 callers", text -> desk.administration.update(id, none.callers(text)));
    options.put("20 plan", text -> desk.administration.update(id, none.plan(text)));
    options.put(
        "21 metadata", text -> desk.administration.update(id, none.metadata(Map.of(text, text))));
    options.put("22 actor", none::by);
    options.put("23 note", none::note);
    options.put("24 operationId", none::operationId);
    options.put("25 actor", Cause::by);
    options.put("26 note", Cause.unstated()::note);
    options.put("27 operationId", Cause.unstated()::operationId);
    options.put("28 actor", Desk.LEAK::by);
    options.put("29 note", Desk.LEAK::note);
    options.put("30 operationId", Desk.LEAK::operationId);
    options.put("31 owner", KeyQuery::ofOwner);
    options.put("32 subject", KeyQuery.all()::subject);
    options.put("33 brand", KeyQuery.all()::brand);
    options.put("34 environment", KeyQuery.all()::environment);
    options.put("35 after", KeyQuery.all()::after);
    options.put("36 owner", text -> OwnerKeys.of(() -> desk.administration, Desk::noUsage, text));
    options.put(
        "37 scopes",
        text ->
            OwnerKeys.of(() -> desk.administration, Desk::noUsage, "weather-app").mayGrant(text));
    return options;
  }

  @Test
  void no_operation_id_is_taken_for_one_that_the_library_draws() {
    List<Consumer<String>> setters =
        List.of(
            Cause.unstated()::operationId,
            KeySpec.forOwner("weather-app")::operationId,
            KeyUpdate.of()::operationId,
            Rotation.usual()::operationId,
            Desk.LEAK::operationId);
    for (Consumer<String> setter : setters) {
      for (String own : List.of("auto:", "import:", "key:", "owner:")) {
        for (String id : List.of(own, own + "retired:0351fcs8Bym6tbejfDMyAJ:1")) {
          assertThatIllegalArgumentException()
              .isThrownBy(() -> setter.accept(id))
              .withMessage("operationId: must not begin with auto:, import:, key: or owner:");
        }
        setter.accept(own.substring(0, own.length() - 1));
        setter.accept(" " + own);
      }
    }
  }

  @Test
  void text_is_kept_byte_for_byte() {
    String text = " Ünïcödé 🔑 '; DROP TABLE keys; -- \"%s\\ ";
    String id =
        desk.issue(
            KeySpec.personalToken(text, text)
                .name(text)
                .plan(text)
                .metadata(Map.of(text, text))
                .by(text)
                .note(text)
                .operationId(text));

    KeyDetails details = desk.details(id);
    assertThat(List.of(details.key().owner(), details.key().subject(), details.key().name()))
        .containsOnly(text);
    assertThat(details.key().plan()).isEqualTo(text);
    assertThat(details.key().metadata()).isEqualTo(Map.of(text, text));
    assertThat(details.secrets().get(0).createdBy()).isEqualTo(text);
    assertThat(details.secrets().get(0).note()).isEqualTo(text);
    assertThat(desk.administration.list(KeyQuery.ofOwner(text)).keys()).hasSize(1);
    assertThat(desk.administration.list(KeyQuery.ofOwner(text.strip())).keys()).isEmpty();
  }

  @Test
  void a_key_of_a_user_has_the_scopes_that_both_grants_cover() {
    SplittableRandom random = Seed.of("a_key_of_a_user_has_the_scopes_that_both_grants_cover");
    List<String> grants =
        List.of("*", "a", "b", "a:*", "b:*", "a:b", "a:c", "a:b:*", "a:b:c", "ab:*", "ab");
    List<String> scopes = List.of("a", "b", "ab", "a:b", "a:c", "a:b:c", "a:b:d", "b:a", "ab:c");
    String id = desk.issue();
    int wrong = 0;
    for (int round = 0; round < 100_000; round++) {
      List<String> granted = some(grants, random);
      List<String> allowed = some(grants, random);
      KeyRecord record = desk.record(id).toBuilder().scopes(granted).build();
      ApiKey key = ApiKey.narrowed(record, allowed);
      for (String scope : scopes) {
        boolean expected = covers(granted, scope) && covers(allowed, scope);
        wrong += key.hasScope(scope) == expected ? 0 : 1;
      }
      for (String left : key.scopes()) {
        wrong += granted.contains(left) || allowed.contains(left) ? 0 : 1;
      }
    }
    assertThat(wrong).isZero();
    assertThat(ApiKey.narrowed(desk.record(id), List.of("a b", "a:*:b")).scopes()).isEmpty();
  }

  private static List<String> some(List<String> of, SplittableRandom random) {
    List<String> some = new ArrayList<>();
    for (String one : of) {
      if (random.nextInt(4) == 0) {
        some.add(one);
      }
    }
    return some;
  }

  /** The rule of scopes once more, written plainly. */
  private static boolean covers(List<String> grants, String scope) {
    for (String grant : grants) {
      if (grant.equals("*") || grant.equals(scope)) {
        return true;
      }
      if (grant.endsWith(":*") && scope.startsWith(grant.replace("*", ""))) {
        return true;
      }
    }
    return false;
  }

  @Test
  void a_scope_must_be_one() {
    ApiKey key = desk.details(desk.issue(KeySpec.forOwner("w").scopes("a:*"))).key();

    assertThat(key.hasScope("a:b")).isTrue();
    assertThat(key.hasScope("A:b")).isFalse();
    for (String wrong : List.of("", "a:*", "*", " a", "a b")) {
      assertThatThrownBy(() -> key.hasScope(wrong)).isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(key.createdAt()).isEqualTo(Desk.START);
    assertThat(key.endsAt()).isNull();
  }
}
