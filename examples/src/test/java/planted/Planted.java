package planted;

import java.io.ObjectInputStream;
import java.util.Arrays;
import java.util.Random;
import javax.sql.DataSource;
import planted.http.PlantedEdge;
import planted.leak.PlantedLeak;

/** The root: knows SQL and who uses it, guesses, deserializes, and compares in a hurry. */
public final class Planted {
  private DataSource sql;
  private PlantedEdge edge;
  private PlantedLeak leak;
  private ObjectInputStream in;

  boolean guess(byte[] a, byte[] b) {
    new Random().nextBytes(a);
    return Arrays.equals(a, b);
  }
}
