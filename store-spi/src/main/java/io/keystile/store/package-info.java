/** What a store keeps and the operations it offers, with their stated atomicity. */
package io.keystile.store;
