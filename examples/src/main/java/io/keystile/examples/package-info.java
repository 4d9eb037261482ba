/** A small service that issues and checks API keys, and a client that uses them. */
@NullMarked
package io.keystile.examples;

import org.jspecify.annotations.NullMarked;
