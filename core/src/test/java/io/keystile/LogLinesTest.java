package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.keystile.limit.Plan;
import io.keystile.store.ChangeCursor;
import io.keystile.store.Changes;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.UsageStore;
import io.keystile.store.UseMark;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What the library logs is one line each, and no client or customer can write into it. */
class LogLinesTest {

  /** Each forges a line, hides one, or turns one around, in some viewer. */
  private static final List<String> HOSTILE =
      List.of(
          "evil\nWARN  Events: Key 0 was changed because of LEAKED",
          "evil\r\nX",
          "evil\u0085X",
          "evil\u2028X\u2029Y",
          "evil\u202Eyek\u202C",
          "evil\u001B[2J\u001B[31m",
          "evil\u000B\f\u001C\u007F",
          "evil {} ${jndi:ldap://evil} \\n",
          "evil\uD83D\uDE00 \u00FC\u200B\uFEFF");

  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
  private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
  private final Level level = root.getLevel();

  @BeforeEach
  void listen() {
    lines.start();
    root.setLevel(Level.TRACE);
    root.addAppender(lines);
  }

  @AfterEach
  void stop() {
    root.detachAppender(lines);
    root.setLevel(level);
  }

  /** Fails with messages that hold what no store may tell, as some drivers do. */
  private static final class Telling extends ForwardingKeyStore implements UsageStore {
    private final UsageStore usage;
    private final String name;
    volatile boolean fails;

    Telling(String name) {
      this(name, new InMemoryKeyStore());
    }

    private Telling(String name, InMemoryKeyStore store) {
      super(store);
      usage = store;
      this.name = name;
    }

    private void check() {
      if (fails) {
        throw new IllegalStateException("Duplicate entry '" + name + "' for key 'owner'");
      }
    }

    @Override
    public Optional<KeyRecord> load(String keyId) {
      check();
      return super.load(keyId);
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      check();
      return super.replace(write);
    }

    @Override
    public void recordUse(List<UseMark> marks) {
      check();
      super.recordUse(marks);
    }

    @Override
    public Changes changesSince(ChangeCursor cursor, int limit) {
      check();
      return super.changesSince(cursor, limit);
    }

    @Override
    public boolean add(Batch batch) {
      check();
      return usage.add(batch);
    }

    @Override
    public List<Tally> tallies(Filter filter, @Nullable Tally after, int limit) {
      check();
      return usage.tallies(filter, after, limit);
    }

    @Override
    public int purge(Retention retention) {
      check();
      return usage.purge(retention);
    }
  }

  /** All that logs anything, with a name that should not be in it. Returns the tokens. */
  private static List<String> live(String name) {
    List<String> tokens = new ArrayList<>();
    Telling store = new Telling(name);
    KeyListener throwing =
        new KeyListener() {
          @Override
          public void alert(String keyId, RevocationReason reason) {
            throw new IllegalStateException("no address of " + name);
          }
        };
    SubjectPermissions permissions =
        (subject, granted) -> {
          throw new IllegalStateException("no user " + subject);
        };
    try (Nodes nodes = new Nodes(store)) {
      ApiKeys old = nodes.node(builder -> builder.pepper(Tokens.secret("p1", 1)));
      KeySpec spec =
          KeySpec.forOwner(name).name(name).plan(name).metadata(Map.of("k", name)).by(name);
      IssuedKey outdated = old.issue(spec.note(name));
      ApiKeys keys =
          nodes.node(
              builder ->
                  builder
                      .pepper(Tokens.secret("p2", 2), Tokens.secret("p1", 1))
                      .defaultPlan(Plan.standard())
                      .subjectPermissions(permissions)
                      .recordUsage()
                      .usageKeys(1)
                      .logRequests()
                      .assessRisk(RiskPolicy.alerting().disabling().reportingOnly())
                      .revokeOnRetiredSecret()
                      .listener(throwing));
      IssuedKey issued = keys.issue(spec.scopes("a:b"));
      tokens.add(outdated.revealToken());
      tokens.add(issued.revealToken());
      Cause cause = Cause.by(name).note(name);
      keys.update(issued.id(), KeyUpdate.of().name(name + name).by(name));
      keys.disable(issued.id(), cause);
      keys.enable(issued.id(), cause);
      Nodes.verdict(keys.validate(tokens.get(1), Nodes.ANY, Nodes.HERE.caller(name)));
      Nodes.verdict(keys, name);
      use(keys, tokens.get(1), name);
      IssuedKey personal = keys.issue(KeySpec.personalToken(name, name));
      tokens.add(personal.revealToken());
      assertThat(Nodes.verdict(keys, tokens.get(2))).isEqualTo("PERMISSIONS_UNAVAILABLE");
      nodes.time.advance(Duration.ofHours(2));
      keys.poll();

      // a fresh node of another pepper lacks one, and the store fails in all it does
      ApiKeys lacking = nodes.node(builder -> builder.pepper(Tokens.secret("p3", 3)));
      assertThat(Nodes.verdict(lacking, tokens.get(1))).isEqualTo("PEPPER_MISSING");
      Nodes.verdict(keys, tokens.get(0));
      store.fails = true;
      Nodes.verdict(keys, tokens.get(0)); // a rehash that fails
      keys.poll();
      keys.flush();
      keys.assess();
      lacking.subjectChanged(name);
      String strange = Tokens.random(Tokens.LIVE, Seed.secure(Seed.of("log lines")));
      assertThat(Nodes.verdict(keys, strange)).isEqualTo("STORE_UNAVAILABLE");
      store.fails = false;
      tokens.add(keys.rotate(issued.id(), Rotation.withGrace(Duration.ZERO)).revealToken());
      nodes.time.advance(Duration.ofDays(8));
      keys.poll();
      assertThat(Nodes.verdict(keys, tokens.get(1))).isIn("RETIRED", "REVOKED");
      keys.revokeAllOf(name, Revocation.because(RevocationReason.LEAKED).by(name).note(name));
    }
    return tokens;
  }

