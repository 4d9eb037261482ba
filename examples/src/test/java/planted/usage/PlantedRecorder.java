package planted.usage;

import planted.Planted;

/** Knows who uses it. */
public final class PlantedRecorder {
  private Planted root;
}
