package io.keystile.store.jdbc;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.IssuedKey;
import io.keystile.KeyException;
import io.keystile.Origin;
import io.keystile.OutcomeUnknownException;
import io.keystile.limit.Plan;
import io.keystile.store.KeyStore;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * One call of a verb to which something happens: what it answered, what it left, what a repetition
 * makes of it, and what of all that must not be.
 */
final class Trial {
  private static final Access READ = Access.requiring("forecast:read");
  private static final Origin HERE = Origin.of("192.0.2.7").secure(true);

  /** What can be wrong. */
  enum Fault {
    /** A part of a change is stored, and another is not. */
    HALF,
    /** What the caller knows is not what the store has. */
    FALSE_ANSWER,
    /** After the repetition it was not done once. */
    NOT_ONCE,
    /** A token works that must not, or does not work that must. */
    TOKEN
  }

  /** Something that is wrong. */
  record Finding(Fault fault, String text) {}

  /** How a call ended. */
  enum Answer {
    ANSWERED,
    REFUSED,
    UNKNOWN,
    /** By another exception than those that are documented, or not at all. */
    NONE
  }

  final Verb verb;
  final List<Finding> findings = new ArrayList<>();
  private final ApiKeys keys;
  private final DataSource source;
  private final Verb.Target target;
  private final List<String> tokens;
  private @Nullable String operationId;
  private Answer answer = Answer.NONE;

  private Trial(
      Verb verb,
      ApiKeys keys,
      DataSource source,
      Verb.Target target,
      @Nullable String operationId) {
    this.verb = verb;
    this.keys = keys;
    this.source = source;
    this.target = target;
    this.tokens = new ArrayList<>(target.tokens());
    this.operationId = operationId;
  }

  /**
   * Empties the store, and makes what the verb is run on.
   *
   * @param keys a node on the store
   * @param source the same database, past the store
   * @param operationId of the call, or null for one that is drawn
   */
  static Trial prepare(Verb verb, ApiKeys keys, DataSource source, @Nullable String operationId)
      throws SQLException {
    Ledger.wipe(source);
    Trial trial = new Trial(verb, keys, source, verb.prepare(keys), operationId);
    trial.checkTokens(0);
    return trial;
  }

  /** The same in a process that has opened the database again. */
  Trial reopened(ApiKeys keys, DataSource source) {
    return new Trial(verb, keys, source, target, operationId);
  }

  /** A node with the rules of these tests. */
  static ApiKeys node(KeyStore store) {
    return ApiKeys.builder(store)
        .defaultPlan(Plan.unlimited())
        .brand("acme")
        .environment("live")
        .maxKeysPerOwner(10)
        .loadDeadline(Duration.ofSeconds(30))
        .build();
  }

  /** What the verb is run on. */
  String target() {
    return target.name();
  }

  @Nullable String operationId() {
    return operationId;
  }

  /** The call that something happens to. */
  Answer call() {
    try {
      IssuedKey given = verb.run(keys, target.name(), operationId);
      answer = Answer.ANSWERED;
      if (given != null) {
        tokens.add(given.revealToken());
      }
    } catch (OutcomeUnknownException e) {
      answer = Answer.UNKNOWN;
      if (operationId != null && !operationId.equals(e.operationId())) {
        add(Fault.FALSE_ANSWER, "another operation id");
      }
      operationId = e.operationId();
    } catch (KeyException e) {
      answer = Answer.REFUSED;
    } catch (RuntimeException e) {
      add(Fault.FALSE_ANSWER, "thrown: " + e);
    }
    return answer;
  }

  /** Looks at what is stored; returns how much of the change was done. */
  int check() throws SQLException {
    int done = checkLedger();
    checkTokens(done);
    return done;
  }

  /** As {@link #check}, and compares it with the answer. */
  int checkAnswer() throws SQLException {
    int done = check();
    if (answer == Answer.ANSWERED && done != verb.times()) {
      add(Fault.FALSE_ANSWER, "answered, and done " + done + " times");
    }
    if (answer == Answer.REFUSED && done != 0) {
      add(Fault.FALSE_ANSWER, "refused, and done " + done + " times");
    }
    return done;
  }

  /**
   * Compares what was done with what must have been.
   *
   * @param when for the finding
   */
  void expect(int done, int least, int most, String when) {
    if (done < least || done > most) {
      add(Fault.FALSE_ANSWER, when + ": done " + done + " times, not " + least + " to " + most);
    }
  }

  /** Repeats the call, as its caller would, and once more. */
  void repeat(int done) throws SQLException {
    if (operationId == null && answer == Answer.ANSWERED) {
      return;
    }
    repeatOnce(done == verb.times());
    if (operationId != null) {
      repeatOnce(true);
    }
    int doneAfterwards = checkLedger();
    if (doneAfterwards != verb.times()) {
      add(Fault.NOT_ONCE, "done " + doneAfterwards + " times");
    }
    checkTokens(doneAfterwards);
  }

  private void repeatOnce(boolean isDone) {
    try {
      IssuedKey again = verb.run(keys, target.name(), operationId);
      if (again == null) {
        return;
      }
      if (again.alreadyIssued() != isDone) {
        add(Fault.NOT_ONCE, "issued already: " + again.alreadyIssued());
      }
      if (again.secretVersion() != (verb == Verb.ROTATE ? 2 : 1)) {
        add(Fault.NOT_ONCE, "secret version: " + again.secretVersion());
      }
      if (!again.alreadyIssued()) {
        tokens.add(again.revealToken());
      }
    } catch (RuntimeException e) {
      add(Fault.NOT_ONCE, "thrown by the repetition: " + e);
    }
  }

  private int checkLedger() throws SQLException {
    Ledger ledger = Ledger.read(source);
    ledger.halves().forEach(half -> add(Fault.HALF, half));
    return ledger.count(verb.action());
  }

  /** On the node that was told nothing, or the wrong thing, of its own call. */
  private void checkTokens(int done) {
    boolean accepted = verb != Verb.REVOKE || done == 0;
    for (String token : tokens) {
      if (keys.validate(token, READ, HERE).isAccepted() != accepted) {
        add(Fault.TOKEN, "accepted: " + !accepted);
      }
    }
  }

  private void add(Fault fault, String text) {
    findings.add(new Finding(fault, verb + ": " + text));
  }
}
