package io.keystile.examples.portal;

import io.keystile.KeyDetails;
import io.keystile.OwnerKeys;
import java.time.Instant;

/**
 * A part of the page of a key that tells more than the key itself does, for instance how it is used
 * or what is odd about that. It is asked only for keys of who is signed in.
 */
interface KeyPanel {

  /**
   * A section with a heading, or {@link Html#NONE} if there is nothing to tell.
   *
   * @param mine what belongs to who is signed in
   * @param key one of these keys
   */
  Html of(OwnerKeys mine, KeyDetails key, Instant now);
}
