/**
 * A small developer portal: owners look after their own keys, on plain HTML pages without script.
 */
@NullMarked
package io.keystile.examples.portal;

import org.jspecify.annotations.NullMarked;
