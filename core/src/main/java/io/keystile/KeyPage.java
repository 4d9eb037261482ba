package io.keystile;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A page of keys, in the order of their creation.
 *
 * @param keys the keys; unmodifiable
 * @param next where the next page begins, for {@link KeyQuery#after(String)}; null if this is the
 *     last page. A page after a full one may be empty
 */
public record KeyPage(List<KeyDetails> keys, @Nullable String next) {

  /** Copies the list. */
  public KeyPage {
    keys = List.copyOf(keys);
  }
}
