package io.keystile.usage;

import java.time.Instant;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one key's use. Hours and days are mapped from their start; those without any use
 * may be left out, and the last ones may be going on. Nothing changes the maps while they are read.
 *
 * @param keyId the key
 * @param silentSince since when it was silent if the maps show no use before the last 24 hours;
 *     null if that is not known
 * @param hours all of the last 28 days and more, up to now
 * @param days as far back as there are any, 90 are looked at
 */
record History(
    String keyId,
    @Nullable Instant silentSince,
    SortedMap<Instant, Facts> hours,
    SortedMap<Instant, Facts> days) {

  static History of(
      String keyId,
      @Nullable Instant silentSince,
      SortedMap<Instant, Usage> hours,
      SortedMap<Instant, Usage> days) {
    return new History(
        keyId, silentSince, facts(hours, Measures.USUAL), facts(days, Measures.USUAL));
  }

  static SortedMap<Instant, Facts> facts(SortedMap<Instant, Usage> usage, Measures measures) {
    SortedMap<Instant, Facts> facts = new TreeMap<>();
    usage.forEach((start, of) -> facts.put(start, Facts.of(of, measures)));
    return facts;
  }

  /** The start of the first hour in which it was used, or of the first day; null if never. */
  @Nullable Instant firstUse() {
    if (hours.isEmpty()) {
      return days.isEmpty() ? null : days.firstKey();
    }
    Instant hour = hours.firstKey();
    boolean older = !days.isEmpty() && days.firstKey().isBefore(Span.day(hour));
    return older ? days.firstKey() : hour;
  }
}
