/** The contract kit: extend one class, hand it a store, and run the tests. */
package io.keystile.store.tck;
