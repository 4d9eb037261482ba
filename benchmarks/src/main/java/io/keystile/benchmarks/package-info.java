/** What validation costs, and what the floor under it is. */
package io.keystile.benchmarks;
