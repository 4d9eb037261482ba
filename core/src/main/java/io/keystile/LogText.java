package io.keystile;

/** What others have written, made fit for a log: one line, and nothing that a viewer obeys. */
final class LogText {
  private static final int LONGEST = 500;

  private LogText() {}

  /**
   * A failure, as its class, its message and where it was thrown. Stores promise that no stored
   * value is in a message, but drivers and code of the host may put owners and worse there.
   */
  static String of(Throwable failure) {
    StackTraceElement[] trace = failure.getStackTrace();
    String place = trace.length == 0 ? "" : " at " + trace[0];
    return escaped(String.valueOf(failure)) + escaped(place);
  }

  /**
   * The beginning of a text, with all but printable ASCII, and the backslash, as {@code \}u000a.
   */
  static String escaped(String text) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < Math.min(text.length(), LONGEST); i++) {
      char c = text.charAt(i);
      if (c >= ' ' && c < 0x7F && c != '\\') {
        line.append(c);
      } else {
        line.append("\\u%04x".formatted((int) c));
      }
    }
    return line.append(text.length() > LONGEST ? "..." : "").toString();
  }
}
