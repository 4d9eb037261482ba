package io.keystile;

import io.keystile.KeyEditor.Change;
import io.keystile.Limits.Adaptable;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.Adapted;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoreException;
import io.keystile.store.StoredKey;
import io.keystile.store.UsageStore;
import io.keystile.store.UsageStore.Batch;
import io.keystile.store.UsageStore.Period;
import io.keystile.store.UsageStore.Subject;
import io.keystile.store.UsageStore.Tally;
import io.keystile.usage.Risk;
import io.keystile.usage.Usage;
import io.keystile.usage.UsageReports;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Assesses the keys in use from time to time and does what the host's policy says. On a thread of
 * the library's own; no request waits for it.
 *
 * <p>Of several nodes one does each round, and tells of each anomaly: whoever first leaves its mark
 * in the store. What is done to a key is decided by what the store holds in that moment, so nothing
 * is done twice.
 */
final class RiskWatch {
  private static final Logger log = LoggerFactory.getLogger(RiskWatch.class);
  private static final String ADAPT = "adapt";
  private static final String DISABLE = "disable";
  private static final int MAX_ENTRIES = 1_000;

  /** How far back risk looks for what is odd. */
  private static final Duration JUDGED = Duration.ofDays(1);

  /** How long a key that was disabled and enabled again is left to who did that. */
  private static final Duration LEFT_ALONE = Duration.ofDays(2);

  private static final String REASON = RevocationReason.SUSPICIOUS_ACTIVITY.name();

  private final UsageStore store;
  private final KeyEditor editor;
  private final Limits limits;
  private final RiskPolicy policy;
  private final Events events;
  private volatile boolean stopped;

  RiskWatch(UsageStore store, KeyEditor editor, Limits limits, RiskPolicy policy, Events events) {
    this.store = store;
    this.editor = editor;
    this.limits = limits;
    this.policy = policy;
    this.events = events;
  }

  /** One round, unless another node does it. Blocks; throws nothing. */
  void round(UsageReports reports) {
    try {
      Instant now = editor.now();
      long number = now.toEpochMilli() / policy.interval().toMillis();
      if (claim("risk-" + number, now, List.of())) {
        // what was used at the end of an hour may have been written in the next
        Instant since = now.minus(policy.interval()).minus(Period.HOUR.length());
        reports.risks(policy.settings(), since, now, this::act);
      }
    } catch (CancellationException e) {
      // closed meanwhile
    } catch (Throwable e) { // an Error too: the schedule would end for ever, without a word
      log.warn("Keys were not assessed: {}", LogText.of(e));
    }
  }

  /**
   * Whether this node is the first to leave this mark, or may be: if the answer of the store was
   * lost, nobody else might do what is claimed, and it does no harm if somebody does it twice.
   */
  private boolean claim(String id, Instant now, List<Tally> tallies) {
    try {
      return store.add(new Batch(id, now, tallies));
    } catch (StoreException e) {
      if (e.kind() != StoreException.Kind.OUTCOME_UNKNOWN) {
        throw e;
      }
      return true;
    }
  }

  /** Does nothing to keys any more. */
  void stop() {
    stopped = true;
  }

  private void act(Risk risk) {
    if (stopped) {
      throw new CancellationException();
    }
    try {
      tell(risk);
      if (policy.adaptive() != null) {
        adapt(risk, policy.adaptive());
      }
      if (risk.level() == Risk.Level.HIGH) {
        defend(risk);
      }
    } catch (StoreException e) {
      if (e.kind() != StoreException.Kind.CONFLICT) {
        throw e;
      }
      log.warn("What is to be done about a risk is left for later: {}", LogText.of(e));
    } catch (KeyException e) {
      switch (e.failure()) {
        case UNKNOWN_KEY, STATE_FORBIDS -> {
          // it was purged or revoked meanwhile: nothing is left to do
        }
        case STORE_UNAVAILABLE -> throw e; // for all others, too
        default -> log.warn("What is to be done about a risk is left for later: {}", LogText.of(e));
      }
    }
  }

  private void tell(Risk risk) {
    if (risk.level().compareTo(policy.alertFrom()) < 0) {
      return;
    }
    for (Risk.Anomaly anomaly : risk.anomalies()) {
      if (claimAlert(risk, anomaly.kind())) {
        events.riskFound(risk.keyId(), risk.level(), anomaly.kind(), anomaly.evidence());
      }
    }
  }

