package io.keystile.store.jdbc;

import static io.keystile.store.jdbc.Row.present;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyRecord.Adapted;
import io.keystile.store.KeyRecord.Kind;
import io.keystile.store.KeyRecord.Revoked;
import io.keystile.store.KeyRecord.RotationRule;
import io.keystile.store.KeyRecord.State;
import io.keystile.store.RevocationReason;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import io.keystile.store.UseMark;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Between records and rows, in the order of the columns in {@link Sql}. */
final class Records {
  private Records() {}

  /** All columns but the id, which comes last in every statement that writes a key. */
  static void bindKey(Binder binder, KeyRecord key) throws SQLException {
    Adapted adapted = key.adapted();
    RotationRule rotation = key.rotation();
    Revoked revoked = key.revoked();
    binder
        .number(key.revision())
        .constant(key.kind())
        .constant(key.state())
        .exact(key.brand())
        .exact(key.environment())
        .exact(key.owner())
        .exact(key.subject())
        .text(key.name())
        .text(Encoding.words(key.scopes()))
        .text(Encoding.words(key.networks()))
        .text(Encoding.words(key.callers()))
        .text(key.plan())
        .text(Encoding.limits(key.limits()))
        .time(adapted == null ? null : adapted.at())
        .optional(adapted == null ? null : adapted.perMinute())
        .text(adapted == null ? null : adapted.why())
        .text(Encoding.form(key.metadata()))
        .time(key.createdAt())
        .time(key.endsAt())
        .duration(rotation == null ? null : rotation.grace())
        .duration(rotation == null ? null : rotation.age())
        .time(revoked == null ? null : revoked.at())
        .constant(revoked == null ? null : revoked.reason())
        .text(revoked == null ? null : revoked.note())
        .text(revoked == null ? null : revoked.by())
        .time(revoked == null ? null : revoked.lastUsed())
        .text(key.seal())
        .time(key.liveUntil())
        .time(key.olderUntil())
        .time(key.newest().createdAt())
        .time(key.newest().end())
        .exact(key.id());
  }

  static void bindVersion(Binder binder, String keyId, SecretVersion version) throws SQLException {
    binder
        .number(version.number())
        .text(version.scheme())
        .text(version.pepperId())
        .text(version.hash())
        .text(version.lastFour())
        .time(version.createdAt())
        .text(version.createdBy())
        .text(version.note())
        .time(version.expiresAt())
        .time(version.retiresAt())
        .time(version.revokedAt())
        .exact(keyId);
  }

  static void bindEntry(Binder binder, AuditEntry entry) throws SQLException {
    binder
        .exact(entry.operationId())
        .text(entry.action())
        .exact(entry.keyId())
        .exact(entry.owner())
        .optional(entry.secretVersion())
        .time(entry.at())
        .text(entry.actor())
        .text(entry.reason())
        .text(entry.note())
        .constant(entry.before())
        .constant(entry.after());
  }

  static void bindMark(Binder binder, UseMark mark) throws SQLException {
    binder
        .time(mark.lastUsed())
        .time(mark.lastUsed())
        .time(mark.lastSeen())
        .time(mark.lastSeen())
        .exact(mark.keyId())
        .number(mark.version())
        .time(mark.lastSeen())
        .time(mark.lastUsed());
  }

  /** In the order of the conditions in {@link Sql#list}. */
  static void bindFilter(Binder binder, KeyFilter filter, @Nullable String after, int limit)
      throws SQLException {
    for (String text :
        Arrays.asList(
            after, filter.owner(), filter.subject(), filter.brand(), filter.environment())) {
      if (text != null) {
        binder.exact(text);
      }
    }
    if (filter.pepperId() != null) {
      binder.text(filter.pepperId());
    }
    KeyFilter.Due due = filter.due();
    for (Instant time :
        Arrays.asList(
            filter.liveAfter(),
            filter.liveUntil(),
            filter.olderLiveAfter(),
            due == null ? null : due.endsBy(),
            due == null ? null : due.createdBy(),
            filter.revokedBefore(),
            filter.issuedBefore(),
            filter.unusedSince())) {
      if (time != null) {
        binder.time(time);
      }
    }
    binder.number(limit);
  }

  /** In the order of the conditions in {@link Sql#audit}. */
  static void bindFilter(Binder binder, AuditFilter filter, long after, int limit)
      throws SQLException {
    binder.number(after);
    for (String text : Arrays.asList(filter.keyId(), filter.owner(), filter.operationId())) {
      if (text != null) {
        binder.exact(text);
      }
    }
    for (Instant time : Arrays.asList(filter.from(), filter.until())) {
      if (time != null) {
        binder.time(time);
      }
    }
    binder.number(limit);
  }

