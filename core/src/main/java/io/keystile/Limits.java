package io.keystile;

import io.keystile.limit.Limiter;
import io.keystile.limit.Meter;
import io.keystile.limit.Plan;
import io.keystile.limit.Window;
import io.keystile.store.KeyRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which limits a key has, and what counts for it on this node. */
final class Limits {
  private static final Logger log = LoggerFactory.getLogger(Limits.class);
  private static final int MAX_WARNINGS = 1_000;

  /** As many as a record holds. */
  private static final int MAX_OWN = 20;

  private static final Duration MINUTE = Duration.ofMinutes(1);

  /** The greatest limit that a window of requests may have. */
  private static final long MAX_REQUESTS = 1L << 30;

  /**
   * The plans of the host.
   *
   * @param usual for keys that name none
   * @param named by their names
   */
  record Plans(Plan usual, Map<String, Plan> named) {

    /** With the ready ones, unless the host has others of their names. */
    static Plans of(Plan usual, Plan... others) {
      Map<String, Plan> named = new HashMap<>();
      for (Plan plan : others) {
        if (named.put(plan.name(), plan) != null) {
          throw new IllegalArgumentException("plans: two have the same name");
        }
      }
      for (Plan ready : List.of(usual, Plan.free(), Plan.pro(), Plan.unlimited())) {
        named.putIfAbsent(ready.name(), ready);
      }
      return new Plans(usual, Map.copyOf(named));
    }
  }

  /** The meter of a key, and the plans it was made from. */
  record Metered(Plans plans, Meter meter) {}

  private final Limiter<String> limiter;
  private final Set<String> unknownPlans = ConcurrentHashMap.newKeySet();
  private volatile Plans plans;

  Limits(Limiter<String> limiter, Plans plans) {
    this.limiter = limiter;
    this.plans = plans;
  }

  void change(Plans plans) {
    this.plans = plans;
  }

  /** What counts for a key now. */
  @SuppressWarnings("ReferenceEquality") // plans that were set anew are others, whatever is in them
  Meter meter(CachedKey cached, KeyInUse inUse) {
    Metered known = inUse.metered;
    if (known == null || known.plans != plans) {
      known = metered(cached, inUse.key);
      inUse.metered = known;
    }
    return known.meter;
  }

  /** Tells other nodes what was used, and takes what will be. Blocks; throws nothing. */
  void exchange() {
    limiter.exchange();
  }

  /** Gives other nodes back what they may use. Blocks; throws nothing. */
  boolean leave() {
    return limiter.leave();
  }

  /** Drops what has ended. */
  void sweep() {
    limiter.sweep();
  }

  private Metered metered(CachedKey cached, ApiKey key) {
    Plans current = plans;
    Plan usual = cached.ownPlan != null ? cached.ownPlan : plan(current, key.plan());
    Plan plan = adapted(usual, cached.adapted);
    // no key id holds a colon, so these are never the same
    String subject = plan.isPerOwner() ? plan.name() + ":" + key.owner() : key.id();
    return new Metered(current, limiter.meter(subject, plan));
  }

  /** What counts for an owner is not adapted to one of his keys. */
  private static Plan adapted(Plan usual, KeyRecord.@Nullable Adapted adapted) {
    return adapted == null || usual.isPerOwner()
        ? usual
        : usual.window(Window.perMinute(Math.min(adapted.perMinute(), MAX_REQUESTS)));
  }

  /** How many requests a key may make in a minute while its limits are not adapted. */
  Adaptable adaptable(KeyRecord record) {
    Plan own = ownPlan(record);
    Plan usual = own != null ? own : plan(plans, record.plan());
    return new Adaptable(
        !usual.isPerOwner(),
        usual.windows().stream()
            .filter(window -> window.length().equals(MINUTE))
            .findFirst()
            .map(Window::limit)
            .orElse(null));
  }

  /**
   * What an adapted limit starts from.
   *
   * @param isOfKey whether the key counts for itself, so that its limit can be adapted
   * @param perMinute what its plan or its own limits say of a minute; null for nothing
   */
  record Adaptable(boolean isOfKey, @Nullable Long perMinute) {}

  private Plan plan(Plans current, @Nullable String name) {
    Plan plan = name == null ? current.usual : current.named.get(name);
    if (plan != null) {
      return plan;
    }
    if (unknownPlans.size() < MAX_WARNINGS && unknownPlans.add(String.valueOf(name))) {
      log.warn("A key names a plan that this node does not know; its default plan applies");
    }
    return current.usual;
  }

  /** The limits of a key's own, as a plan; null if it has none. */
  static @Nullable Plan ownPlan(KeyRecord record) {
    if (record.limits().isEmpty()) {
      return null;
    }
    Map<String, List<Window>> byUnit = new LinkedHashMap<>();
    for (KeyRecord.Limit limit : record.limits()) {
      byUnit
          .computeIfAbsent(limit.unit(), unit -> new ArrayList<>())
          .add(new Window(limit.amount(), limit.window()));
    }
    List<Window> requests = byUnit.getOrDefault(Plan.REQUESTS, List.of());
    Plan plan = Plan.of("own", requests.toArray(Window[]::new));
    byUnit.remove(Plan.REQUESTS);
    for (Map.Entry<String, List<Window>> quota : byUnit.entrySet()) {
      plan = plan.quota(quota.getKey(), quota.getValue().toArray(Window[]::new));
    }
    return plan;
  }

  /** The windows of a plan, as they are stored with a key. */
  static List<KeyRecord.Limit> stored(Plan plan) {
    List<KeyRecord.Limit> limits = new ArrayList<>();
    add(limits, Plan.REQUESTS, plan.windows());
    plan.units().forEach(unit -> add(limits, unit, plan.windows(unit)));
    if (limits.isEmpty() || limits.size() > MAX_OWN) {
      throw new IllegalArgumentException(
          "limits: must be 1 to " + MAX_OWN + " windows, are " + limits.size());
    }
    return limits;
  }

  private static void add(List<KeyRecord.Limit> limits, String unit, List<Window> windows) {
    windows.forEach(w -> limits.add(new KeyRecord.Limit(unit, w.limit(), w.length())));
  }
}
