package io.keystile.usage;

import java.util.ArrayList;
import java.util.List;

/**
 * A client that does nothing wrong, for {@value #DAYS} days: it has a rhythm, it grows, it is
 * deployed, now and then badly, it moves, it has holidays, and it replaces its secret. All is drawn
 * from one seed, and hours must be asked for one after the other.
 */
final class MadeUpClient {
  static final int DAYS = 60;
  static final int HOURS = DAYS * 24;
  private static final int CLOCK_CHANGE = 30;

  /** What a client is like. */
  enum Type {
    OFFICE,
    SERVICE,
    NIGHTLY,
    WEEKLY,
    MONTHLY,
    MOBILE,
    TINY,
    POLLER
  }

  /** Something that happens once, in hours since the beginning. */
  private record Event(int from, int to, double size) {
    boolean at(int hour) {
      return hour >= from && hour < to;
    }
  }

  final Type type;
  private final Chance chance;
  private final int zone;
  private final boolean changesClocks;
  private final double rate;
  private final double noise;
  private final double weeklyGrowth;
  private final double errorShare;
  private double bytesPerRequest;
  private final boolean worksWeekends;
  private final boolean runsMonthly;
  private final int batchHour;
  private final int batchHours;
  private final int cadence;
  private final List<String> networks = new ArrayList<>();
  private final List<String> endpoints = new ArrayList<>();
  private final List<Event> holidays = new ArrayList<>();
  private final List<Event> deployments = new ArrayList<>();
  private final List<Event> surges = new ArrayList<>();
  private final List<Event> evenings = new ArrayList<>();
  private final List<Event> moves = new ArrayList<>();
  private final List<Event> rotations = new ArrayList<>();
  private final double newNetworksAnHour;
  private double today = 1;
  private double sizeToday = 1;
  private int silentFrom = Integer.MAX_VALUE;

  /** From a seed; nobody rotates who is to be rotated by {@link #rotateAt}. */
  MadeUpClient(long seed, boolean rotatesByItself) {
    chance = new Chance(seed);
    type = type(chance.between(0, 99));
    zone = chance.between(-9, 10);
    changesClocks = chance.in(0.5);
    rate = rate();
    noise = type == Type.POLLER ? 0.02 : chance.between(0.1, 0.5);
    weeklyGrowth = chance.in(0.1) ? chance.between(1.05, 1.2) : chance.between(0.98, 1.03);
    errorShare = chance.magnitude(0.001, 0.06);
    bytesPerRequest = chance.magnitude(500, 50_000);
    worksWeekends = chance.in(0.2);
    runsMonthly = chance.in(0.12);
    batchHour = chance.between(0, 23);
    batchHours = chance.between(1, 3);
    cadence = chance.between(0, 6);
    int places = type == Type.SERVICE ? chance.between(1, 4) : chance.between(1, 2);
    for (int i = 0; i < places; i++) {
      networks.add(chance.network());
    }
    int uses = chance.between(2, 12);
    for (int i = 0; i < uses; i++) {
      endpoints.add("/v1/resource-" + chance.between(0, 60));
    }
    newNetworksAnHour = type == Type.MOBILE ? chance.magnitude(0.3, 3) : 0;
    draw(rotatesByItself);
  }

  private static Type type(int percent) {
    int[] shares = {32, 28, 10, 5, 3, 8, 9, 5};
    int i = 0;
    for (int left = percent; left >= shares[i]; i++) {
      left -= shares[i];
    }
    return Type.values()[i];
  }

  private double rate() {
    return switch (type) {
      case TINY -> chance.between(0.1, 1.5);
      case POLLER -> chance.in(0.5) ? 60 : 720;
      case NIGHTLY, WEEKLY, MONTHLY -> chance.magnitude(100, 20_000);
      default -> chance.magnitude(15, 5_000);
    };
  }

