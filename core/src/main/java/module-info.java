import org.jspecify.annotations.NullMarked;

/** API keys for a service: issue, hash, validate, administer, and the HTTP edge. */
@NullMarked
module io.keystile {
  exports io.keystile;
  exports io.keystile.http;
  exports io.keystile.leak;
  exports io.keystile.limit;
  exports io.keystile.usage;

  requires transitive io.keystile.store;
  requires static transitive org.jspecify;
  requires com.github.benmanes.caffeine;
  requires org.slf4j;
}
