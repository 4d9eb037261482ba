/** A small service that issues and checks API keys, and a client that uses them. */
package io.keystile.examples;
