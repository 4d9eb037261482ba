/** The HTTP edge as plain values: finding the key in a request, and the answer to a refusal. */
package io.keystile.http;
