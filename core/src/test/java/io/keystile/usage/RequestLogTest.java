package io.keystile.usage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keystile.Seed;
import java.time.Duration;
import java.time.Instant;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** One request is one line, whatever a client sends. */
class RequestLogTest {
  private static final int INPUTS = 200_000;
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  /** Whatever some reader of logs takes for the end of a line. */
  private static final Pattern LINE_END =
      Pattern.compile("[\\n\\r\\u000B\\f\\u001C-\\u001E\\u0085\\u2028\\u2029]");

  private static final String[] NASTY = {
    "\n",
    "\r",
    "\r\n",
    "\u000B",
    "\f",
    "\u001C",
    "\u0085",
    "\u2028",
    "\u2029",
    "\0",
    "\u001B[2J",
    "\u007F",
    "\"",
    "\\",
    "\\n",
    "\\u000a",
    "\\\"",
    "{}",
    "${jndi:ldap://x}",
    "%n",
    "\u202E",
    "\u2066",
    "\u200B",
    "\uFEFF",
    "\uD800",
    "\uDC00",
    "\uD83D\uDE00",
    "=",
    ",",
    "}",
    "{\"a\":1}",
    "é",
    "ß",
    "日本",
    "<script>",
    "\t",
    " "
  };

  private static final RequestRecord FULL =
      new RequestRecord(
          Instant.parse("2026-01-01T00:00:00Z"),
          "0351fcs8Bym6tbejfDMyAJ",
          "weather-app",
          "/forecast/{city}",
          "GET",
          200,
          Duration.ofNanos(1_250_999),
          "192.0.2.7",
          512L,
          "billing");

  private static RequestRecord bare(String owner) {
    return new RequestRecord(Instant.EPOCH, "key", owner, null, null, null, null, null, null, null);
  }

  @Test
  void a_line_looks_as_documented() {
    assertThat(RequestLog.line(FULL))
        .isEqualTo(
            "{\"time\":\"2026-01-01T00:00:00Z\",\"key\":\"0351fcs8Bym6tbejfDMyAJ\","
                + "\"owner\":\"weather-app\",\"endpoint\":\"/forecast/{city}\",\"method\":\"GET\","
                + "\"status\":200,\"micros\":1250,\"client\":\"192.0.2.7\",\"bytes\":512,"
                + "\"caller\":\"billing\"}");
    assertThat(bare("a\u0085b").toString())
        .isEqualTo("{\"time\":\"1970-01-01T00:00:00Z\",\"key\":\"key\",\"owner\":\"a\\u0085b\"}");
  }

