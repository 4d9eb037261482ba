package io.keystile.usage;

import java.time.Instant;
import java.util.List;
import java.util.Objects;

/**
 * What the use of a key in the last 24 hours says about it, beside what is usual for this key.
 * Immutable, and made without I/O: everything that led to it is in it.
 *
 * <p><b>How anomalies make a level.</b> Each anomaly is a {@linkplain Sign sign} of one of three
 * things: that the key is used from elsewhere, that it is used with a secret that it should not be
 * used with, or that something else is done with it. Any of them makes {@link Level#MEDIUM}: it
 * happens to honest clients as well. Two signs at once, as something else that is done from
 * elsewhere, make {@link Level#HIGH}, and so does one that is {@linkplain Anomaly#grave grave} by
 * itself. Several anomalies of one sign are still one sign: a client that works off a queue makes
 * requests and bytes. Signs of mere {@linkplain Sign#TROUBLE trouble} make no pair: a client that
 * moves has errors, and is in two places meanwhile.
 *
 * @param keyId the key
 * @param level how it is judged
 * @param reason why this level, in words; holds no address and no name that a client has chosen
 * @param anomalies what was found, in the order of {@link Kind}; empty for {@link Level#LOW}
 * @param assessedAt when it was judged
 * @param summary how much the key is used
 */
public record Risk(
    String keyId,
    Level level,
    String reason,
    List<Anomaly> anomalies,
    Instant assessedAt,
    UsageSummary summary) {

  /** Copies the list. */
  public Risk {
    Objects.requireNonNull(keyId, "keyId");
    Objects.requireNonNull(level, "level");
    Objects.requireNonNull(reason, "reason");
    anomalies = List.copyOf(anomalies);
    Objects.requireNonNull(assessedAt, "assessedAt");
    Objects.requireNonNull(summary, "summary");
  }

  /** How great the risk is; the order of the constants is that of the risk. */
  public enum Level {
    /** The key has too little history to have habits, and nothing that needs none was found. */
    UNKNOWN,
    /** Nothing was found. */
    LOW,
    /** Something that is worth a look, and that honest clients do now and then. */
    MEDIUM,
    /** Two signs at once, or a grave one. */
    HIGH
  }

  /** What an anomaly is a sign of. */
  public enum Sign {
    /** The key is used from elsewhere. */
    ELSEWHERE("used from elsewhere"),
    /** It is used with a secret that should be out of use. */
    STALE_SECRET("used with a secret that should be out of use"),
    /** Something is done that its client does not do. */
    SOMETHING_ELSE("used in another way"),
    /** Something that honest clients have when they move or break: it makes no pair with others. */
    TROUBLE("in trouble");

    final String words;

    Sign(String words) {
      this.words = words;
    }
  }

  /** What was found. Expect more constants in later versions. */
  public enum Kind {
    /** Requests of an hour or of 24 hours far above what is usual for that hour or weekday. */
    RATE(Sign.SOMETHING_ELSE),
    /** Bytes of 24 hours far above what is usual. */
    BYTES(Sign.SOMETHING_ELSE),
    /** Used in several hours in which the key is usually silent. */
    ODD_HOURS(Sign.SOMETHING_ELSE),
    /** A share of answers with status 400 and above that is far above its own. */
    ERRORS(Sign.TROUBLE),
    /** A share of refused requests far above its own; of those that proved a good secret. */
    REFUSALS(Sign.SOMETHING_ELSE),
    /** Many endpoints that the key has never used. */
    PROBING(Sign.SOMETHING_ELSE),
    /** Used after a long time without any use. */
    DORMANT_AWAKE(Sign.SOMETHING_ELSE),
    /** Used from networks that it was never used from; grave if they are many. */
    NEW_NETWORK(Sign.ELSEWHERE),
    /** Used from more networks within one minute than it has been on any two days. */
    NETWORKS_AT_ONCE(Sign.TROUBLE),
    /** An older secret is used again after the newest had been used alone for some time. */
    OLD_SECRET(Sign.STALE_SECRET),
    /** A secret that was retired or revoked is used; such requests are refused. */
    RETIRED_SECRET(Sign.STALE_SECRET);

    private final Sign sign;

    Kind(Sign sign) {
      this.sign = sign;
    }

    /**
     * What it is a sign of.
     *
     * @return the sign
     */
    public Sign sign() {
      return sign;
    }
  }

  /**
   * One thing that is not as usual.
   *
   * @param kind what
   * @param observed the number that was found, in the unit that the evidence names
   * @param expected what is usual for this key
   * @param threshold what would just not have been an anomaly
   * @param grave whether it makes {@link Level#HIGH} by itself
   * @param evidence one line in words. It may hold networks, as /24 or /48, and up to three names
   *     of endpoints, in quotes, escaped and cut; never an address, never a secret
   */
  public record Anomaly(
      Kind kind,
      double observed,
      double expected,
      double threshold,
      boolean grave,
      String evidence) {
    /** Checks the values. */
    public Anomaly {
      Objects.requireNonNull(kind, "kind");
      Objects.requireNonNull(evidence, "evidence");
    }
  }
}
