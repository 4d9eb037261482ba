import org.jspecify.annotations.NullMarked;

/** The contract of a {@code KeyStore} as tests that the author of a store runs. */
@NullMarked
module io.keystile.store.tck {
  requires transitive io.keystile.store;
  requires transitive org.junit.jupiter.api;
  requires static transitive org.jspecify;
  requires org.assertj.core;
}
