import org.jspecify.annotations.NullMarked;

/** The {@code KeyStore} SPI and the values that a store keeps. No logic, no logging. */
@NullMarked
module io.keystile.store {
  requires static transitive org.jspecify;

  exports io.keystile.store;
}
