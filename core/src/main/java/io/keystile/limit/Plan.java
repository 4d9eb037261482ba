package io.keystile.limit;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A named set of limits: all windows that a key must keep to. A plan names all of them and inherits
 * none. Immutable: the methods that look like setters return a changed copy.
 *
 * <pre>{@code
 * Plan team =
 *     Plan.of("team", Window.perSecond(50), Window.perDay(200_000))
 *         .quota("bytes", Window.perDay(20_000_000_000L))
 *         .perOwner();
 * }</pre>
 *
 * <p><b>Resolution.</b> A window whose limit is at most 16 (or the resolution, if that is more)
 * remembers each of its permits and is exact. A larger one is divided into as many portions as the
 * resolution says, 9 by default, and remembers when each portion was used up; a portion comes back
 * as a whole, when the last permit of it has left the window. So never more than the limit is let
 * through, and a little less may be: with a limit {@code L} and a resolution {@code r} a call of
 * cost 1 is refused only if at least {@code L - ceil(L / r) + 1} permits are in the window, that is
 * more than {@code L * (1 - 1 / r)}: 0.888 of the limit by default, 0.98 with a resolution of 50.
 */
public final class Plan {
  /** The unit of requests. */
  public static final String REQUESTS = "requests";

  private static final int DEFAULT_RESOLUTION = 9;
  private static final Pattern UNIT = Pattern.compile("[a-z][a-z0-9-]{0,31}");
  private static final Window SECOND = Window.perSecond(10);
  private static final Window MINUTE = Window.perMinute(300);
  private static final Window HOUR = Window.perHour(5_000);

  private static final Plan STANDARD = of("default", SECOND, MINUTE, HOUR, Window.perDay(50_000));
  private static final Plan FREE = of("free", SECOND, MINUTE, HOUR, Window.perDay(1_000));
  private static final Plan PRO = of("pro", SECOND, MINUTE, HOUR, Window.perDay(100_000));
  private static final Plan UNLIMITED = of("unlimited");

  /** The windows of one unit. */
  private record Quota(String unit, List<Window> windows) {}

  private final String name;
  private final List<Window> windows;
  private final List<Quota> quotas;
  private final boolean perOwner;
  private final int resolution;

  /** Compiled: of the requests, null if they are not limited, and of each quota. */
  private final @Nullable Layout requestLayout;

  private final List<Layout> quotaLayouts;

  private Plan(
      String name, List<Window> windows, List<Quota> quotas, boolean perOwner, int resolution) {
    this.name = name;
    this.windows = windows;
    this.quotas = quotas;
    this.perOwner = perOwner;
    this.resolution = resolution;
    requestLayout = windows.isEmpty() ? null : Layout.ofPermits(windows, resolution);
    quotaLayouts = quotas.stream().map(q -> Layout.ofUnits(q.unit, q.windows, resolution)).toList();
  }

  /**
   * A plan that limits requests, counted for each key by itself.
   *
   * @param name what keys call it by, 1 to 100 characters
   * @param windows any number, no two of one length; none for no limit on requests
   * @return the plan
   * @throws IllegalArgumentException if the name is empty or too long, two windows have one length,
   *     or a limit is above 2^30
   */
  public static Plan of(String name, Window... windows) {
    Objects.requireNonNull(name, "name");
    if (name.isEmpty() || name.length() > 100) {
      throw new IllegalArgumentException("name: must be 1 to 100 characters");
    }
    return new Plan(name, requireDistinct(windows), List.of(), false, DEFAULT_RESOLUTION);
  }

  /**
   * What applies where no plan is named: 10 a second, 300 a minute, 5,000 an hour, 50,000 a day.
   *
   * @return the plan {@code default}
   */
  public static Plan standard() {
    return STANDARD;
  }

  /**
   * 1,000 a day, and within it 10 a second, 300 a minute, 5,000 an hour.
   *
   * @return the plan {@code free}
   */
  public static Plan free() {
    return FREE;
  }

  /**
   * 100,000 a day, and within it 10 a second, 300 a minute, 5,000 an hour.
   *
   * @return the plan {@code pro}
   */
  public static Plan pro() {
    return PRO;
  }

  /**
   * No limit at all.
   *
   * @return the plan {@code unlimited}
   */
  public static Plan unlimited() {
    return UNLIMITED;
  }

