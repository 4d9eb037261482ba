package io.keystile.usage;

import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;

/** Evidence in words: numbers to be read, and names that clients may have chosen made harmless. */
final class Words {
  private static final int MAX_NAMES = 3;
  private static final int MAX_LENGTH = 60;

  private Words() {}

  static String number(long n) {
    return number((double) n);
  }

  static String number(double n) {
    return n < 10 && n != Math.rint(n)
        ? String.format(Locale.ROOT, "%.1f", n)
        : String.format(Locale.ROOT, "%,d", Math.round(n));
  }

  static String percent(double share) {
    return number(100 * share) + " %";
  }

  /** The first few, in quotes, and how many more there are. */
  static String names(Collection<String> names) {
    String some =
        names.stream().limit(MAX_NAMES).map(Words::quoted).collect(Collectors.joining(", "));
    int more = names.size() - MAX_NAMES;
    return more > 0 ? some + " and " + number(more) + " more" : some;
  }

  /** Printable ASCII stays; a name that is too long is cut. */
  private static String quoted(String name) {
    StringBuilder text = new StringBuilder("\"");
    int end = Math.min(name.length(), MAX_LENGTH);
    for (int i = 0; i < end; i++) {
      char c = name.charAt(i);
      if (c < ' ' || c > '~' || c == '"' || c == '\\') {
        text.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        text.append(c);
      }
    }
    return text.append(end < name.length() ? "...\"" : "\"").toString();
  }
}
