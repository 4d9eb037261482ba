package io.keystile;

import io.keystile.usage.UsageRecorder;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The networks that addresses are in. Clients come again and again from few addresses, so it
 * remembers some: then neither text is parsed nor anything allocated. One that is pushed out, or
 * lost in a race, is worked out again.
 */
final class SourceNetworks {
  private static final int SIZE = 1024;

  private record Known(Object address, long network) {}

  private final AtomicReferenceArray<@Nullable Known> known = new AtomicReferenceArray<>(SIZE);

  /** The number of the network, as {@link UsageRecorder#networkOf} gives it; 0 if it is unknown. */
  long of(Origin origin) {
    Object source = origin.source();
    if (source == null) {
      return 0;
    }
    int hash = source.hashCode();
    int slot = (hash ^ hash >>> 16) & SIZE - 1;
    Known last = known.get(slot);
    if (last == null || !last.address.equals(source)) {
      IpAddress address = origin.ipAddress();
      if (address == null) {
        return 0;
      }
      last = new Known(source, UsageRecorder.networkOf(address.high(), address.low()));
      known.set(slot, last);
    }
    return last.network;
  }
}