  private boolean claimAlert(Risk risk, Risk.Kind kind) {
    KeyRecord record = editor.stored(risk.keyId()).record();
    Instant day = Period.DAY.startOf(risk.assessedAt());
    Subject subject = new Subject(record.id(), record.owner(), record.plan());
    Tally told = new Tally(subject, Period.DAY, day, Usage.ALERTS, kind.name(), 1);
    String id = "alert-" + record.id() + "-" + kind + "-" + day.getEpochSecond();
    return claim(id, risk.assessedAt(), List.of(told));
  }

  private void adapt(Risk risk, AdaptiveLimits adaptive) {
    AtomicReference<@Nullable Adapted> planned = new AtomicReference<>();
    KeyEditor.Step step =
        (stored, now) -> {
          KeyRecord next = adapted(stored.record(), risk, adaptive, now);
          planned.set(next.adapted());
          return next;
        };
    if (policy.reportsOnly()) {
      StoredKey stored = editor.stored(risk.keyId());
      KeyRecord next = step.next(stored, editor.now());
      // a limit that grows is no news, and would be each time, since it does not
      if (risk.level() == Risk.Level.HIGH && !next.equals(stored.record())) {
        report(risk, ADAPT, "adapt the limit to " + planned.get());
      }
      return;
    }
    Cause cause = Cause.by(AutomaticSteps.ACTOR).note(AdaptiveLimits.note(risk.reason()));
    Change change = editor.apply(risk.keyId(), editor.operation(ADAPT, cause, null), step);
    if (change.isApplied()) {
      Adapted now = planned.get();
      events.limitAdapted(risk.keyId(), now == null ? -1 : now.perMinute());
    }
  }

  private KeyRecord adapted(KeyRecord record, Risk risk, AdaptiveLimits adaptive, Instant now) {
    Adaptable adaptable = limits.adaptable(record);
    if (record.state() == KeyRecord.State.REVOKED || !adaptable.isOfKey()) {
      return record;
    }
    Adapted next = adaptive.next(record.adapted(), adaptable.perMinute(), risk, now);
    return Objects.equals(next, record.adapted()) ? record : Lifecycle.adapt(record, next);
  }

  private void defend(Risk risk) {
    String id = risk.keyId();
    Cause cause = Cause.by(AutomaticSteps.ACTOR).note(AdaptiveLimits.note(risk.reason()));
    SecretVersion version = editor.stored(id).record().newest();
    // one that was made after what was found is not to blame for it
    boolean isOlder = !version.createdAt().isAfter(risk.assessedAt().minus(JUDGED));
    if (policy.secretsEnd() != null && isOlder) {
      int newest = version.number();
      String once = Operation.AUTOMATIC + "risk-end:" + id + ":" + newest;
      defend(
          risk,
          editor.operation("end_secrets", cause.ownOperationId(once), REASON),
          (stored, now) ->
              Lifecycle.endSecrets(stored.record(), newest, now.plus(policy.secretsEnd())));
    }
    if (policy.disables() && !wasDisabled(id, risk.assessedAt())) {
      String once =
          Operation.AUTOMATIC
              + "risk-disable:"
              + id
              + ":"
              + risk.assessedAt().getEpochSecond() / 86_400;
      defend(
          risk,
          editor.operation(DISABLE, cause.ownOperationId(once), REASON),
          (stored, now) -> Lifecycle.disable(stored.record()));
    }
  }

  /** Who has enabled it again knows of it: what was found then is in the last 24 hours still. */
  private boolean wasDisabled(String keyId, Instant now) {
    Instant since = Arguments.minus(now, LEFT_ALONE);
    AuditFilter recent = new AuditFilter(keyId, null, null, since, null);
    return editor.access().read(() -> editor.store().audit(recent, 0, MAX_ENTRIES)).stream()
        .anyMatch(
            entry ->
                entry.action().equals(DISABLE)
                    && AutomaticSteps.ACTOR.equals(entry.actor())
                    && REASON.equals(entry.reason()));
  }

  private void defend(Risk risk, Operation operation, KeyEditor.Step step) {
    if (policy.reportsOnly()) {
      report(risk, operation.action(), operation.action());
      return;
    }
    Change change = editor.apply(risk.keyId(), operation, step);
    if (change.isApplied()) {
      editor.tellIfAlarming(change, RevocationReason.SUSPICIOUS_ACTIVITY);
    }
  }

  /** Once a day. */
  private void report(Risk risk, String action, String what) {
    Instant day = Period.DAY.startOf(risk.assessedAt());
    String id = "report-" + risk.keyId() + "-" + action + "-" + day.getEpochSecond();
    if (!claim(id, risk.assessedAt(), List.of())) {
      return;
    }
    log.info(
        "Key {} has {} risk; by policy nothing is done but told, else: {}",
        risk.keyId(),
        risk.level(),
        what);
  }
}
