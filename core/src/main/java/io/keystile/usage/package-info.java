/**
 * What keys were used for: recorded without a write per request, kept per hour and per day, and
 * judged. The classes here know keys by their ids alone.
 */
@NullMarked
package io.keystile.usage;

import org.jspecify.annotations.NullMarked;
