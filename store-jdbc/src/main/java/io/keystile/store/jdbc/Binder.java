package io.keystile.store.jdbc;

import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Binds the parameters of a statement from left to right. */
final class Binder {
  private final PreparedStatement statement;
  private final Dialect dialect;
  private int index;

  Binder(PreparedStatement statement, Dialect dialect) {
    this.statement = statement;
    this.dialect = dialect;
  }

  /** Starts again with the first parameter, for the next row of a batch. */
  Binder restart() {
    index = 0;
    return this;
  }

  Binder number(long value) throws SQLException {
    statement.setLong(++index, value);
    return this;
  }

  /** A number, or null. */
  Binder optional(@Nullable Number value) throws SQLException {
    if (value == null) {
      statement.setNull(++index, Types.BIGINT);
      return this;
    }
    return number(value.longValue());
  }

  /** Text that is only kept. */
  Binder text(@Nullable String value) throws SQLException {
    statement.setString(++index, value);
    return this;
  }

  /** The name of a constant, or null. */
  Binder constant(@Nullable Enum<?> value) throws SQLException {
    return text(value == null ? null : value.name());
  }

  /** Text that is compared or sorted, and must be so byte for byte. */
  Binder exact(@Nullable String value) throws SQLException {
    if (!dialect.exactTextIsBinary()) {
      return text(value);
    }
    statement.setBytes(++index, value == null ? null : value.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /** The one place where a time meets JDBC: a number, which no time zone can move. */
  Binder time(@Nullable Instant value) throws SQLException {
    return optional(value == null ? null : value.toEpochMilli());
  }

  Binder duration(@Nullable Duration value) throws SQLException {
    return optional(value == null ? null : value.toMillis());
  }
}
