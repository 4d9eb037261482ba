package io.keystile.store.jdbc;

import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Reads the columns of a row from left to right. */
final class Row {
  private final ResultSet result;
  private final Dialect dialect;
  private int index;

  Row(ResultSet result, Dialect dialect) {
    this.result = result;
    this.dialect = dialect;
  }

  boolean next() throws SQLException {
    index = 0;
    return result.next();
  }

  /** Goes on behind the given number of columns. */
  void skipTo(int column) {
    index = column;
  }

  long number() throws SQLException {
    return result.getLong(++index);
  }

  @Nullable Long optional() throws SQLException {
    long value = number();
    return result.wasNull() ? null : Long.valueOf(value);
  }

  @Nullable String text() throws SQLException {
    return result.getString(++index);
  }

  @Nullable String exact() throws SQLException {
    if (!dialect.exactTextIsBinary()) {
      return text();
    }
    byte[] bytes = result.getBytes(++index);
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }

  @Nullable Instant time() throws SQLException {
    Long millis = optional();
    return millis == null ? null : Instant.ofEpochMilli(millis);
  }

  @Nullable Duration duration() throws SQLException {
    Long millis = optional();
    return millis == null ? null : Duration.ofMillis(millis);
  }

  /** A value that the schema declares not null. */
  static <T> T present(@Nullable T value) {
    if (value == null) {
      throw new IllegalArgumentException("a column is null that must not be");
    }
    return value;
  }
}