  private void draw(boolean rotatesByItself) {
    events(holidays, 2, 24, 24, 1);
    if (chance.in(0.15)) {
      events(holidays, 1, 24 * 5, 24 * 10, 1);
    }
    int everyDays = chance.between(5, 30);
    for (int day = chance.between(0, everyDays); day < DAYS; day += everyDays) {
      int hour = day * 24 + chance.between(0, 23);
      deployments.add(new Event(hour, hour + chance.between(1, 2), chance.between(0, 0.6)));
    }
    if (chance.in(0.15)) {
      events(surges, 1, 2, 8, chance.magnitude(2, 20));
    }
    if (chance.in(0.1)) {
      events(surges, 1, 24, 72, chance.between(1.5, 3));
    }
    if (chance.in(0.1)) {
      events(evenings, chance.between(1, 2), 1, 3, chance.between(3, 40));
    }
    if (chance.in(0.15)) {
      events(moves, 1, HOURS, HOURS, chance.in(0.25) ? 1 : 0.4);
    }
    if (!moves.isEmpty() && chance.in(0.3)) {
      int hour = moves.get(0).from;
      deployments.add(new Event(hour, hour + 3, chance.between(0.1, 0.6)));
    }
    if (rotatesByItself && chance.in(0.4)) {
      rotateAt(chance.between(10, 50) * 24);
    }
  }

  private void events(List<Event> list, int count, int least, int most, double size) {
    for (int i = 0; i < count; i++) {
      int from = chance.between(8 * 24, HOURS);
      list.add(new Event(from, from + chance.between(least, most), size));
    }
  }

  /** Rolls the next secret out from this hour on, in up to a day and a half. */
  void rotateAt(int hour) {
    rotations.add(new Event(hour, hour + chance.between(0, 36), 0));
  }

  /** Does nothing from this hour on. */
  void silentFrom(int hour) {
    silentFrom = hour;
  }

  /** The number of the newest secret in this hour. */
  int secret(int hour) {
    return 1 + (int) rotations.stream().filter(rotation -> hour >= rotation.from).count();
  }

  /** Requests in a usual busy hour. */
  double usualRate() {
    return Math.max(1, rate);
  }

  String anyNetwork() {
    return networks.get(0);
  }

  String anyEndpoint() {
    return endpoints.get(0);
  }

  /** The hour of the day where the client is. */
  int localHour(int hour) {
    return Math.floorMod(local(hour), 24);
  }

  private int local(int hour) {
    return hour + zone + (changesClocks && hour >= CLOCK_CHANGE * 24 ? 1 : 0);
  }

  private boolean isWeekend(int hour) {
    return Math.floorMod(Math.floorDiv(local(hour), 24), 7) >= 5;
  }

  /** Whether all of an hour's work is done in its first minutes. */
  boolean comesAtOnce() {
    return type == Type.NIGHTLY || type == Type.WEEKLY || type == Type.MONTHLY;
  }

  /** The next hour. */
  Sheet hour(int hour) {
    if (hour % 24 == 0) {
      today = chance.noise(0.15);
      sizeToday = chance.noise(0.1);
    }
    double mean = mean(hour) * today * chance.noise(noise);
    Event deployment = at(deployments, hour);
    if (deployment != null && mean > 0) {
      mean *= 1 + deployment.size;
      bytesPerRequest *= chance.in(0.2) ? chance.noise(0.3) : 1;
      if (chance.in(0.5)) {
        endpoints.add("/v2/resource-" + chance.between(0, 99));
      }
    }
    Event surge = at(surges, hour);
    mean *= surge == null ? 1 : surge.size;
    Sheet sheet = new Sheet();
    if (hour < silentFrom) {
      long requests = chance.poisson(mean);
      if (requests > 0) {
        work(sheet, hour, requests, deployment == null ? 0 : deployment.size);
      }
      evening(sheet, hour);
    }
    return sheet;
  }

  private static Event at(List<Event> events, int hour) {
    return events.stream().filter(event -> event.at(hour)).findFirst().orElse(null);
  }

  private double mean(int hour) {
    int time = localHour(hour);
    boolean weekend = isWeekend(hour);
    int day = Math.floorDiv(local(hour), 24);
    double grown = rate * StrictMath.pow(weeklyGrowth, hour / 168.0);
    boolean batch = Math.floorMod(time - batchHour, 24) < batchHours;
    double month = runsMonthly && day % 30 == 3 && time >= 1 && time < 5 ? 4 * grown : 0;
    boolean holiday = at(holidays, hour) != null;
    return switch (type) {
      case OFFICE ->
          (holiday || weekend && !worksWeekends ? 0 : grown * office(time) * (weekend ? 0.1 : 1))
              + month;
      case SERVICE, MOBILE -> grown * round(time) * (weekend || holiday ? 0.7 : 1) + month;
      case NIGHTLY -> batch ? grown : 0;
      case WEEKLY -> batch && Math.floorMod(day, 7) == cadence ? grown : 0;
      case MONTHLY -> batch && Math.floorMod(day, 30) <= 1 ? grown : 0;
      case TINY -> holiday || weekend && !worksWeekends ? 0 : grown * office(time);
      case POLLER -> rate;
    };
  }

