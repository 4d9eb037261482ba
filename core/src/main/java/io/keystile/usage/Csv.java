package io.keystile.usage;

import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Tally;
import java.io.IOException;

/** Writes tallies as lines of CSV (RFC 4180). */
final class Csv {
  private static final String END = "\r\n";
  private static final String FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20";

  private final Appendable out;

  Csv(Appendable out) {
    this.out = out;
  }

  void header() throws IOException {
    out.append("key_id,owner,plan,period,start,metric,label,amount").append(END);
  }

  void line(Tally tally) throws IOException {
    String plan = tally.subject().plan();
    out.append(tally.subject().keyId()).append(',');
    out.append(field(tally.subject().owner())).append(',');
    out.append(field(plan == null ? "" : plan)).append(',');
    out.append(tally.period() == Period.HOUR ? "hour" : "day").append(',');
    out.append(tally.start().toString()).append(',');
    out.append(tally.metric()).append(',');
    out.append(field(tally.label())).append(',');
    out.append(Long.toString(tally.amount())).append(END);
  }

  /** Quoted where needed; owners and endpoints are other people's text. */
  private static String field(String text) {
    // OWASP, CSV Injection: a spreadsheet runs what begins like this
    String safe = !text.isEmpty() && FORMULA.indexOf(text.charAt(0)) >= 0 ? "'" + text : text;
    boolean isPlain = safe.chars().noneMatch(c -> c == ',' || c == '"' || c < ' ');
    return isPlain ? safe : '"' + safe.replace("\"", "\"\"") + '"';
  }
}
