/**
 * What to do when keys were seen by others: find tokens in any text, prove them, and revoke their
 * keys. Start with {@link io.keystile.leak.LeakScanner}, which finds, and {@link
 * io.keystile.leak.LeakResponse}, which does all in one call.
 */
package io.keystile.leak;