  @Test
  void it_goes_to_a_logger_of_its_own_and_only_if_that_is_on() {
    Logger logger = (Logger) LoggerFactory.getLogger(RequestRecords.LOGGER);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    logger.addAppender(lines);
    Level before = logger.getLevel();
    try {
      logger.setLevel(Level.INFO);
      RequestLog.record(FULL);
      RequestLog.record(bare("{} {}"));
      logger.setLevel(Level.WARN);
      RequestLog.record(FULL);
    } finally {
      logger.setLevel(before);
      logger.detachAppender(lines);
    }
    assertThat(lines.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .containsExactly(RequestLog.line(FULL), RequestLog.line(bare("{} {}")));
    assertThat(lines.list).allMatch(event -> event.getLevel() == Level.INFO);
  }

  @Test
  void each_of_many_inputs_is_one_line_that_reads_back() {
    int wrong = wrong(INPUTS, RequestLog::line);
    int ofNel = wrong(INPUTS / 10, forgetting("\\u0085", "\u0085"));
    int ofReturn = wrong(INPUTS / 10, forgetting("\\u000d", "\r"));
    int ofQuote = wrong(INPUTS / 10, forgetting("\\u0022", "\""));

    System.out.printf(
        "%,d inputs: %d are not one line that reads back; of %,d with a twin that forgets U+0085"
            + " %,d, CR %,d, the quote %,d%n",
        INPUTS, wrong, INPUTS / 10, ofNel, ofReturn, ofQuote);
    assertThat(wrong).isZero();
    assertThat(ofNel).isPositive();
    assertThat(ofReturn).isPositive();
    assertThat(ofQuote).isPositive();
  }

  /** The twin that does not escape one character. */
  private static Function<RequestRecord, String> forgetting(String escaped, String plain) {
    UnaryOperator<String> undo = line -> line.replace(escaped, plain);
    return undo.compose(RequestLog::line);
  }

  private static int wrong(int inputs, Function<RequestRecord, String> writer) {
    SplittableRandom random = Seed.of("lines of requests");
    int wrong = 0;
    for (int i = 0; i < inputs; i++) {
      RequestRecord request = random(random);
      String line = writer.apply(request);
      boolean isOneLine =
          !LINE_END.matcher(line).find() && line.chars().allMatch(c -> c >= ' ' && c < 0x7F);
      wrong += isOneLine && request.equals(read(line)) ? 0 : 1;
    }
    return wrong;
  }

  private static RequestRecord random(SplittableRandom random) {
    return new RequestRecord(
        Instant.ofEpochMilli(random.nextLong(253_402_300_799_999L)),
        text(random),
        text(random),
        maybe(random, text(random)),
        maybe(random, text(random)),
        maybe(random, random.nextInt()),
        maybe(
            random,
            Duration.ofSeconds(random.nextLong(1L << 40), random.nextInt(1_000_000) * 1_000L)),
        maybe(random, text(random)),
        maybe(random, random.nextLong()),
        maybe(random, text(random)));
  }

  private static <T> @Nullable T maybe(SplittableRandom random, T value) {
    return random.nextInt(4) == 0 ? null : value;
  }

  /** Nasty parts, any characters at all, or very much of both. */
  private static String text(SplittableRandom random) {
    StringBuilder text = new StringBuilder();
    int parts = random.nextInt(50) == 0 ? 400 : random.nextInt(8);
    for (int i = 0; i < parts; i++) {
      text.append(
          switch (random.nextInt(3)) {
            case 0 -> NASTY[random.nextInt(NASTY.length)];
            case 1 -> String.valueOf((char) random.nextInt(1 << 16));
            default -> "plain";
          });
    }
    return text.toString();
  }

  /** With a parser of others; null if it is no JSON. */
  private static @Nullable RequestRecord read(String line) {
    try {
      JsonNode json = JSON.readTree(line);
      JsonNode micros = json.get("micros");
      JsonNode status = json.get("status");
      JsonNode bytes = json.get("bytes");
      return new RequestRecord(
          Instant.parse(json.get("time").textValue()),
          json.get("key").textValue(),
          json.get("owner").textValue(),
          text(json, "endpoint"),
          text(json, "method"),
          status == null ? null : status.intValue(),
          micros == null
              ? null
              : Duration.ofSeconds(
                  micros.longValue() / 1_000_000, micros.longValue() % 1_000_000 * 1_000),
          text(json, "client"),
          bytes == null ? null : bytes.longValue(),
          text(json, "caller"));
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  private static @Nullable String text(JsonNode json, String name) {
    JsonNode node = json.get(name);
    return node == null ? null : node.textValue();
  }

  @Test
  void long_texts_are_cut_and_no_character_is_split() {
    String emoji = "\uD83D\uDE00";
    RequestRecord request =
        new RequestRecord(
            Instant.EPOCH,
            "k".repeat(1_000),
            "o".repeat(1_000),
            "x" + emoji.repeat(1_000_000),
            "m".repeat(100),
            200,
            Duration.ZERO,
            "c".repeat(100),
            0L,
            emoji.repeat(100));

    assertThat(request.keyId()).hasSize(255);
    assertThat(request.owner()).hasSize(255);
    assertThat(request.endpoint()).isEqualTo("x" + emoji.repeat(127));
    assertThat(request.method()).hasSize(16);
    assertThat(request.client()).hasSize(64);
    assertThat(request.caller()).isEqualTo(emoji.repeat(64));
    assertThat(RequestLog.line(request).length()).isLessThan(6_000);
  }

  @Test
  void a_negative_duration_is_refused() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new RequestRecord(
                    Instant.EPOCH, "k", "o", null, null, 1, Duration.ofNanos(-1), null, 1L, null))
        .withMessageContaining("duration");
  }
}
