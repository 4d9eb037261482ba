package planted.http;

import planted.Planted;

/** Makes a cycle with the root. */
public final class PlantedEdge {
  private Planted root;
}