  /** Reads rows of key and version, sorted by both; with the use of the version if asked for. */
  static List<StoredKey> readKeys(Row row, boolean withUse) throws SQLException {
    List<StoredKey> keys = new ArrayList<>();
    KeyRecord.@Nullable Builder builder = null;
    String current = "";
    List<SecretVersion> versions = new ArrayList<>();
    List<UseMark> uses = new ArrayList<>();
    while (row.next()) {
      String id = present(row.exact());
      if (builder == null || !id.equals(current)) {
        if (builder != null) {
          keys.add(new StoredKey(builder.versions(versions).build(), uses));
        }
        builder = readKey(id, row);
        current = id;
        versions = new ArrayList<>();
        uses = new ArrayList<>();
      }
      row.skipTo(Sql.FIRST_VERSION_COLUMN);
      SecretVersion version = readVersion(row);
      versions.add(version);
      if (withUse) {
        Instant lastUsed = row.time();
        Instant lastSeen = row.time();
        if (lastSeen != null) {
          uses.add(new UseMark(id, version.number(), lastUsed, lastSeen));
        }
      }
    }
    if (builder != null) {
      keys.add(new StoredKey(builder.versions(versions).build(), uses));
    }
    return keys;
  }

  static List<AuditEntry> readEntries(Row row) throws SQLException {
    List<AuditEntry> entries = new ArrayList<>();
    while (row.next()) {
      entries.add(
          new AuditEntry(
              row.number(),
              present(row.exact()),
              present(row.text()),
              present(row.exact()),
              present(row.exact()),
              version(row.optional()),
              present(row.time()),
              row.text(),
              row.text(),
              row.text(),
              state(row.text()),
              state(row.text())));
    }
    return entries;
  }

  private static KeyRecord.Builder readKey(String id, Row row) throws SQLException {
    KeyRecord.Builder key = KeyRecord.builder().id(id).revision(row.number());
    Kind kind = Kind.valueOf(present(row.text()));
    State state = State.valueOf(present(row.text()));
    key.prefix(present(row.exact()), present(row.exact())).owner(present(row.exact()));
    String subject = row.exact();
    if (kind == Kind.PERSONAL) {
      key.personal(present(subject));
    }
    key.name(present(row.text()))
        .scopes(Encoding.words(present(row.text())))
        .networks(Encoding.words(present(row.text())))
        .callers(Encoding.words(present(row.text())))
        .plan(row.text())
        .limits(Encoding.limits(present(row.text())))
        .adapted(readAdapted(row))
        .metadata(Encoding.form(present(row.text())))
        .createdAt(present(row.time()))
        .endsAt(row.time())
        .rotation(readRotation(row));
    Revoked revoked = readRevoked(row);
    key.seal(row.text()).state(state);
    return revoked == null ? key : key.revoked(revoked);
  }

  private static @Nullable Adapted readAdapted(Row row) throws SQLException {
    Instant at = row.time();
    Long perMinute = row.optional();
    String why = row.text();
    return at == null && perMinute == null && why == null
        ? null
        : new Adapted(present(at), present(perMinute), present(why));
  }

  private static @Nullable RotationRule readRotation(Row row) throws SQLException {
    Duration grace = row.duration();
    Duration age = row.duration();
    return grace == null && age == null ? null : new RotationRule(present(grace), age);
  }

  private static @Nullable Revoked readRevoked(Row row) throws SQLException {
    Instant at = row.time();
    String reason = row.text();
    String note = row.text();
    String by = row.text();
    Instant lastUsed = row.time();
    return at == null ? null : new Revoked(at, reason(present(reason)), note, by, lastUsed);
  }

  private static SecretVersion readVersion(Row row) throws SQLException {
    return new SecretVersion(
        Math.toIntExact(row.number()),
        present(row.text()),
        row.text(),
        present(row.text()),
        present(row.text()),
        present(row.time()),
        row.text(),
        row.text(),
        row.time(),
        row.time(),
        row.time());
  }

  private static @Nullable Integer version(@Nullable Long number) {
    return number == null ? null : Integer.valueOf(Math.toIntExact(number));
  }

  /** A newer version of the library may have written a reason that this one does not know. */
  private static RevocationReason reason(String name) {
    for (RevocationReason reason : RevocationReason.values()) {
      if (reason.name().equals(name)) {
        return reason;
      }
    }
    return RevocationReason.UNSPECIFIED;
  }

  private static @Nullable State state(@Nullable String name) {
    return name == null ? null : State.valueOf(name);
  }
}
