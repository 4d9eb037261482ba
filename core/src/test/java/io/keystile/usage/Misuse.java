package io.keystile.usage;

import io.keystile.usage.MadeUpClient.Type;
import java.util.ArrayList;
import java.util.List;

/**
 * Misuse of one key: what it adds to what the client does, hour by hour. The amounts of each kind
 * are drawn, small ones as likely as large ones.
 */
final class Misuse {
  /** What somebody does with a key. */
  enum Kind {
    STOLEN_QUIETLY("a stolen key used at a low rate from one other network"),
    SCRAPING("scraping, 3 to 20 times the usual rate, one in three from the client's network"),
    PUBLISHED("a published key, 5 to 40 strangers"),
    PROBING("probing of 10 to 60 endpoints, half of it from the client's network"),
    ERROR_STORM("20 to 80 % errors for 8 to 24 hours"),
    DORMANT_KEY("a key that had slept for 46 days or more"),
    OLD_SECRET("the old secret within its grace, after the client had moved on"),
    RETIRED_SECRET("a retired secret, refused"),
    EXFILTRATION("2 to 6 times the usual bytes in about as many requests"),
    NIGHT_SHIFT("an office key used at night, two in three from the client's network"),
    SCOPE_PROBING("15 to 60 % refused for their scopes, from the client's network"),
    COPIES("copies of the client in 1 to 3 other places at the same time"),
    SLOW_RAMP("8 % more each day, up to 5 times, from the client's network");

    final String words;

    Kind(String words) {
      this.words = words;
    }
  }

  private static final int START_DAY = 32;
  private static final int LAST_DAY = 55;

  final Kind kind;
  final int start;

  /** From when on it counts whether it is found. */
  final int onset;

  private final Chance chance;
  private final MadeUpClient client;
  private final int length;
  private final double size;
  private final List<String> from = new ArrayList<>();

  Misuse(Kind kind, MadeUpClient client, long seed) {
    this.kind = kind;
    this.client = client;
    chance = new Chance(seed);
    int day = kind == Kind.SLOW_RAMP ? START_DAY : chance.between(START_DAY, LAST_DAY);
    start = kind == Kind.DORMANT_KEY ? 55 * 24 : day * 24 + chance.between(0, 23);
    onset = kind == Kind.SLOW_RAMP ? start + 10 * 24 : start;
    size = size();
    length = length();
    for (int i = origins(); i > 0; i--) {
      from.add(chance.network());
    }
    prepare();
  }

  /** Whether a client is one to which it can happen. */
  static boolean fits(Kind kind, MadeUpClient client) {
    boolean rare = client.type == Type.MONTHLY || client.type == Type.WEEKLY;
    return switch (kind) {
      case NIGHT_SHIFT -> client.type == Type.OFFICE;
      case EXFILTRATION, ERROR_STORM, SCOPE_PROBING, COPIES, SLOW_RAMP ->
          !rare && client.type != Type.TINY;
      default -> !rare;
    };
  }

  private double size() {
    return switch (kind) {
      case STOLEN_QUIETLY -> chance.magnitude(2, 30);
      case SCRAPING -> chance.magnitude(3, 20);
      case PUBLISHED -> chance.magnitude(1, 10);
      case PROBING -> chance.magnitude(10, 60);
      case ERROR_STORM -> chance.between(0.2, 0.8);
      case DORMANT_KEY, OLD_SECRET, RETIRED_SECRET -> chance.magnitude(1, 30);
      case EXFILTRATION -> chance.magnitude(2, 6);
      case NIGHT_SHIFT -> chance.magnitude(3, 60);
      case SCOPE_PROBING -> chance.between(0.15, 0.6);
      case COPIES, SLOW_RAMP -> 1;
    };
  }

  private int length() {
    return switch (kind) {
      case SLOW_RAMP -> 28 * 24;
      case ERROR_STORM, SCOPE_PROBING -> chance.between(8, 24);
      case SCRAPING -> chance.between(4, 24);
      case PROBING -> chance.between(2, 18);
      default -> chance.between(12, 72);
    };
  }

  private int origins() {
    return switch (kind) {
      case STOLEN_QUIETLY -> 1;
      case SCRAPING -> chance.in(0.67) ? 1 : 0;
      case PUBLISHED -> chance.between(5, 40);
      case PROBING, DORMANT_KEY -> chance.in(0.5) ? 1 : 0;
      case OLD_SECRET -> chance.in(0.6) ? 1 : 0;
      case EXFILTRATION, NIGHT_SHIFT -> chance.in(0.33) ? 1 : 0;
      case COPIES -> chance.between(1, 3);
      default -> 0;
    };
  }

