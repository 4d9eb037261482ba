package io.keystile.usage;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes one line of JSON per request; {@link RequestRecords} has the contract. */
final class RequestLog {
  private static final Logger log = LoggerFactory.getLogger(RequestRecords.LOGGER);
  private static final String HEX = "0123456789abcdef";

  private RequestLog() {}

  /**
   * Writes a line, if the logger is switched on.
   *
   * @param request what to write
   */
  static void record(RequestRecord request) {
    if (log.isInfoEnabled()) {
      log.info("{}", line(request)); // as an argument: braces in it mean nothing
    }
  }

  /** The line without its end. */
  static String line(RequestRecord request) {
    StringBuilder line = new StringBuilder(256);
    line.append('{');
    text(line, "time", request.time().toString());
    text(line, "key", request.keyId());
    text(line, "owner", request.owner());
    text(line, "endpoint", request.endpoint());
    text(line, "method", request.method());
    number(line, "status", request.status());
    number(line, "micros", micros(request.duration()));
    text(line, "client", request.client());
    number(line, "bytes", request.bytes());
    text(line, "caller", request.caller());
    return line.append('}').toString();
  }

  private static @Nullable Long micros(@Nullable Duration duration) {
    // not by nanoseconds, which end after 292 years
    return duration == null
        ? null
        : TimeUnit.SECONDS.toMicros(duration.getSeconds()) + duration.getNano() / 1_000;
  }

  private static void number(StringBuilder line, String name, @Nullable Number value) {
    if (value != null) {
      name(line, name);
      line.append(value);
    }
  }

  private static void text(StringBuilder line, String name, @Nullable String value) {
    if (value != null) {
      name(line, name);
      line.append('"');
      for (int i = 0; i < value.length(); i++) {
        escape(line, value.charAt(i));
      }
      line.append('"');
    }
  }

  private static void name(StringBuilder line, String name) {
    line.append(line.length() == 1 ? "\"" : ",\"").append(name).append("\":");
  }

  private static void escape(StringBuilder line, char c) {
    boolean isPlain = c >= ' ' && c < 0x7F && c != '"' && c != '\\';
    if (isPlain) {
      line.append(c);
      return;
    }
    line.append("\\u");
    for (int shift = 12; shift >= 0; shift -= 4) {
      line.append(HEX.charAt(c >>> shift & 0xF));
    }
  }
}
