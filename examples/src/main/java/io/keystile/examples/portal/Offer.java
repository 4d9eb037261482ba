package io.keystile.examples.portal;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the host lets owners choose from, each with a few words that say what it is.
 *
 * @param scopes what they may give to a key
 * @param plans how much a key may be used; the first is chosen where nothing is said
 */
public record Offer(Map<String, String> scopes, Map<String, String> plans) {

  /** Copies the maps, in their order. */
  public Offer {
    scopes = Collections.unmodifiableMap(new LinkedHashMap<>(scopes));
    plans = Collections.unmodifiableMap(new LinkedHashMap<>(plans));
  }
}
