package io.keystile.limit;

/** How the windows of one {@link Cell} stand at one moment; times are ticks from then on. */
final class Reading {
  static final long NEVER = Long.MAX_VALUE;

  final Layout layout;

  /** How much is in each window, in units. */
  final long[] used;

  /** How much is left in each window, in units. */
  final long[] remaining;

  /** Until the first of that leaves, and until all of it has; 0 if nothing is in it. */
  final long[] frees;

  final long[] resets;

  /** Until there is room for what was asked; 0 if there is, {@link #NEVER} if there never is. */
  final long[] waits;

  Reading(Layout layout) {
    this.layout = layout;
    int count = layout.count();
    used = new long[count];
    remaining = layout.units.clone(); // stays so where the key cannot be counted
    frees = new long[count];
    resets = new long[count];
    waits = new long[count];
  }
}
