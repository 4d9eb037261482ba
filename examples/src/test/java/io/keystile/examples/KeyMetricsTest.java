package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.InMemoryKeyStore;
import io.keystile.IssuedKey;
import io.keystile.KeyListener;
import io.keystile.KeySpec;
import io.keystile.Origin;
import io.keystile.Revocation;
import io.keystile.TransportPolicy;
import io.keystile.store.RevocationReason;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What Micrometer knows after some requests to real keys. */
class KeyMetricsTest {
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);

  private final MeterRegistry registry = new SimpleMeterRegistry();

  /** All counters but the polls, which come by the clock. */
  private Map<String, Double> counters() {
    return registry.getMeters().stream()
        .filter(Counter.class::isInstance)
        .map(Counter.class::cast)
        .filter(counter -> !counter.getId().getName().equals("keystile.polls"))
        .collect(
            Collectors.toMap(
                counter ->
                    counter.getId().getName() + " " + counter.getId().getTags().get(0).getValue(),
                Counter::count,
                Double::sum,
                TreeMap::new));
  }

  @Test
  void counters_and_events_become_metrics() {
    ApiKeys keys =
        ApiKeys.builder(new InMemoryKeyStore())
            .brand("acme")
            .environment("live")
            .transport(TransportPolicy.WARN)
            .propagation(Duration.ofHours(1)) // no poll forgets the key meanwhile
            .maxStale(Duration.ofDays(1))
            .listener(new KeyMetrics(registry))
            .build();
    IssuedKey issued = keys.issue(KeySpec.forOwner("weather-app"));
    String token = issued.revealToken();
    try (keys) {
      for (int i = 0; i < 5; i++) {
        assertThat(keys.validate(token, Access.authenticated(), HERE).isAccepted()).isTrue();
      }
      keys.validate("nonsense", Access.authenticated(), HERE);
      keys.validate(token, Access.requiring("a:b"), HERE);
      keys.validate(token, Access.authenticated(), HERE.secure(false).browser(true));
      keys.revoke(issued.id(), Revocation.because(RevocationReason.LEAKED));
      keys.validate(token, Access.authenticated(), HERE);
    } // hands over the last of it

    Map<String, Double> counters = counters();
    counters.remove("keystile.loads.micros done");
    assertThat(counters)
        .isEqualTo(
            Map.ofEntries(
                Map.entry("keystile.validations accepted", 6.0),
                Map.entry("keystile.validations malformed", 1.0),
                Map.entry("keystile.validations scope_missing", 1.0),
                Map.entry("keystile.validations revoked", 1.0),
                Map.entry("keystile.cache hit", 6.0),
                Map.entry("keystile.cache miss", 2.0),
                Map.entry("keystile.loads done", 2.0),
                Map.entry("keystile.uses written", 1.0),
                Map.entry("keystile.events delivered", 3.0),
                Map.entry("keystile.alarms insecure_transport", 1.0),
                Map.entry("keystile.alarms used_from_browser", 1.0),
                Map.entry("keystile.alarms alert", 1.0)));
  }

  @Test
  void it_counts_every_event_there_is() {
    assertThat(Arrays.stream(KeyMetrics.class.getDeclaredMethods()).map(Method::getName))
        .containsAll(Arrays.stream(KeyListener.class.getMethods()).map(Method::getName).toList());
  }
}
