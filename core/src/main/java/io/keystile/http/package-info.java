/**
 * The HTTP edge as plain values: finding the key in a request, and the answer to a refusal. Start
 * with {@link io.keystile.http.HttpGate}, the one call of an adapter, and {@link
 * io.keystile.http.HeaderGetter}, which reads a framework's request.
 */
package io.keystile.http;
