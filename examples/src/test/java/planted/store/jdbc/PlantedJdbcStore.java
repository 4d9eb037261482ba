package planted.store.jdbc;

import planted.Planted;

/** An adapter that knows core. */
public final class PlantedJdbcStore {
  private Planted core;
}
