package io.keystile.usage;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.Seed;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Owners and endpoints are other people's text: each stays in its field, and is no formula. */
class CsvTest {
  private static final Instant HOUR = Instant.parse("2026-03-02T12:00:00Z");
  private static final int ROUNDS = 20_000;
  private static final int FIELDS = 8;

  /** What begins a formula, ends a field or a line, or looks like it. */
  private static final String HOSTILE = "=+-@\t\r\n\"',; a1(\uff1d\uff20\u00fc\u2028|";

  private static Tally tally(String owner, @Nullable String plan, String label) {
    return new Tally(
        new Subject("0351fcs8Bym6tbejfDMyAJ", owner, plan), Period.HOUR, HOUR, "bytes", label, 7);
  }

  private static String line(Tally tally) throws IOException {
    StringBuilder out = new StringBuilder();
    new Csv(out).line(tally);
    return out.toString();
  }

  /** RFC 4180 once more, read strictly; null for what is no line of it. */
  private static @Nullable List<String> fields(String line) {
    List<String> fields = new ArrayList<>();
    int at = 0;
    while (true) {
      StringBuilder field = new StringBuilder();
      if (line.startsWith("\"", at)) {
        at++;
        while (at < line.length() && (line.charAt(at) != '"' || line.startsWith("\"\"", at))) {
          field.append(line.charAt(at));
          at += line.charAt(at) == '"' ? 2 : 1;
        }
        at++;
      } else {
        while (at < line.length() && "\",\r\n".indexOf(line.charAt(at)) < 0) {
          field.append(line.charAt(at++));
        }
      }
      fields.add(field.toString());
      if (line.startsWith(",", at)) {
        at++;
      } else {
        return line.substring(Math.min(at, line.length())).equals("\r\n") ? fields : null;
      }
    }
  }

  private static boolean isFormula(String field) {
    return !field.isEmpty() && "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20".indexOf(field.charAt(0)) >= 0;
  }

  private static boolean isAsGiven(@Nullable String field, String text) {
    return text.equals(field) || (isFormula(text) && ("'" + text).equals(field));
  }

  private static String hostile(SplittableRandom random) {
    StringBuilder text = new StringBuilder();
    int length = 1 + random.nextInt(6);
    for (int i = 0; i < length; i++) {
      text.append(HOSTILE.charAt(random.nextInt(HOSTILE.length())));
    }
    return text.toString();
  }

  /** How many lines are not what was given, or hold a formula, if lines are changed on the way. */
  private static int wrong(UnaryOperator<String> change) throws IOException {
    SplittableRandom random = Seed.of("CsvTest");
    int wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
      String owner = hostile(random);
      String plan = hostile(random);
      String label = hostile(random);
      List<String> fields = fields(change.apply(line(tally(owner, plan, label))));
      boolean isRight =
          fields != null
              && fields.size() == FIELDS
              && fields.stream().noneMatch(CsvTest::isFormula)
              && isAsGiven(fields.get(1), owner)
              && isAsGiven(fields.get(2), plan)
              && isAsGiven(fields.get(6), label);
      wrong += isRight ? 0 : 1;
    }
    return wrong;
  }

  @Test
  void whatever_texts_hold_a_line_has_eight_fields_and_none_is_a_formula() throws IOException {
    int wrong = wrong(line -> line);

    System.out.printf("CSV: %,d lines of hostile texts, %d wrong%n", ROUNDS, wrong);
    assertThat(wrong).isZero();
  }

  @Test
  void the_twins_that_leave_out_an_apostrophe_or_a_quote_are_caught() throws IOException {
    assertThat(wrong(line -> line.replaceFirst("'([=+@-])", "$1"))).isGreaterThan(ROUNDS / 10);
    assertThat(wrong(line -> line.replaceFirst("\"\"", "\""))).isGreaterThan(ROUNDS / 10);
  }

  @Test
  void plain_lines_are_plain() throws IOException {
    assertThat(line(tally("weather-app", null, "image")))
        .isEqualTo(
            "0351fcs8Bym6tbejfDMyAJ,weather-app,,hour,2026-03-02T12:00:00Z,bytes,image,7\r\n");
    assertThat(line(tally("=1+1", "a,b", "/say/\"hi\"")))
        .contains(",'=1+1,\"a,b\",hour,", ",\"/say/\"\"hi\"\"\",7");
  }
}
