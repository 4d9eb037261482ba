/** A {@code KeyStore} on PostgreSQL, MariaDB, H2, HSQLDB and SQLite. */
package io.keystile.store.jdbc;
