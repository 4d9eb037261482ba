package io.keystile;

import io.keystile.limit.Decision;
import io.keystile.limit.Limiter;
import io.keystile.limit.Plan;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** Lets the tests of other packages see what hosts cannot. */
public final class Internals {

  private static final Limiter<String> UNLIMITED = Limiter.of(Plan.unlimited());

  private Internals() {}

  /** The address in one form for all ways to write it; null if it is unknown or unreadable. */
  public static @Nullable String address(Origin origin) {
    IpAddress address = origin.ipAddress();
    return address == null ? null : address.toString();
  }

  /** Whether the transport is stated to be secure. */
  public static boolean isSecure(Origin origin) {
    return origin.transport() == Origin.Transport.SECURE;
  }

  /** Whether the transport is stated to be clear. */
  public static boolean isClear(Origin origin) {
    return origin.transport() == Origin.Transport.CLEAR;
  }

  /** The name of the calling service. */
  public static @Nullable String caller(Origin origin) {
    return origin.callerName();
  }

  /** Whether the origin is stated to be a browser. */
  public static boolean isBrowser(Origin origin) {
    return origin.isBrowser();
  }

  /** A rejection for this reason. */
  public static Rejected rejected(Reason reason) {
    return Rejected.unproven(reason);
  }

  /** As the other, but with this time to change the secret by. */
  public static Accepted rotateBy(Accepted accepted, Instant time) {
    return accepted(accepted.key(), accepted.secretVersion(), time.toEpochMilli());
  }

  /** Returns when the listener was told of all that was raised on this thread. */
  public static void awaitEvents(ApiKeys keys) {
    if (keys.isClosed()) {
      return; // then it was told
    }
    CountDownLatch told = new CountDownLatch(1);
    keys.afterEvents(told::countDown);
    try {
      told.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** An acceptance without limits. */
  static Accepted accepted(ApiKey key, int secretVersion, long rotateBy) {
    KeyInUse inUse = new KeyInUse(key);
    inUse.metered =
        new Limits.Metered(Limits.Plans.of(Plan.unlimited()), UNLIMITED.meter(key.id()));
    RotationRules.Notice notice =
        rotateBy == Long.MAX_VALUE
            ? RotationRules.Notice.NONE
            : new RotationRules.Notice(0, rotateBy, Long.MAX_VALUE);
    return new Accepted(new SecretInUse(inUse, secretVersion, notice), Origin.unknown(), 0, true);
  }

  /** A refusal for its limits. */
  public static Rejected limited(Accepted accepted, Decision limits) {
    return Rejected.limited(accepted.key(), accepted.secretVersion(), limits);
  }
}
