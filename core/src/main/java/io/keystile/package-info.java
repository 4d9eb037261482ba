/** The API that a host calls: it issues, validates and administers API keys. */
package io.keystile;
