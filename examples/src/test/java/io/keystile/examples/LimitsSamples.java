package io.keystile.examples;

import com.sun.net.httpserver.HttpExchange;
import io.keystile.Accepted;
import io.keystile.Access;
import io.keystile.ApiKey;
import io.keystile.ApiKeys;
import io.keystile.IssuedKey;
import io.keystile.KeySpec;
import io.keystile.KeyUpdate;
import io.keystile.Origin;
import io.keystile.Rejected;
import io.keystile.http.HeaderGetter;
import io.keystile.http.HttpGate;
import io.keystile.limit.Decision;
import io.keystile.limit.Limiter;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import io.keystile.store.KeyStore;
import java.time.Duration;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The code of the page on limits, word for word. */
final class LimitsSamples {
  private static final Logger log = LoggerFactory.getLogger(LimitsSamples.class);
  private static final Access READ = Access.authenticated();

  private LimitsSamples() {}

  static ApiKeys open(KeyStore store) {
    Plan team =
        Plan.of("team", Window.perSecond(50), Window.perDay(200_000))
            .quota("bytes", Window.perDay(20_000_000_000L))
            .perOwner();
    ApiKeys keys =
        ApiKeys.builder(store)
            .brand("acme")
            .environment("live")
            .defaultPlan(Plan.free())
            .plans(team)
            .build();
    return keys;
  }

  static ApiKeys openShared(KeyStore store, Plan team) {
    ApiKeys keys =
        ApiKeys.builder(store)
            .brand("acme")
            .environment("live")
            .plans(team)
            .sharedLimits(Duration.ofSeconds(1))
            .build();
    return keys;
  }

  static IssuedKey issue(ApiKeys keys) {
    IssuedKey issued = keys.issue(KeySpec.forOwner("weather-app").plan("team").by("alice"));
    return issued;
  }

  static void own(ApiKeys keys, String keyId) {
    Plan own = Plan.of("own", Window.perSecond(100), Window.perDay(5_000_000));
    keys.update(keyId, KeyUpdate.of().limits(own).by("alice"));
  }

  static void usual(ApiKeys keys, String keyId) {
    keys.update(keyId, KeyUpdate.of().usualLimits().by("alice"));
  }

  static Access dear() {
    Access export = Access.requiring("export:csv").costing(20);
    return export;
  }

  static void charge(ApiKeys keys, String token, Origin origin, ToLongFunction<ApiKey> serve) {
    if (keys.validate(token, READ, origin) instanceof Accepted accepted) {
      long sent = serve.applyAsLong(accepted.key());
      accepted.charge("bytes", sent);
    }
  }

  static @Nullable Duration whenToComeBack(ApiKeys keys, String token, Origin origin) {
    if (keys.validate(token, READ, origin) instanceof Rejected no && no.limits() != null) {
      for (Decision.Standing window : no.limits().refusing()) {
        log.info("{} per {} are used up", window.unit(), window.window().name());
      }
      return no.limits().retryAfter(); // null where waiting does not help
    }
    return Duration.ZERO;
  }

  static HttpGate<HttpExchange> gate(ApiKeys keys, HeaderGetter<HttpExchange> getter) {
    HttpGate<HttpExchange> gate = HttpGate.of(keys, getter).withRateLimitFields();
    return gate;
  }

  static void change(ApiKeys keys) {
    keys.changePlans(Plan.free(), Plan.of("team", Window.perSecond(100)).perOwner());
  }

  static Limiter<String> alone() {
    Plan perAddress = Plan.of("addresses", Window.perSecond(20), Window.perHour(2_000));
    Limiter<String> addresses = Limiter.of(perAddress);
    return addresses;
  }

  static int before(Limiter<String> addresses, String address) {
    if (!addresses.tryAcquire(address)) {
      return 429;
    }
    return 200;
  }
}