  /**
   * Counts all keys of an owner together instead of each by itself. A plan does one or the other.
   *
   * @return a copy that does
   */
  public Plan perOwner() {
    return new Plan(name, windows, quotas, true, resolution);
  }

  /**
   * Limits another unit besides requests, as bytes sent. What a request will use is not known
   * before, so it is let in while anything is left, and what it used is charged afterwards, always:
   * the quota is passed by what was in flight then. Where a limit is above 2^30, amounts are
   * counted in grains of a 2^30th of the largest one. {@linkplain Meter#charge How to charge}.
   *
   * @param unit what is counted, {@code [a-z][a-z0-9-]{0,31}}, but not {@code requests}
   * @param windows at least one, no two of one length; the largest limit at most 2^30 times the
   *     smallest
   * @return a copy with this quota instead of one for the same unit
   * @throws IllegalArgumentException if the unit or the windows are not valid
   */
  public Plan quota(String unit, Window... windows) {
    Objects.requireNonNull(unit, "unit");
    if (!UNIT.matcher(unit).matches() || unit.equals(REQUESTS)) {
      throw new IllegalArgumentException("unit: must match " + UNIT + " and not be " + REQUESTS);
    }
    if (windows.length == 0) {
      throw new IllegalArgumentException("windows: a quota needs at least one");
    }
    List<Quota> all = new ArrayList<>(quotas);
    all.removeIf(quota -> quota.unit.equals(unit));
    all.add(new Quota(unit, requireDistinct(windows)));
    return new Plan(name, this.windows, List.copyOf(all), perOwner, resolution);
  }

  /**
   * Sets into how many portions a window is divided; see the class. Memory grows with it: four
   * bytes for each portion of each window and key.
   *
   * @param portions 2 to 1,000
   * @return a copy with this resolution
   * @throws IllegalArgumentException if it is out of range
   */
  public Plan resolution(int portions) {
    if (portions < 2 || portions > 1_000) {
      throw new IllegalArgumentException("portions: must be 2 to 1,000, is " + portions);
    }
    return new Plan(name, windows, quotas, perOwner, portions);
  }

  /**
   * Limits requests over one length of time in another way, and over all others as before.
   *
   * @param window the window; takes the place of one of the same length, if there is one
   * @return a copy with this window
   * @throws IllegalArgumentException if its limit is above 2^30
   */
  public Plan window(Window window) {
    List<Window> all = new ArrayList<>(windows);
    all.replaceAll(other -> other.length().equals(window.length()) ? window : other);
    if (!all.contains(window)) {
      all.add(window);
    }
    return new Plan(name, List.copyOf(all), quotas, perOwner, resolution);
  }

  private static List<Window> requireDistinct(Window... windows) {
    if (Stream.of(windows).map(Window::length).distinct().count() < windows.length) {
      throw new IllegalArgumentException("windows: two have the same length");
    }
    return List.of(windows);
  }

  /**
   * What keys call it by.
   *
   * @return the name
   */
  public String name() {
    return name;
  }

  /**
   * The windows of requests.
   *
   * @return as they were given; empty if requests are not limited
   */
  public List<Window> windows() {
    return windows;
  }

  /**
   * The units other than requests that it limits.
   *
   * @return in the order in which they were given
   */
  public List<String> units() {
    return quotas.stream().map(Quota::unit).toList();
  }

  /**
   * The windows of one unit.
   *
   * @param unit {@link #REQUESTS} or another
   * @return its windows; empty if the unit is not limited
   */
  public List<Window> windows(String unit) {
    if (unit.equals(REQUESTS)) {
      return windows;
    }
    return quotas.stream()
        .filter(quota -> quota.unit.equals(unit))
        .findFirst()
        .map(Quota::windows)
        .orElse(List.of());
  }

  /**
   * Whether all keys of an owner are counted together.
   *
   * @return true if they are
   */
  public boolean isPerOwner() {
    return perOwner;
  }

  @Nullable Layout requestLayout() {
    return requestLayout;
  }

  List<Layout> quotaLayouts() {
    return quotaLayouts;
  }

  /**
   * Describes the plan, for logs.
   *
   * @return its name and windows
   */
  @Override
  public String toString() {
    return "Plan[" + name + ", windows=" + windows + ", quotas=" + quotas + "]";
  }
}
