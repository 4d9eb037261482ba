package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.limit.Limiter;
import io.keystile.limit.Plan;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import io.keystile.store.WriteOutcome;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Verbs at once on one key, and validations among them, in every order of their calls of the store:
 * what comes of them is what comes of them one after the other, and a revocation is never undone.
 */
class RotationInterleavingTest {
  private static final Limits UNLIMITED =
      new Limits(Limiter.of(Plan.unlimited()), Limits.Plans.of(Plan.unlimited()));

  private static final Duration DAY = Duration.ofDays(1);

  private enum Act {
    ROTATE,
    ROTATE_AT_ONCE,
    ROTATE_SELF,
    REVOKE,
    REVOKE_SECRET,
    DISABLE,
    UPDATE,
    VALIDATE;

    boolean isRotation() {
      return this == ROTATE || this == ROTATE_AT_ONCE || this == ROTATE_SELF;
    }
  }

  private static final List<Act> VERBS =
      List.of(
          Act.ROTATE,
          Act.ROTATE_AT_ONCE,
          Act.ROTATE_SELF,
          Act.REVOKE,
          Act.REVOKE_SECRET,
          Act.DISABLE,
          Act.UPDATE);

  private static final ScheduledExecutorService TIMER =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "timer");
            thread.setDaemon(true);
            return thread;
          });

  private static final Interleavings.Outcome NOTHING = new Interleavings.Outcome(0, 0, null);

  /** What may come of some acts, once it is known. */
  private static final Map<List<Act>, Set<String>> EXPECTED = new ConcurrentHashMap<>();

  private final Interleavings interleavings = new Interleavings();

  @AfterEach
  void close() {
    interleavings.close();
  }

  /** Stops where others may come between. */
  private static final class StoppingStore extends ForwardingKeyStore {
    private final boolean alsoAfterwards;

    StoppingStore(KeyStore delegate, boolean alsoAfterwards) {
      super(delegate);
      this.alsoAfterwards = alsoAfterwards;
    }

    @Override
    public Optional<StoredKey> find(String keyId) {
      Interleavings.stop();
      return super.find(keyId);
    }

    @Override
    public Optional<KeyRecord> load(String keyId) {
      Interleavings.stop();
      Optional<KeyRecord> record = super.load(keyId);
      Interleavings.stop(); // it is read, and not yet cached
      return record;
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      Interleavings.stop();
      WriteOutcome outcome = super.replace(write);
      if (alsoAfterwards) {
        Interleavings.stop(); // it is written, and still cached as it was
      }
      return outcome;
    }
  }

  /** A store that overwrites whatever is there. */
  private static final class OverwritingStore extends ForwardingKeyStore {
    OverwritingStore() {
      super(new InMemoryKeyStore());
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      long stored = delegate.find(write.record().id()).orElseThrow().record().revision();
      KeyRecord next = write.record().toBuilder().revision(stored + 1).build();
      return delegate.replace(new KeyWrite(next, write.entry()));
    }
  }

  /** What is planted. */
  private enum Mistake {
    NONE,
    /** Replaces without asking for the revision. */
    OVERWRITES,
    /** Does not drop what is cached when it changes. */
    FORGETS_NOTHING,
    /** Takes for loaded afterwards what a flight brings that began before. */
    JOINS_OLD_FLIGHTS
  }

  /** A node without threads of its own: loads run on the thread that asks. */
  private static final class Node {
    final ManualTime time = new ManualTime();
    final Settings settings = SampleKeys.settings(time);
    final SecretHasher hasher = new SecretHasher();
    final KeyCache cache;
    final Validator validator;
    final Administration verbs;

    Node(KeyStore store, Mistake mistake) {
      KeyLoader loader = new KeyLoader(store, hasher, null, RotationRules.USUAL, time::nanos);
      cache = new KeyCache(settings, loader, Runnable::run, Runnable::run);
      ChangeFeed feed = new ChangeFeed(store, cache, settings);
      feed.start();
      UseRecorder recorder = new UseRecorder(store, 1000);
      Counts counts = new Counts();
      Events events = new Events(KeyListener.NONE, Runnable::run, counts);
      ThisNode here = new ThisNode(cache, recorder, events);
      LocalNode node =
          switch (mistake) {
            case FORGETS_NOTHING -> keyId -> {};
            case JOINS_OLD_FLIGHTS ->
                keyId -> cache.evict(Objects.requireNonNull(KeyId.parse(keyId)));
            default -> here;
          };
      KeyMint mint = new KeyMint(new TokenGenerator(time, new SecureRandom(), null), hasher);
      LifecycleSettings lifecycle = Desk.rotation(RotationRules.USUAL);
      KeyEditor editor = new KeyEditor(store, time, lifecycle, node);
      verbs = new Administration(editor, mint);
      Rehasher rehasher = new Rehasher(editor, hasher, time::nanos, Duration.ofMinutes(5));
      validator =
          new Validator(
              new Validator.Parts(
                  Desk.PREFIXES,
                  hasher,
                  null,
                  null,
                  loader,
                  cache,
                  feed,
                  recorder,
                  null,
                  TIMER,
                  events,
                  new AutomaticSteps(verbs, rehasher, Runnable::run, false),
                  UNLIMITED,
                  new Outcomes(null, counts)),
              settings);
    }

    String verdict(String token) {
      Access access = Access.authenticated();
      // on one thread all flights have landed
      return Nodes.verdict(validator.validateAsync(token, access, Nodes.HERE).join());
    }
  }

  /** Some acts at once. */
  private static final class AtOnce implements Interleavings.Round {
    private final List<Act> acts;
    private final Mistake mistake;
    private final KeyStore below;
    private final Node node;
    private final String id;
    private final String first;
    private final List<String> tokens = new CopyOnWriteArrayList<>();
    private final List<String> outcomes = new ArrayList<>();
    private final List<String> problems = new CopyOnWriteArrayList<>();

    // one thread runs at a time, and hands over what it wrote
    private boolean isRevoked;
    private boolean isFirstOver;

    AtOnce(List<Act> acts, Mistake mistake, boolean stopsAfterwards) {
      this.acts = acts;
      this.mistake = mistake;
      below = mistake == Mistake.OVERWRITES ? new OverwritingStore() : new InMemoryKeyStore();
      node = new Node(new StoppingStore(below, stopsAfterwards), mistake);
      IssuedKey issued = node.verbs.issue(KeySpec.forOwner("weather-app").scopes("keys:rotate"));
      id = issued.id();
      first = issued.revealToken();
      tokens.add(first);
      acts.forEach(act -> outcomes.add(""));
    }

    @Override
    public List<Runnable> tasks() {
      List<Runnable> tasks = new ArrayList<>();
      for (int i = 0; i < acts.size(); i++) {
        int number = i;
        tasks.add(() -> outcomes.set(number, act(acts.get(number))));
      }
      return tasks;
    }

    private String act(Act act) {
      if (act == Act.VALIDATE) {
        validate();
        validate();
        return "";
      }
      try {
        return verb(act);
      } catch (KeyException e) {
        return e.failure().name();
      }
    }

    private String verb(Act act) {
      switch (act) {
        case ROTATE, ROTATE_AT_ONCE -> {
          boolean atOnce = act == Act.ROTATE_AT_ONCE;
          Rotation rotation = Rotation.withGrace(atOnce ? Duration.ZERO : DAY);
          IssuedKey issued = node.verbs.secrets().rotate(id, rotation);
          isFirstOver |= atOnce;
          tokens.add(issued.revealToken());
        }
        case ROTATE_SELF -> {
          ApiKey key = ApiKey.of(below.find(id).orElseThrow().record());
          SelfRotation result =
              node.verbs
                  .secrets()
                  .rotateSelf(Internals.accepted(key, 1, Long.MAX_VALUE), Cause.unstated());
          if (result.issued() == null) {
            return Nodes.verdict(result);
          }
          tokens.add(result.issued().revealToken());
        }
        case REVOKE -> {
          node.verbs.revoke(id, Desk.LEAK);
          isRevoked = true;
        }
        case REVOKE_SECRET -> {
          Revocation leak = Revocation.because(RevocationReason.LEAKED);
          node.verbs.secrets().revoke(id, 1, leak);
          isFirstOver = true;
        }
        case DISABLE -> node.verbs.disable(id, Cause.unstated());
        default -> node.verbs.update(id, KeyUpdate.of().name("renamed"));
      }
      return "done";
    }

    /** What begins after a revocation has returned lets nobody in. */
    private void validate() {
      boolean wasRevoked = isRevoked;
      boolean wasOver = isRevoked || isFirstOver;
      List<String> known = List.copyOf(tokens);
      for (String token : known) {
        boolean mustFail = token.equals(first) ? wasOver : wasRevoked;
        node.validator
            .validateAsync(token, Access.authenticated(), Nodes.HERE)
            .thenAccept(
                result -> {
                  if (mustFail && result.isAccepted()) {
                    problems.add("accepted after it was over");
                  }
                });
      }
    }

    private KeyRecord record() {
      return below.find(id).orElseThrow().record();
    }

    /** State and secrets in short. */
    private String signature() {
      KeyRecord record = record();
      return outcomes
          + " "
          + record.state()
          + record.name()
          + record.revision()
          + record.versions().stream()
              .map(v -> v.number() + (v.revokedAt() == null ? "" : "x") + retiring(v))
              .toList();
    }

    private String retiring(SecretVersion version) {
      if (version.retiresAt() == null) {
        return "";
      }
      return version.retiresAt().equals(node.time.instant()) ? "-" : "~";
    }

    @Override
    public @Nullable String problem() {
      if (!problems.isEmpty()) {
        return problems.get(0);
      }
      KeyRecord record = record();
      if (isRevoked && record.state() != State.REVOKED) {
        return "a revoked key came back";
      }
      Node fresh = new Node(below, Mistake.NONE);
      for (String token : tokens) {
        String truth = fresh.verdict(token);
        if (!node.verdict(token).equals(truth)) {
          return "stale: " + node.verdict(token) + " for " + truth;
        }
        if (isRevoked && !truth.equals("REVOKED")) {
          return "a token of a revoked key is " + truth;
        }
        if (isFirstOver && token.equals(first) && truth.equals("ACCEPTED")) {
          return "an ended secret came back";
        }
      }
      int secrets = record.versions().size();
      if (tokens.size() != secrets) {
        return tokens.size() + " tokens were handed out for " + secrets + " secrets";
      }
      return expected(acts).contains(signature()) ? null : "is " + signature();
    }
  }

  /** What may come of some acts, one after the other; a rotation may also be too late. */
  private static Set<String> expected(List<Act> acts) {
    return EXPECTED.computeIfAbsent(acts, RotationInterleavingTest::inEveryOrder);
  }

  private static Set<String> inEveryOrder(List<Act> acts) {
    Set<String> expected = new HashSet<>();
    List<Integer> rotations = new ArrayList<>();
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < acts.size(); i++) {
      all.add(i);
      if (acts.get(i).isRotation()) {
        rotations.add(i);
      }
    }
    for (List<Integer> order : orders(all)) {
      for (int late = 0; late < Math.max(1, (1 << rotations.size()) - 1); late++) {
        Set<Integer> tooLate = new HashSet<>();
        for (int i = 0; i < rotations.size(); i++) {
          if ((late >> i & 1) == 1) {
            tooLate.add(rotations.get(i));
          }
        }
        AtOnce one = new AtOnce(acts, Mistake.NONE, false);
        for (int number : order) {
          Act act = acts.get(number);
          String refusal = act == Act.ROTATE_SELF ? "SUPERSEDED" : "CONFLICT";
          one.outcomes.set(number, tooLate.contains(number) ? refusal : one.act(act));
        }
        boolean isRotated = one.record().versions().size() > 1;
        if (tooLate.isEmpty() || isRotated) {
          expected.add(one.signature());
        }
      }
    }
    return expected;
  }

  private static List<List<Integer>> orders(List<Integer> numbers) {
    if (numbers.isEmpty()) {
      return List.of(List.of());
    }
    List<List<Integer>> orders = new ArrayList<>();
    for (Integer number : numbers) {
      List<Integer> rest = new ArrayList<>(numbers);
      rest.remove(number);
      for (List<Integer> tail : orders(rest)) {
        List<Integer> order = new ArrayList<>(List.of(number));
        order.addAll(tail);
        orders.add(order);
      }
    }
    return orders;
  }

  private Interleavings.Outcome run(List<Act> acts, Mistake mistake, boolean stopsAfterwards) {
    return interleavings.all(() -> new AtOnce(acts, mistake, stopsAfterwards));
  }

  /** Each two, with themselves too. */
  private static List<List<Act>> pairs() {
    List<List<Act>> pairs = new ArrayList<>();
    for (int i = 0; i < VERBS.size(); i++) {
      for (int j = i; j < VERBS.size(); j++) {
        pairs.add(List.of(VERBS.get(i), VERBS.get(j)));
      }
    }
    return pairs;
  }

  @Test
  void two_verbs_at_once_are_as_one_after_the_other() {
    Interleavings.Outcome real = NOTHING;
    Interleavings.Outcome twin = NOTHING;
    for (List<Act> pair : pairs()) {
      real = real.plus(run(pair, Mistake.NONE, true));
      twin = twin.plus(run(pair, Mistake.OVERWRITES, true));
    }

    System.out.printf(
        "%d pairs of verbs in all %,d orders: %d wrong; if overwritten %,d of %,d%n",
        pairs().size(), real.orders(), real.wrong(), twin.wrong(), twin.orders());
    assertThat(real.firstWrong()).isNull();
    assertThat(twin.wrong()).isPositive();
  }

  @Test
  void a_validation_among_them_finds_nothing_that_is_over() {
    Interleavings.Outcome real = NOTHING;
    Interleavings.Outcome forgetful = NOTHING;
    Interleavings.Outcome joining = NOTHING;
    for (Act verb : VERBS) {
      for (List<Act> acts :
          List.of(List.of(verb, Act.VALIDATE), List.of(verb, Act.VALIDATE, Act.VALIDATE))) {
        real = real.plus(run(acts, Mistake.NONE, true));
        forgetful = forgetful.plus(run(acts, Mistake.FORGETS_NOTHING, true));
        joining = joining.plus(run(acts, Mistake.JOINS_OLD_FLIGHTS, true));
      }
    }

    System.out.printf(
        "%d verbs with validations in all %,d orders: %d wrong; if nothing is forgotten %,d; if"
            + " old flights are joined %,d%n",
        VERBS.size(), real.orders(), real.wrong(), forgetful.wrong(), joining.wrong());
    assertThat(real.firstWrong()).isNull();
    assertThat(forgetful.wrong()).isPositive();
    assertThat(joining.wrong()).isPositive();
  }

  @Test
  void three_verbs_at_once_are_as_one_after_the_other() {
    Interleavings.Outcome real = NOTHING;
    Interleavings.Outcome twin = NOTHING;
    for (List<Act> acts :
        List.of(
            List.of(Act.ROTATE, Act.ROTATE, Act.REVOKE),
            List.of(Act.ROTATE_SELF, Act.ROTATE, Act.REVOKE_SECRET),
            List.of(Act.ROTATE_AT_ONCE, Act.DISABLE, Act.REVOKE))) {
      real = real.plus(run(acts, Mistake.NONE, false));
      twin = twin.plus(run(acts, Mistake.OVERWRITES, false));
    }

    System.out.printf(
        "3 times three verbs in all %,d orders: %d wrong; if overwritten %,d of %,d%n",
        real.orders(), real.wrong(), twin.wrong(), twin.orders());
    assertThat(real.firstWrong()).isNull();
    assertThat(twin.wrong()).isPositive();
  }

  @Test
  void a_revocation_beats_a_rotation_also_for_who_validates_meanwhile() {
    Interleavings.Outcome real =
        run(List.of(Act.ROTATE, Act.REVOKE, Act.VALIDATE), Mistake.NONE, true);

    System.out.printf(
        "rotation, revocation and validations in all %,d orders: %d wrong%n",
        real.orders(), real.wrong());
    assertThat(real.firstWrong()).isNull();
  }
}