  /** Uses a key from elsewhere and at random, which is what risk speaks of. */
  private static void use(ApiKeys keys, String token, String name) {
    for (int i = 0; i < 100; i++) {
      Origin origin = Origin.of("198.51." + i + ".7").secure(true).caller(name);
      if (keys.validate(token, Nodes.ANY, origin) instanceof Accepted accepted) {
        accepted.answered(name, name + i, 400 + i, 1_000, i);
        accepted.transferred(name, i);
      }
    }
    keys.flush();
    keys.assess();
  }

  /** How many of what was logged is no plain line, or tells a secret. */
  private static long wrong(List<ILoggingEvent> events, List<String> tokens) {
    return events.stream()
        .filter(
            event -> {
              String line = event.getFormattedMessage();
              boolean isPlain =
                  event.getThrowableProxy() == null
                      && line.length() < 1_500
                      && line.chars().allMatch(c -> c >= ' ' && c < 0x7F);
              boolean tells =
                  tokens.stream()
                      .anyMatch(token -> line.contains(token.substring(token.length() - 38)));
              return !isPlain || tells;
            })
        .count();
  }

  @Test
  void whatever_names_hold_each_event_is_one_plain_line() {
    List<String> tokens = new ArrayList<>();
    for (String name : HOSTILE) {
      tokens.addAll(live(name));
    }
    List<ILoggingEvent> events = ours();

    System.out.printf(
        "%d log lines under %d hostile names: %d wrong%n",
        events.size(), HOSTILE.size(), wrong(events, tokens));
    assertThat(events.stream().map(ILoggingEvent::getMessage).distinct())
        .as("kinds of lines")
        .hasSizeGreaterThanOrEqualTo(8);
    assertThat(wrong(events, tokens)).isZero();
  }

  @Test
  void the_twin_that_repeats_what_was_thrown_is_caught() {
    Logger log = (Logger) LoggerFactory.getLogger(LogLinesTest.class);
    for (String name : HOSTILE) {
      log.warn("The change feed cannot be read: {}", new IllegalStateException(name).toString());
    }
    int plain = 1; // one of them is printable ASCII
    assertThat(wrong(ours(), List.of())).isEqualTo(HOSTILE.size() - plain);

    lines.list.clear();
    log.warn("Key {}", Tokens.EXAMPLE);
    assertThat(wrong(ours(), List.of(Tokens.EXAMPLE))).isEqualTo(1);
  }

  private List<ILoggingEvent> ours() {
    return List.copyOf(lines.list).stream()
        .filter(event -> event.getLoggerName().startsWith("io.keystile"))
        .toList();
  }

  @Test
  void a_text_is_cut_and_escaped() {
    assertThat(LogText.escaped("a\\b\n\u0085\u2028\uD83D{}"))
        .isEqualTo("a\\u005cb\\u000a\\u0085\\u2028\\ud83d{}");
    assertThat(LogText.escaped("x".repeat(10_000))).isEqualTo("x".repeat(500) + "...");
    assertThat(LogText.of(new IllegalStateException("bad\nname")))
        .startsWith("java.lang.IllegalStateException: bad\\u000aname at ")
        .contains("LogLinesTest");
  }
}