  private void prepare() {
    switch (kind) {
      case DORMANT_KEY -> client.silentFrom(chance.between(7, 9) * 24);
      case OLD_SECRET -> client.rotateAt(start - chance.between(5 * 24, 7 * 24));
      case RETIRED_SECRET -> client.rotateAt(start - chance.between(8 * 24, 20 * 24));
      default -> {}
    }
  }

  /** What it adds in this hour to what the client has done. */
  Sheet add(int hour, Sheet clean) {
    Sheet sheet = new Sheet().addAll(clean);
    if (hour < start || hour >= start + length) {
      return sheet;
    }
    boolean awake = chance.in(0.7);
    long usual = clean.requests();
    switch (kind) {
      case STOLEN_QUIETLY, DORMANT_KEY -> let(sheet, awake ? chance.poisson(size) : 0, hour);
      case SCRAPING -> {
        long more = chance.poisson(size * client.usualRate());
        let(sheet, more, hour);
        sheet.add(Metric.BYTES, Metric.ALL, more * 5_000);
      }
      case PUBLISHED ->
          from.forEach(
              network -> {
                if (chance.in(0.3)) {
                  letFrom(network, sheet, 1 + chance.poisson(size), hour);
                }
              });
      case PROBING -> probe(sheet, hour);
      case ERROR_STORM -> {
        long failed = chance.poisson(usual * size / (1 - size));
        let(sheet, 0, hour);
        sheet.add(Metric.REQUESTS, Metric.ALL, failed).add(Metric.ANSWERS, "GET 500", failed);
      }
      case OLD_SECRET -> old(sheet, awake ? chance.poisson(size) : 0, hour);
      case RETIRED_SECRET ->
          sheet.refuse(awake ? chance.poisson(size) : 0, "RETIRED", client.secret(hour) - 1);
      case EXFILTRATION -> exfiltrate(sheet, hour);
      case NIGHT_SHIFT -> {
        int time = client.localHour(hour);
        let(sheet, time < 6 || time > 21 ? chance.poisson(size) : 0, hour);
      }
      case SCOPE_PROBING ->
          sheet.refuse(
              chance.poisson(usual * size / (1 - size)), "SCOPE_MISSING", client.secret(hour));
      case COPIES -> from.forEach(network -> letFrom(network, sheet, usual, hour));
      case SLOW_RAMP -> {
        double times = Math.min(5, StrictMath.pow(1.08, (hour - start) / 24.0)) - 1;
        sheet.add(Metric.REQUESTS, Metric.ALL, chance.poisson(usual * times));
      }
      default -> throw new AssertionError(kind);
    }
    if (kind == Kind.COPIES && usual > 30) {
      sheet.most(Metric.PEAK_NETWORKS, from.size() + 1);
    }
    return sheet;
  }

  private String origin() {
    return from.isEmpty() ? client.anyNetwork() : from.get(0);
  }

  private void let(Sheet sheet, long requests, int hour) {
    letFrom(origin(), sheet, requests, hour);
  }

  private void letFrom(String network, Sheet sheet, long requests, int hour) {
    if (requests > 0) {
      sheet.let(requests, network, client.secret(hour), client.anyEndpoint(), "GET 200");
      sheet.most(Metric.PEAK_NETWORKS, 1);
    }
  }

  private void old(Sheet sheet, long requests, int hour) {
    if (requests > 0) {
      sheet.let(requests, origin(), client.secret(hour) - 1, client.anyEndpoint(), "GET 200");
    }
  }

  private void probe(Sheet sheet, int hour) {
    int everyHour = (int) Math.ceil(size / length);
    for (int i = 0; i < everyHour; i++) {
      String endpoint = "/internal/" + ((hour - start) * everyHour + i);
      String answer = chance.in(0.8) ? "GET 404" : "GET 200";
      sheet.let(1 + chance.poisson(1), origin(), client.secret(hour), endpoint, answer);
    }
  }

  private void exfiltrate(Sheet sheet, int hour) {
    long bytes = sheet.usage().bytes();
    sheet.add(Metric.BYTES, Metric.ALL, Math.round(bytes * (size - 1)));
    if (!from.isEmpty() && bytes > 0) {
      let(sheet, 1 + chance.poisson(3), hour);
    }
  }
}
