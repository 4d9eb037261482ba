package io.keystile.store.jdbc;

import io.keystile.store.jdbc.ClusterNode.Journal;
import io.keystile.store.jdbc.ClusterNode.Span;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Holds the journals of a cluster against what is promised. Compared are the <em>starts</em> of
 * validations: one that began before a verb returned may be accepted, however late it ends.
 *
 * <p>Three of the rules allow nothing for a busy machine. That a change arrives within {@code
 * propagation} cannot hold where a poll begins late because its process got no processor, or takes
 * longer than its deadline: so a node that breaks this is excused if its journal shows just that,
 * and how often it was is part of the report; if it is often, nothing was shown. That polls are not
 * late by themselves is a rule too.
 */
final class Judge {
  /** What a node may not do. */
  enum Rule {
    /** Accept what it has ended itself, in a validation that started after the verb returned. */
    OWN_CHANGE,
    /** Accept after a good poll that began after the verb had returned. */
    GOOD_POLL,
    /** Accept for longer than maxStale, whatever becomes of the polls. */
    MAX_STALE,
    /** Poll less often than propagation needs, even in the quarter in which it polls most often. */
    SCHEDULE,
    /** Accept for longer than propagation, though the polls came in time. */
    PROPAGATION
  }

  /** A key that is of no use any more. */
  record Ended(int key, int actor, long returned) {}

  /**
   * How one node took one change.
   *
   * @param lag from the return of the verb to the start of the last validation that was accepted
   */
  private record Seen(int node, boolean own, long lag) {}

  /** What may pass between the answer to a poll and the end of it. */
  private static final long FORGETTING = 20_000_000;

  private static final long[] MILLIS = {0, 50, 100, 150, 250, 500, 750, 1000, 1500, 2000};

  private final long propagation;
  private final long maxStale;
  private final List<Seen> seen = new ArrayList<>();
  private final Map<Integer, Map<Rule, Integer>> broken = new TreeMap<>();
  private long validations;
  private int excused;

  Judge(Duration propagation, Duration maxStale) {
    this.propagation = propagation.toNanos();
    this.maxStale = maxStale.toNanos();
  }

  /**
   * Takes in what one node did.
   *
   * @param pollsFail whether its polls are made to fail, so that nothing but maxStale holds
   */
  void hear(int node, Journal journal, boolean pollsFail, List<Ended> all) {
    broken.put(node, new TreeMap<>());
    validations += journal.validations();
    if (!pollsFail && !isOnSchedule(journal.polls())) {
      breaks(node, Rule.SCHEDULE);
    }
    for (Ended ended : all) {
      long lag = journal.accepted()[ended.key()] - ended.returned();
      boolean own = ended.actor() == node;
      seen.add(new Seen(node, own, lag));
      if (own && lag > 0) {
        breaks(node, Rule.OWN_CHANGE);
      }
      if (journal.asOf()[ended.key()] > ended.returned()) {
        breaks(node, Rule.GOOD_POLL);
      }
      if (lag > maxStale) {
        breaks(node, Rule.MAX_STALE);
      }
      if (lag > propagation && !pollsFail && !isExcused(journal, ended.returned())) {
        breaks(node, Rule.PROPAGATION);
      }
    }
  }

  /** Whether the poll that brings the change ended too late after the one before had begun. */
  private boolean isExcused(Journal journal, long returned) {
    List<Span> polls = journal.polls();
    for (int i = 1; i < polls.size(); i++) {
      if (polls.get(i).from() > returned) {
        Span both = new Span(polls.get(i - 1).from(), polls.get(i).to());
        boolean late = both.to() - both.from() > propagation - FORGETTING;
        excused += late ? 1 : 0;
        return late;
      }
    }
    return false;
  }

  private boolean isOnSchedule(List<Span> polls) {
    long[] between = new long[polls.size() - 1];
    for (int i = 0; i < between.length; i++) {
      between[i] = polls.get(i + 1).from() - polls.get(i).from();
    }
    Arrays.sort(between);
    return between[between.length / 4] <= propagation / 2 * 1.2;
  }

  private void breaks(int node, Rule rule) {
    broken.get(node).merge(rule, 1, Integer::sum);
  }

  /** How long validation must go on after the last change, for every rule to have been tried. */
  long longest() {
    return Math.min(maxStale, 4 * propagation) + Math.max(propagation, 500_000_000);
  }

  /** Whether any node but the acting one accepted after a verb had returned. */
  boolean isRaced() {
    return seen.stream().anyMatch(one -> !one.own() && one.lag() > 0);
  }

  /** Whether no more than one in twenty endings was excused, over all nodes. */
  boolean isSeldomExcused() {
    return excused * 20L <= seen.size();
  }

  long validations() {
    return validations;
  }

  /** For each node how often it broke which rule. */
  Map<Integer, Map<Rule, Integer>> broken() {
    return broken;
  }

  /** All that was measured, in a few lines. */
  String report(String name, List<Integer> apart) {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            "%s: %,d validations, %d beyond propagation because polls were late%n",
            name, validations, excused));
    text.append(line("own changes", seen.stream().filter(Seen::own).toList()));
    List<Seen> others = seen.stream().filter(one -> !one.own()).toList();
    text.append(line("others'", others.stream().filter(one -> !in(apart, one)).toList()));
    if (!apart.isEmpty()) {
      text.append(line("polls fail", others.stream().filter(one -> in(apart, one)).toList()));
    }
    return text.toString();
  }

  private static boolean in(List<Integer> nodes, Seen one) {
    return nodes.contains(one.node());
  }

  private static String line(String name, List<Seen> some) {
    if (some.isEmpty()) {
      return "";
    }
    Map<Long, Long> counts =
        some.stream()
            .collect(Collectors.groupingBy(Judge::bucket, TreeMap::new, Collectors.counting()));
    double most = some.stream().mapToLong(Seen::lag).max().orElse(0) / 1e6;
    String histogram =
        counts.entrySet().stream()
            .map(
                entry ->
                    (entry.getKey() == Long.MAX_VALUE ? "more" : "<=" + entry.getKey())
                        + ": "
                        + entry.getValue())
            .collect(Collectors.joining(", "));
    return String.format(
        "  %-12s %d times; last accepted start after the return, ms: %s; max %.1f%n",
        name, some.size(), histogram, most);
  }

  private static long bucket(Seen one) {
    for (long millis : MILLIS) {
      if (one.lag() <= millis * 1_000_000) {
        return millis;
      }
    }
    return Long.MAX_VALUE;
  }
}
