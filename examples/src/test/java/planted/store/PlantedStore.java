package planted.store;

import org.slf4j.Logger;

/** An SPI that logs. */
public final class PlantedStore {
  private Logger log;
}
