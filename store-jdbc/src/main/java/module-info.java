import org.jspecify.annotations.NullMarked;

/** The key store on SQL databases. */
@NullMarked
module io.keystile.store.jdbc {
  requires transitive io.keystile.store;
  requires transitive java.sql;
  requires static transitive org.jspecify;
  requires org.slf4j;

  exports io.keystile.store.jdbc;
}
