/**
 * Limits over sliding windows: how often a key may be used. Usable by itself, for any kind of key:
 * {@link io.keystile.limit.Limiter}.
 *
 * <p>The words: a {@linkplain io.keystile.limit.Window window} is a limit over a length of time; a
 * {@linkplain io.keystile.limit.Plan plan} is a named set of windows; a {@linkplain
 * io.keystile.limit.Meter meter} counts for one key; a {@linkplain io.keystile.limit.Decision
 * decision} is the full answer to one call. Requests are <em>permits</em>, taken before the work;
 * other units, as bytes, are <em>quotas</em>, checked before and charged afterwards.
 */
package io.keystile.limit;
