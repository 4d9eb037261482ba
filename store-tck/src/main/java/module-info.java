import org.jspecify.annotations.NullMarked;

/** The contract kit that the author of a {@code KeyStore} runs. */
@NullMarked
module io.keystile.store.tck {
  requires transitive io.keystile.store;
  requires static transitive org.jspecify;
  requires org.assertj.core;
  requires org.junit.jupiter.api;

  exports io.keystile.store.tck;

  // JUnit calls the tests by reflection
  opens io.keystile.store.tck;
}
