/**
 * The contract kit that the author of a {@link io.keystile.store.KeyStore} runs.
 *
 * <p>Extend {@link io.keystile.store.tck.KeyStoreContract} and {@link
 * io.keystile.store.tck.KeyStoreRaceContract}, each by one small class, and {@link
 * io.keystile.store.tck.TransactionalKeyStoreContract} too if the store joins transactions of its
 * host, {@link io.keystile.store.tck.SharedLimitsContract} if it keeps what nodes share of limits,
 * and {@link io.keystile.store.tck.UsageStoreContract} if it keeps usage. A test's name begins with
 * the number of the rule it holds the store to, as in the documentation of {@code KeyStore}, {@code
 * SharedLimits} and {@code UsageStore}.
 *
 * <p>The kit draws new key ids, owners and operation ids for each test. So the database need not be
 * empty and need not be emptied; but purging is part of the contract, so it must be one that may
 * lose everything.
 */
package io.keystile.store.tck;
