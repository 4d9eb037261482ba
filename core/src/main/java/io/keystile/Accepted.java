package io.keystile;

import io.keystile.limit.Decision;
import io.keystile.limit.Meter;
import io.keystile.usage.RequestRecord;
import io.keystile.usage.RequestRecords;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The token is good for what was asked. Immutable. */
public final class Accepted implements Validation {
  // one for each request, so it is kept at 32 bytes
  private final SecretInUse secret;
  private final Origin origin;
  private final long at;
  private final boolean isRecorded;

  /**
   * @param at when it was decided, milliseconds since 1970
   * @param isRecorded whether it counts
   */
  Accepted(SecretInUse secret, Origin origin, long at, boolean isRecorded) {
    this.secret = secret;
    this.origin = origin;
    this.at = at;
    this.isRecorded = isRecorded;
  }

  /**
   * The key, as this node knows it: as old as the bound that {@link ApiKeysBuilder#propagation}
   * states.
   *
   * @return the key
   */
  public ApiKey key() {
    return secret.key().key;
  }

  /**
   * Which of the key's secrets was presented.
   *
   * @return the number of the secret version, from 1
   */
  public int secretVersion() {
    return secret.number();
  }

  /**
   * Until when the client must have changed its secret. There is such a time if the key is due for
   * rotation (see {@link RotationPolicy}), or if a newer secret was made already and the client
   * still uses an older one. Then this is when the presented secret ends; for a secret that is due
   * for its age alone, one grace after it became due.
   *
   * @return the time, which may be past for a key that is due for its age; null if there is no need
   */
  public @Nullable Instant rotateBy() {
    RotationRules.Notice notice = secret.notice();
    return at < notice.from() ? null : Instant.ofEpochMilli(notice.until());
  }

  /**
   * How the windows of the key stand when this is called. They are looked at then, not before, so
   * requests that came in between show too.
   *
   * @return every window of its plan; none if it is not limited. Whether it is allowed there says
   *     whether one more request would be
   */
  public Decision limits() {
    return meter().peek(1);
  }

  /**
   * Charges what the request has used of another unit than requests, once that is known: as bytes
   * sent. It always counts; a key that has used up a quota is not let in until enough of it has
   * left the window. Does nothing if the plan does not limit the unit. Does not block.
   *
   * @param unit the unit of a quota of the key's plan, see {@link io.keystile.limit.Plan#quota}
   * @param amount how much, at least 0
   * @throws IllegalArgumentException if the amount is negative
   */
  public void charge(String unit, long amount) {
    meter().charge(unit, amount);
  }

  private Meter meter() {
    return secret.key().meter();
  }

  /**
   * Tells how the request was answered, for {@linkplain ApiKeysBuilder#recordUsage usage} and logs
   * of single requests ({@link ApiKeysBuilder#logRequests}, {@link ApiKeysBuilder#keepRequests}).
   * To be called once, after the response; a host that does not leaves out what only it knows. Does
   * nothing if usage is not recorded, or for the result of a {@linkplain ApiKeys#peek dry run}.
   * Does not block, but for the log of single requests, if that does.
   *
   * <pre>{@code
   * accepted.answered("GET", "/forecast/{city}", 200, System.nanoTime() - began, body.length);
   * }</pre>
   *
   * @param method the method
   * @param endpoint the route, without what differs from request to request, such as ids; null if
   *     it is not known
   * @param status the status, as 200
   * @param nanos how long it took, in nanoseconds; a negative time counts as none
   * @param bytes how many bytes were sent or received; negative counts as none
   */
  public void answered(
      String method, @Nullable String endpoint, int status, long nanos, long bytes) {
    Objects.requireNonNull(method, "method");
    KeyUse use = use();
    if (use != null) {
      use.answered(at, method, endpoint, status, nanos);
      use.transferred(at, KeyUse.ALL_BYTES, bytes);
      RequestRecords records = use.records();
      if (records != null) {
        Duration took = Duration.ofNanos(Math.max(0, nanos));
        IpAddress client = origin.ipAddress();
        records.record(
            new RequestRecord(
                Instant.ofEpochMilli(at),
                key().id(),
                key().owner(),
                endpoint,
                method,
                status,
                took,
                client == null ? null : client.toString(),
                Math.max(0, bytes),
                origin.callerName()));
      }
    }
  }

  private @Nullable KeyUse use() {
    return isRecorded ? secret.key().use : null;
  }

  /**
   * Tells of bytes that are counted by themselves, as those of images, besides the ones told with
   * {@link #answered}. Does nothing if usage is not recorded. Does not block.
   *
   * @param category what they are, 1 to 200 bytes of UTF-8 from a small set of the host's
   * @param bytes how many; negative counts as none
   */
  public void transferred(String category, long bytes) {
    Objects.requireNonNull(category, "category");
    KeyUse use = use();
    if (use != null) {
      use.transferred(at, category, bytes);
    }
  }

  @Override
  public boolean isAccepted() {
    return true;
  }

  /**
   * For logs.
   *
   * @return the key id and the secret version
   */
  @Override
  public String toString() {
    return "Accepted[key=" + key().id() + ", secretVersion=" + secretVersion() + "]";
  }
}
