package io.keystile.leak;

import io.keystile.Reason;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was found in a leaked text, and what was done about it, token by token. Holds no token.
 * Immutable.
 *
 * <pre>{@code
 * if (!report.isComplete()) {
 *   later(text); // the same call again: what was done is not done twice
 * }
 * }</pre>
 */
public final class LeakReport {

  /** How many tokens that were not proven are listed; all are counted. */
  public static final int MAX_UNPROVEN = 10_000;

  /** What came of one token. Expect more constants in later versions. */
  public enum Outcome {
    /** Proven, and its key is revoked now. */
    REVOKED,
    /** Proven, and its key had been revoked before. */
    ALREADY_REVOKED,
    /**
     * Proven, but this secret has ended: it has expired, was retired by a rotation or revoked
     * alone, or its key has ended. Nothing was done: whoever has it cannot use it, and the key may
     * live on with another secret.
     */
    ENDED,
    /** Not a token of this service: nobody's key, a wrong secret, or of another brand. */
    NOT_OURS,
    /** It could not be found out whether it is right. Nothing was done; to be tried again. */
    UNDECIDED,
    /**
     * Proven, but the key could not be read or revoked, so it may still work. To be tried again.
     */
    FAILED
  }

  /**
   * One token of the text.
   *
   * @param token its redacted form; {@code (malformed)} for text that does not have the format
   * @param tokenHash SHA-256 of the whole token in hexadecimal, to tell it to those who have it
   *     without repeating it; null for text that does not have the format
   * @param keyId the key it proves, or else the one it names; null for text that names none
   * @param secretVersion which secret of the key it proves; 0 if it proves none
   * @param offset where it stands first, as {@link FoundToken#offset()}
   * @param line in which line, from 1
   * @param count how often it stands in the text
   * @param outcome what came of it
   * @param reason why validation refuses it, before anything was done; null if it was accepted
   * @param failure what went wrong; null unless the outcome is {@link Outcome#FAILED}
   */
  public record Finding(
      String token,
      @Nullable String tokenHash,
      @Nullable String keyId,
      int secretVersion,
      long offset,
      long line,
      long count,
      Outcome outcome,
      @Nullable Reason reason,
      @Nullable RuntimeException failure) {

    /**
     * Whether the token was a secret of the key it names, whatever it is worth now.
     *
     * @return true if it was proven
     */
    public boolean isProven() {
      return secretVersion > 0;
    }
  }

  private final List<Finding> findings;
  private final Map<Outcome, Integer> counts;
  private final @Nullable Exception readFailure;

  private LeakReport(Collector collector, @Nullable Exception readFailure) {
    findings = List.copyOf(collector.findings);
    counts = new EnumMap<>(collector.counts);
    this.readFailure = readFailure;
  }

  /** Gathers what becomes a report, in bounded memory where others can write the text. */
  static final class Collector {
    private final List<Finding> findings = new ArrayList<>();
    private final Map<Outcome, Integer> counts = new EnumMap<>(Outcome.class);
    private int unproven;

    void add(Finding finding) {
      counts.merge(finding.outcome(), 1, Integer::sum);
      if (finding.isProven() || ++unproven <= MAX_UNPROVEN) {
        findings.add(finding);
      }
    }

    LeakReport report(@Nullable Exception readFailure) {
      return new LeakReport(this, readFailure);
    }
  }

  /**
   * The tokens, in the order in which they stand in the text: all that were proven, and of the
   * others the first {@value #MAX_UNPROVEN}.
   *
   * @return the findings; unmodifiable
   */
  public List<Finding> findings() {
    return findings;
  }

  /**
   * How many tokens had an outcome, those included that are not listed.
   *
   * @param outcome the outcome
   * @return the number of different tokens, within what {@link LeakScanner} says of duplicates
   */
  public int count(Outcome outcome) {
    return counts.getOrDefault(outcome, 0);
  }

  /**
   * Whether nothing is left to do: the text was read to its end, and each token in it was decided.
   *
   * @return false if the same call should be made again later
   */
  public boolean isComplete() {
    return readFailure == null && count(Outcome.UNDECIDED) == 0 && count(Outcome.FAILED) == 0;
  }

  /**
   * Why the text could not be read to its end. What stood before is in this report.
   *
   * @return what the stream or reader threw; null if it was read to its end
   */
  public @Nullable Exception readFailure() {
    return readFailure;
  }

  /**
   * Describes the report, for logs.
   *
   * @return how many tokens had which outcome, and whether something is left to do
   */
  @Override
  public String toString() {
    return "LeakReport[" + counts + (isComplete() ? "]" : ", incomplete]");
  }
}
