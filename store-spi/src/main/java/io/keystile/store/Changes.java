package io.keystile.store;

import java.util.List;

/**
 * An answer of the change feed.
 *
 * @param list the notices, in rising order of their numbers
 * @param oldest the lowest number that is kept, 0 if none is
 * @param newest the highest number that is visible, 0 if none is
 */
public record Changes(List<Change> list, long oldest, long newest) {

  /**
   * A notice: something about this key has changed.
   *
   * @param number the number of the notice
   * @param keyId the key
   */
  public record Change(long number, String keyId) {
    /** Checks the values. */
    public Change {
      Checks.require(number >= 1, "number: must be at least 1");
      Checks.keyId(keyId);
    }
  }

  /** Copies the list. */
  public Changes {
    list = List.copyOf(list);
    Checks.require(
        oldest >= 0 && newest >= oldest, "oldest, newest: must be rising and not negative");
  }
}
