package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.limit.Plan;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyStore;
import io.keystile.store.RevocationReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;

/** Nodes on one store, by a clock that only the test moves, which poll only when the test does. */
final class Nodes implements AutoCloseable {
  static final Origin HERE = Origin.of("192.0.2.7").secure(true);
  static final Access ANY = Access.authenticated();

  final ManualTime time;
  final KeyStore store;

  private final List<String> events = new CopyOnWriteArrayList<>();

  private final List<ApiKeys> open = new ArrayList<>();

  Nodes(KeyStore store) {
    this(store, new ManualTime());
  }

  Nodes(KeyStore store, ManualTime time) {
    this.store = store;
    this.time = time;
  }

  ApiKeys node(UnaryOperator<ApiKeysBuilder> options) {
    ApiKeysBuilder builder =
        ApiKeys.builder(store)
            .defaultPlan(Plan.unlimited())
            .brand("acme")
            .environment("live", "test")
            .time(time, time::nanos)
            .propagation(Duration.ofHours(1))
            .maxStale(Duration.ofDays(1))
            .loadDeadline(Duration.ofMinutes(1))
            .listener(new Listening());
    ApiKeys node = options.apply(builder).build();
    open.add(node);
    return node;
  }

  ApiKeys node() {
    return node(builder -> builder);
  }

  KeyRecord record(String keyId) {
    return store.find(keyId).orElseThrow().record();
  }

  /** What the listeners of all nodes were told of secrets, in the order in which they were. */
  List<String> events() {
    open.forEach(Internals::awaitEvents);
    return events;
  }

  /** The key id in a token. */
  static String idOf(String token) {
    int end = token.length() - "_".length() - TokenGenerator.SECRET_LENGTH - Base62.CRC_LENGTH;
    return token.substring(end - Base62.ID_LENGTH, end);
  }

  /** The reason why not, or ACCEPTED. */
  static String verdict(ApiKeys node, String token) {
    return verdict(node.validate(token, ANY, HERE));
  }

  static String verdict(Validation validation) {
    return validation instanceof Rejected rejected ? rejected.reason().name() : "ACCEPTED";
  }

  /** The reason why not, or ISSUED. */
  static String verdict(SelfRotation result) {
    assertThat(result.issued() == null).isEqualTo(result.refusal() != null);
    return result.refusal() != null ? result.refusal().reason().name() : "ISSUED";
  }

  private final class Listening implements KeyListener {
    @Override
    public void retiredSecretUsed(String keyId, int secretVersion) {
      events.add("retired " + keyId + " " + secretVersion);
    }

    @Override
    public void alert(String keyId, RevocationReason reason) {
      events.add("alert " + keyId + " " + reason);
    }
  }

  @Override
  public void close() {
    open.forEach(ApiKeys::close);
  }
}
