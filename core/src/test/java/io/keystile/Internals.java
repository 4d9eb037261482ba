package io.keystile;

import org.jspecify.annotations.Nullable;

/** Lets the tests of other packages see what hosts cannot. */
public final class Internals {

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
}
