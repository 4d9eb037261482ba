package io.keystile;

import java.security.SecureRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * Counts wrong secrets by the address they came from, each for a minute that begins with the first
 * one. A table of fixed size without objects: sets of eight places, each set under one of a few
 * locks that are held for some nanoseconds. In a set that is full a new address takes the place of
 * the one with the fewest wrong secrets, the oldest of several, but never of one that was raised.
 *
 * <p>So a flood of addresses pushes out those that come once, as it does itself, and not those that
 * come often: for one with n wrong secrets it takes eight others with n each in the same set. Which
 * address is in which set depends on a random number of this node.
 */
final class WrongSecrets {

  /** Hears of an address, at most once in a minute of it. */
  @FunctionalInterface
  interface Alarm {
    void raise(String network, int count);
  }

  static final int SETS = 1_024;
  static final int WAYS = 8;
  static final int DEFAULT_THRESHOLD = 20;

  private static final int LOCKS = 64;
  private static final int NOWHERE = -1;
  private static final long MINUTE = 60_000_000_000L;

  /** Together with 32 bits no address that a client can have. */
  private static final long IPV4 = 0xFFFF_FFFFL << 32;

  private final int threshold;
  private final LongSupplier ticker;
  private final Alarm alarm;
  private final long salt = new SecureRandom().nextLong();
  private final ReentrantLock[] locks = new ReentrantLock[LOCKS];

  /** What is counted in each place, since when, and how many; 0 is a free place. */
  private final long[] networks = new long[SETS * WAYS];

  private final long[] since = new long[SETS * WAYS];
  private final int[] counts = new int[SETS * WAYS];

  private final LongAdder counted = new LongAdder();
  private final LongAdder unaddressed = new LongAdder();
  private final LongAdder overlooked = new LongAdder();
  private final LongAdder displaced = new LongAdder();

  /**
   * An empty table.
   *
   * @param threshold at which count an address is raised, at least 1
   */
  WrongSecrets(int threshold, LongSupplier ticker, Alarm alarm) {
    this.threshold = threshold;
    this.ticker = ticker;
    this.alarm = alarm;
    for (int i = 0; i < LOCKS; i++) {
      locks[i] = new ReentrantLock();
    }
  }

  /** Adds its counters. */
  void countIn(Counts totals) {
    totals
        .add("keystile.wrong_secrets", "counted", counted::sum)
        .add("keystile.wrong_secrets", "unaddressed", unaddressed::sum)
        .add("keystile.wrong_secrets", "overlooked", overlooked::sum)
        .add("keystile.wrong_secrets", "displaced", displaced::sum);
  }

  /** A wrong secret came from there. */
  void note(Origin origin) {
    IpAddress address = origin.ipAddress();
    if (address == null) {
      unaddressed.increment();
      return;
    }
    long network = address.isIpv4() ? IPV4 | address.low() : address.high();
    int set = setOf(network);
    boolean isAlarming;
    ReentrantLock lock = locks[set % LOCKS];
    lock.lock();
    try {
      isAlarming = add(set * WAYS, network, ticker.getAsLong());
    } finally {
      lock.unlock();
    }
    if (isAlarming) {
      alarm.raise(text(address), threshold);
    }
  }

  private int setOf(long network) {
    long mixed = (network ^ salt) * 0x9E37_79B9_7F4A_7C15L;
    mixed = (mixed ^ mixed >>> 32 ^ salt) * 0xC2B2_AE3D_27D4_EB4FL;
    return (int) (mixed >>> 40) % SETS;
  }

  private boolean add(int first, long network, long now) {
    int place = place(first, network, now);
    if (place == NOWHERE) {
      overlooked.increment();
      return false;
    }
    counted.increment();
    counts[place] = Math.min(counts[place], threshold) + 1; // beyond it nobody asks how many
    return counts[place] == threshold;
  }

  /** The place of an address in a set, a new one if it has none. */
  private int place(int first, long network, long now) {
    int victim = NOWHERE;
    for (int i = first; i < first + WAYS; i++) {
      if (counts[i] > 0 && now - since[i] >= MINUTE) {
        counts[i] = 0;
      }
      if (counts[i] > 0 && networks[i] == network) {
        return i;
      }
      if (counts[i] < threshold && (victim == NOWHERE || isRather(i, victim))) {
        victim = i;
      }
    }
    if (victim != NOWHERE) {
      if (counts[victim] > 0) {
        displaced.increment();
      }
      networks[victim] = network;
      since[victim] = now;
      counts[victim] = 0;
    }
    return victim;
  }

  /** Whether one place is to be given away rather than another. */
  private boolean isRather(int one, int other) {
    return counts[one] != counts[other]
        ? counts[one] < counts[other]
        : since[one] - since[other] < 0;
  }

  /** The network that one client has: an IPv4 address, or 64 bits of IPv6. */
  private static String text(IpAddress address) {
    if (address.isIpv4()) {
      return address + "/32";
    }
    StringBuilder text = new StringBuilder();
    for (long groups = address.high(); groups != 0; groups <<= 16) {
      text.append(Long.toHexString(groups >>> 48)).append(':');
    }
    return text.append(text.isEmpty() ? "::/64" : ":/64").toString();
  }
}
