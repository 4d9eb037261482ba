package planted.limit;

import planted.Planted;

/** Knows who uses it. */
public final class PlantedLimiter {
  private Planted root;
}
