package io.keystile.usage;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where requests are written down one by one, if the host wants it: as lines of a log, and the last
 * 100 of each key in memory.
 *
 * <p><b>The log.</b> One line of JSON per request at INFO, on a logger of its own: {@value
 * #LOGGER}.
 *
 * <pre>{@code
 * {"time":"2026-01-01T00:00:00Z","key":"0351fcs8Bym6tbejfDMyAJ","owner":"weather-app",
 *  "endpoint":"/forecast/{city}","method":"GET","status":200,"micros":1250,
 *  "client":"192.0.2.7","bytes":512,"caller":"billing"}
 * }</pre>
 *
 * <p>(In one line.) What is not known is left out. All but printable ASCII is escaped, as are
 * {@code "} and {@code \}, so one request is one line in every viewer, whatever a client has sent,
 * and every parser of JSON gives the same texts back. Texts are cut as {@link RequestRecord} says.
 *
 * <p><b>Memory.</b> A record takes about 300 bytes with usual texts and at most 2 KB, so 1,000 keys
 * take about 30 MB, and 200 MB if every text of every request is as long as it may be. When there
 * are more keys than are kept, those of the key that was idle longest are forgotten.
 *
 * <p>For any thread. Writing the log blocks as long as the log does; keys share a lock for the time
 * of one look-up in a table.
 */
public final class RequestRecords {
  /** The name of the logger. */
  public static final String LOGGER = "io.keystile.requests";

  private final boolean logs;
  private final @Nullable RecentRequests recent;

  /**
   * Says what is done with requests.
   *
   * @param logs whether they are logged
   * @param keys of how many keys the last requests are kept, 0 to 1,000,000
   * @throws IllegalArgumentException if it is out of range
   */
  public RequestRecords(boolean logs, int keys) {
    this.logs = logs;
    recent = keys == 0 ? null : new RecentRequests(keys);
  }

  /**
   * Whether nothing is done with them.
   *
   * @return true if they are neither logged nor kept
   */
  public boolean isOff() {
    return !logs && recent == null;
  }

  /**
   * Writes a request down.
   *
   * @param request the latest of its key
   */
  public void record(RequestRecord request) {
    if (logs) {
      RequestLog.record(request);
    }
    if (recent != null) {
      recent.record(request);
    }
  }

  /**
   * The last requests of a key, in the order in which they were written down. Who is looked at is
   * kept for longer: reading counts as a use.
   *
   * @param keyId the key
   * @return at most 100, the oldest first; a copy
   */
  public List<RequestRecord> of(String keyId) {
    return recent == null ? List.of() : recent.of(keyId);
  }
}
