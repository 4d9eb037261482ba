package io.keystile.store.jdbc;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the statements need of a table; there may be more in it.
 *
 * @param name without the prefix
 * @param columns the columns
 * @param indexes the indexes, by their columns
 */
record Table(String name, List<Column> columns, List<Index> indexes) {
  static final List<Table> ALL =
      List.of(
          keys(),
          versions(),
          uses(),
          changes(),
          audit(),
          owners(),
          ledgers(),
          tallies(),
          batches());

  /** What a column holds, and in what its size is counted. */
  enum Family {
    /** Text, in characters. */
    TEXT("characters"),
    /** Bytes, which are text where text would be folded or padded. */
    BINARY("bytes"),
    /** Whole numbers, in bits. */
    NUMBER("bits"),
    OTHER("");

    final String unit;

    Family(String unit) {
      this.unit = unit;
    }
  }

  /**
   * A column.
   *
   * @param name its name
   * @param family what it holds, but for exact text
   * @param exact whether it is text that is compared byte for byte
   * @param size how much it must have room for
   * @param numbered whether the database numbers the rows
   */
  record Column(String name, Family family, boolean exact, int size, boolean numbered) {
    private static final Column SEQ = new Column("seq", Family.NUMBER, false, 64, true);

    private static Stream<Column> exact(int size, String... names) {
      return Arrays.stream(names).map(name -> new Column(name, Family.TEXT, true, size, false));
    }

    private static Stream<Column> text(int size, String... names) {
      return Arrays.stream(names).map(name -> new Column(name, Family.TEXT, false, size, false));
    }

    private static Stream<Column> numbers(int bits, String... names) {
      return Arrays.stream(names).map(name -> new Column(name, Family.NUMBER, false, bits, false));
    }

    Family family(boolean exactTextIsBinary) {
      return exact && exactTextIsBinary ? Family.BINARY : family;
    }
  }

  /**
   * An index, or a key.
   *
   * @param unique whether no two rows may be equal in it
   * @param columns its columns, in their order
   */
  record Index(boolean unique, List<String> columns) {
    private static Index of(String... columns) {
      return new Index(false, List.of(columns));
    }

    private static Index unique(String... columns) {
      return new Index(true, List.of(columns));
    }

    /** Whether a query that needs the one is served by the other, whatever its name. */
    boolean isServedBy(Index found) {
      if (unique) {
        return found.unique && found.columns.equals(columns);
      }
      return found.columns.size() >= columns.size()
          && found.columns.subList(0, columns.size()).equals(columns);
    }

    @Override
    public String toString() {
      return (unique ? "unique index" : "index") + " on (" + String.join(", ", columns) + ")";
    }
  }

  /** The names of the columns. */
  List<String> names() {
    return columns.stream().map(Column::name).toList();
  }

  /** The columns of the key, which is the first of the indexes. */
  List<String> key() {
    return indexes.get(0).columns();
  }

  private Table(String name, Stream<Stream<Column>> columns, List<Index> indexes) {
    this(name, columns.flatMap(some -> some).toList(), indexes);
  }

  private static Table keys() {
    return new Table(
        "key",
        Stream.of(
            Column.exact(22, "key_id"),
            Column.exact(16, "brand", "environment"),
            Column.exact(255, "owner", "subject"),
            Column.text(16, "kind", "state"),
            Column.text(40, "revoked_reason"),
            Column.text(100, "plan"),
            Column.text(200, "name", "seal"),
            Column.text(255, "revoked_by"),
            Column.text(500, "revoked_note", "adapted_why"),
            Column.text(1_300, "limits"),
            Column.text(10_100, "scopes", "networks", "callers"),
            Column.text(12_300, "metadata"),
            Column.numbers(64, "revision", "created_at", "ends_at"),
            Column.numbers(64, "rotation_grace", "rotation_age"),
            Column.numbers(64, "adapted_at", "adapted_per_minute"),
            Column.numbers(64, "revoked_at", "revoked_last_used"),
            Column.numbers(64, "live_until", "older_until", "newest_created", "newest_end")),
        List.of(
            Index.unique("key_id"),
            Index.of("owner", "key_id"),
            Index.of("subject", "key_id"),
            Index.of("live_until"),
            Index.of("revoked_at")));
  }

  private static Table versions() {
    return new Table(
        "version",
        Stream.of(
            Column.exact(22, "key_id"),
            Column.numbers(32, "version"),
            Column.text(16, "last_four"),
            Column.text(40, "scheme", "pepper_id"),
            Column.text(64, "hash"),
            Column.text(255, "created_by"),
            Column.text(500, "note"),
            Column.numbers(64, "created_at", "expires_at", "retires_at", "revoked_at")),
        List.of(Index.unique("key_id", "version")));
  }

  private static Table uses() {
    return new Table(
        "use",
        Stream.of(
            Column.exact(22, "key_id"),
            Column.numbers(32, "version"),
            Column.numbers(64, "last_used", "last_seen")),
        List.of(Index.unique("key_id", "version")));
  }

  private static Table changes() {
    return new Table(
        "change",
        Stream.of(
            Stream.of(Column.SEQ), Column.exact(22, "key_id"), Column.numbers(64, "happened_at")),
        List.of(Index.unique("seq")));
  }

  private static Table audit() {
    return new Table(
        "audit",
        Stream.of(
            Stream.of(Column.SEQ),
            Column.exact(22, "key_id"),
            Column.exact(255, "operation_id", "owner"),
            Column.text(16, "state_before", "state_after"),
            Column.text(40, "action", "reason"),
            Column.text(255, "actor"),
            Column.text(500, "note"),
            Column.numbers(32, "secret_version"),
            Column.numbers(64, "happened_at")),
        List.of(
            Index.unique("seq"),
            Index.unique("operation_id"),
            Index.of("key_id", "seq"),
            Index.of("owner", "seq"),
            Index.of("happened_at")));
  }

  private static Table owners() {
    return new Table(
        "owner",
        Stream.of(Column.exact(255, "owner"), Column.numbers(64, "ticket")),
        List.of(Index.unique("owner")));
  }

  private static Table ledgers() {
    return new Table(
        "ledger",
        Stream.of(
            Column.exact(64, "id"),
            Column.text(4_000, "content"),
            Column.numbers(64, "revision", "keep_until")),
        List.of(Index.unique("id"), Index.of("keep_until")));
  }

  /** The columns are in the order in which they are bound. */
  static Table tallies() {
    return new Table(
        "tally",
        Stream.of(
            Column.exact(22, "key_id"),
            Column.numbers(32, "hours"),
            Column.numbers(64, "starts_at"),
            Column.exact(100, "plan"),
            Column.exact(32, "metric"),
            Column.exact(200, "label"),
            Column.exact(255, "owner"),
            Column.numbers(64, "amount")),
        List.of(
            Index.unique("key_id", "hours", "starts_at", "plan", "metric", "label"),
            Index.of("owner", "hours", "starts_at"),
            Index.of("hours", "starts_at")));
  }

  private static Table batches() {
    return new Table(
        "batch",
        Stream.of(Column.exact(64, "id"), Column.numbers(64, "made_at")),
        List.of(Index.unique("id"), Index.of("made_at")));
  }
}
