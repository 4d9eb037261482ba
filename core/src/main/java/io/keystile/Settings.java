package io.keystile;

import java.time.Duration;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * How validation works on this node; {@link ApiKeysBuilder} says what each is for.
 *
 * @param clock wall-clock time, for what ends at a time
 * @param ticker nanoseconds that never run backwards, for what is so old
 * @param transport what to do with tokens sent in clear
 * @param maxKeys how many keys are cached
 * @param maxAbsent how many unknown ids are remembered
 * @param absentFor for how long
 * @param pollInterval from the start of one poll to the start of the next
 * @param pollDeadline how long a poll may take before it is told as too slow
 * @param maxStale how long after the start of the last good poll a cached key is accepted
 * @param refreshAfter the age at which a cached key is read again in the background
 * @param entryAge the age at which a cached key is not used any more
 * @param loadDeadline how long a request waits for the store
 * @param gapAge how long the feed asks for a missing notice
 * @param maxMissing how many notices may be missing before the cache is emptied
 */
record Settings(
    InstantSource clock,
    LongSupplier ticker,
    TransportPolicy transport,
    int maxKeys,
    int maxAbsent,
    Duration absentFor,
    Duration pollInterval,
    Duration pollDeadline,
    Duration maxStale,
    Duration refreshAfter,
    Duration entryAge,
    Duration loadDeadline,
    Duration gapAge,
    long maxMissing) {}
