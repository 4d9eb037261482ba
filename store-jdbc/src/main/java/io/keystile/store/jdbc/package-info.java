/**
 * Keys in a SQL database: H2, HSQLDB, SQLite, PostgreSQL, MariaDB.
 *
 * <p>Start with {@link io.keystile.store.jdbc.JdbcKeyStore#create}. To let administration take part
 * in transactions of the host, see {@link io.keystile.store.jdbc.ConnectionSource}.
 */
package io.keystile.store.jdbc;