  private static double office(int time) {
    return switch (time) {
      case 7, 19 -> 0.1;
      case 8, 18 -> 0.4;
      case 12 -> 0.7;
      default -> time > 8 && time < 18 ? 1 : 0;
    };
  }

  private static double round(int time) {
    return 0.6 + 0.4 * StrictMath.cos((time - 15) * Math.PI / 12);
  }

  private void work(Sheet sheet, int hour, long requests, double failing) {
    sheet.add(Metric.REQUESTS, Metric.ALL, requests);
    long errors =
        Math.min(
            requests, chance.poisson(requests * Math.max(errorShare * chance.noise(0.3), failing)));
    sheet.add(Metric.ANSWERS, "GET 200", requests - errors);
    sheet.add(Metric.ANSWERS, failing > 0 ? "GET 500" : "GET 404", errors);
    sheet.add(
        Metric.BYTES,
        Metric.ALL,
        (long) (requests * bytesPerRequest * sizeToday * chance.noise(0.15)));
    if (chance.in(0.02)) {
      sheet.add(Metric.REFUSALS, "LIMIT_EXCEEDED", chance.poisson(0.05 * requests));
    }
    for (int i = 0; i < endpoints.size(); i++) {
      sheet.add(
          Metric.ENDPOINTS, endpoints.get(i), chance.poisson(requests * 0.6 / ((i + 1) * (i + 1))));
    }
    networks(sheet, hour, requests);
    Event rotation = at(rotations, hour);
    int newest = secret(hour);
    long old =
        rotation == null ? 0 : requests * (rotation.to - hour) / (rotation.to - rotation.from + 1);
    sheet.add(Metric.SECRETS, Integer.toString(newest), requests - old);
    sheet.add(Metric.SECRETS, Integer.toString(newest - 1), old);
    sheet.most(
        Metric.PEAK_MINUTE, Math.max(1, Math.round(requests / 60.0 * chance.between(1.5, 4))));
  }

  private void networks(Sheet sheet, int hour, long requests) {
    if (newNetworksAnHour > 0) {
      for (long i = chance.poisson(newNetworksAnHour * round(localHour(hour))); i > 0; i--) {
        networks.add(chance.network());
      }
      int distinct = (int) Math.min(requests, 4 + chance.poisson(8));
      for (int i = 0; i < distinct; i++) {
        sheet.add(
            Metric.NETWORKS,
            networks.get(chance.between(0, networks.size() - 1)),
            requests / distinct);
      }
      sheet.most(
          Metric.PEAK_NETWORKS,
          Math.min(distinct, 1 + chance.poisson(Math.min(3, requests / 200.0))));
      return;
    }
    Event move = at(moves, hour);
    if (move != null && move.from == hour) {
      String to = chance.network();
      if (move.size == 1) {
        networks.clear();
      }
      networks.add(to);
    }
    int used = 0;
    for (String network : networks) {
      long share =
          networks.size() == 1 ? requests : chance.poisson((double) requests / networks.size());
      sheet.add(Metric.NETWORKS, network, share);
      used += share > 0 ? 1 : 0;
    }
    sheet.most(Metric.PEAK_NETWORKS, requests > 30 ? Math.max(1, used) : 1);
  }

  /** Somebody tries something from home. */
  private void evening(Sheet sheet, int hour) {
    Event evening = at(evenings, hour);
    if (evening != null) {
      String home = "198.51." + evening.from % 200 + ".0/24";
      sheet.let(1 + chance.poisson(evening.size), home, secret(hour), anyEndpoint(), "GET 200");
      sheet.most(Metric.PEAK_NETWORKS, 1);
    }
  }
}
