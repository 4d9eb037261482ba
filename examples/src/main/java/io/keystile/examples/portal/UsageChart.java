package io.keystile.examples.portal;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Numbers over time as bars, drawn as SVG: made for 24 hours and for 30 days. */
final class UsageChart {
  private static final int WIDTH = 640;
  private static final int LEFT = 64;
  private static final int TOP = 12;
  private static final int HEIGHT = 150;
  private static final int LABELS = 8;

  private UsageChart() {}

  /**
   * A bar.
   *
   * @param label for when it stands, short enough for the axis
   * @param value at least 0
   */
  record Bar(String label, long value) {
    Bar {
      if (value < 0) {
        throw new IllegalArgumentException("value: must not be negative, is " + value);
      }
    }
  }

  /**
   * Draws a chart.
   *
   * @param id for references within the page, unique on it
   * @param title what it shows, as {@code Requests in the last 24 hours}
   * @param bars from the oldest to the newest; at least one
   */
  static Html of(String id, String title, List<Bar> bars) {
    if (bars.isEmpty()) {
      throw new IllegalArgumentException("bars: must not be empty");
    }
    long top = roundTop(bars.stream().mapToLong(Bar::value).max().orElse(0));
    return Html.of(
        """
        <svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-text">
        <title id="{}-title">{}</title>
        <desc id="{}-text">{}</desc>
        {}{}</svg>
        """,
        WIDTH,
        TOP + HEIGHT + 30,
        id,
        id,
        id,
        title,
        id,
        inWords(bars),
        grid(top),
        columns(bars, top));
  }

  /** What those hear who do not see it. */
  static String inWords(List<Bar> bars) {
    Bar highest = bars.get(0);
    double sum = 0;
    for (Bar bar : bars) {
      sum += bar.value();
      highest = bar.value() > highest.value() ? bar : highest;
    }
    String span =
        "%d bars, from %s to %s. "
            .formatted(bars.size(), bars.get(0).label(), bars.get(bars.size() - 1).label());
    return highest.value() == 0
        ? span + "All are zero."
        : span
            + "In all %s; the highest is %s, at %s."
                .formatted(number(Math.round(sum)), number(highest.value()), highest.label());
  }

  /** The smallest round number that is not below the highest bar, and that can be halved. */
  static long roundTop(long highest) {
    long power = 1;
    while (true) {
      for (long step : new long[] {4, 6, 8, 10, 12, 16, 20, 30}) {
        if (power > Long.MAX_VALUE / step / 10) {
          return Math.max(highest, 1);
        }
        if (step * power >= highest) {
          return step * power;
        }
      }
      power *= 10;
    }
  }

  private static Html grid(long top) {
    List<Html> lines = new ArrayList<>();
    for (int half = 0; half <= 2; half++) {
      int y = TOP + HEIGHT - HEIGHT * half / 2;
      lines.add(
          Html.of(
              """
              <line x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>
              """,
              LEFT,
              WIDTH,
              y,
              y,
              LEFT - 8,
              y + 4,
              number(half == 2 ? top : top / 2 * half)));
    }
    return Html.join(lines);
  }

  private static Html columns(List<Bar> bars, long top) {
    double slot = (double) (WIDTH - LEFT) / bars.size();
    int every = (bars.size() + LABELS - 1) / LABELS;
    List<Html> columns = new ArrayList<>();
    for (int i = 0; i < bars.size(); i++) {
      Bar bar = bars.get(i);
      double x = LEFT + i * slot;
      // what is not zero can be seen, however small beside the others
      double height = bar.value() == 0 ? 0 : Math.max(2, (double) bar.value() / top * HEIGHT);
      columns.add(
          Html.of(
              """
              <rect x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}: {}</title></rect>
              """,
              decimal(x + slot * 0.14),
              decimal(TOP + HEIGHT - height),
              decimal(slot * 0.72),
              decimal(height),
              bar.label(),
              number(bar.value())));
      if (i % every == 0) {
        columns.add(
            Html.of(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                decimal(x + slot / 2),
                TOP + HEIGHT + 22,
                bar.label()));
      }
    }
    return Html.join(columns);
  }

  private static String decimal(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  /** As 950, 12.5k, 3M. */
  static String number(long value) {
    if (value < 10_000) {
      return String.valueOf(value);
    }
    String[] units = {"k", "M", "G", "T", "P", "E"};
    double scaled = value;
    int unit = -1;
    while (scaled >= 999.95 && unit < units.length - 1) {
      scaled /= 1000;
      unit++;
    }
    String text = String.format(Locale.ROOT, "%.1f", scaled);
    return (text.endsWith(".0") ? text.substring(0, text.length() - 2) : text) + units[unit];
  }
}
