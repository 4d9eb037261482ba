package io.keystile.usage;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One request that proved a secret, and its answer, as far as the host has told of them: evidence
 * for those who look into the use of a key. It holds no token and no secret.
 *
 * <p>Texts of clients may be of any length, so they are cut: a record takes at most 2 KB.
 *
 * @param time when it came
 * @param keyId the key
 * @param owner whose the key is
 * @param endpoint what was asked for; cut at {@value #MAX_ENDPOINT} characters; null if not known
 * @param method how; cut at {@value #MAX_METHOD} characters; null if not known
 * @param status the status of the answer; null if not known
 * @param duration how long it took, not negative; null if not known
 * @param client the address it came from; cut at {@value #MAX_CLIENT} characters; null if not known
 * @param bytes how many bytes it moved; null if not known
 * @param caller the name of the calling service; cut at {@value #MAX_CALLER} characters; null if
 *     there is none
 */
public record RequestRecord(
    Instant time,
    String keyId,
    String owner,
    @Nullable String endpoint,
    @Nullable String method,
    @Nullable Integer status,
    @Nullable Duration duration,
    @Nullable String client,
    @Nullable Long bytes,
    @Nullable String caller) {

  /** The most characters of an endpoint. */
  public static final int MAX_ENDPOINT = 256;

  /** The most characters of a method. */
  public static final int MAX_METHOD = 16;

  /** The most characters of an address. */
  public static final int MAX_CLIENT = 64;

  /** The most characters of a caller's name. */
  public static final int MAX_CALLER = 128;

  /** An owner has at most 255 bytes. */
  private static final int MAX_NAME = 255;

  /** Cuts texts, and refuses a duration that is negative. */
  public RequestRecord {
    Objects.requireNonNull(time, "time");
    keyId = cut(Objects.requireNonNull(keyId, "keyId"), MAX_NAME);
    owner = cut(Objects.requireNonNull(owner, "owner"), MAX_NAME);
    endpoint = cutIfKnown(endpoint, MAX_ENDPOINT);
    method = cutIfKnown(method, MAX_METHOD);
    client = cutIfKnown(client, MAX_CLIENT);
    caller = cutIfKnown(caller, MAX_CALLER);
    if (duration != null && duration.isNegative()) {
      throw new IllegalArgumentException("duration: must not be negative");
    }
  }

  /**
   * As {@link RequestRecords} logs it: one line, for a client may have sent anything.
   *
   * @return the line
   */
  @Override
  public String toString() {
    return RequestLog.line(this);
  }

  private static @Nullable String cutIfKnown(@Nullable String text, int most) {
    return text == null ? null : cut(text, most);
  }

  /** The beginning of a text, never with one half of a character at its end. */
  private static String cut(String text, int most) {
    if (text.length() <= most) {
      return text;
    }
    boolean splits =
        Character.isHighSurrogate(text.charAt(most - 1))
            && Character.isLowSurrogate(text.charAt(most));
    return text.substring(0, splits ? most - 1 : most);
  }
}
