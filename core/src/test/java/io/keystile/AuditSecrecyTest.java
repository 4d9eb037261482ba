package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.KeyStore;
import io.keystile.store.KeyWrite;
import io.keystile.store.WriteOutcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** No secret and no hash is in the audit trail, whatever verb it tells of. */
class AuditSecrecyTest {
  private static final int ROUNDS = 50;

  /** A text that has so many characters of a secret or of a hash tells a part of it. */
  private static final int PART = 12;

  private static final ServerSecret P1 = Tokens.secret("p1", 1);
  private static final ServerSecret P2 = Tokens.secret("p2", 2);
  private static final Cause ALICE = Cause.by("alice").note("why");

  private final Set<String> tokens = new HashSet<>();

  /** Keeps every hash that it was ever given. */
  private static class Hashes extends ForwardingKeyStore {
    final Set<String> all = ConcurrentHashMap.newKeySet();

    Hashes() {
      super(new InMemoryKeyStore());
    }

    private void add(KeyWrite write) {
      if (!Tombstone.is(write.record())) {
        write.record().versions().forEach(version -> all.add(version.hash()));
      }
    }

    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      writes.forEach(this::add);
      return super.insert(writes, ownerMaximum);
    }

    @Override
    public WriteOutcome replace(KeyWrite write) {
      add(write);
      return super.replace(write);
    }
  }

  /** The twin: notes a part of the hash that it stores. */
  private static final class Telling extends Hashes {
    @Override
    public WriteOutcome replace(KeyWrite write) {
      AuditEntry entry = write.entry();
      String part = write.record().newest().hash().substring(40, 40 + PART);
      AuditEntry told =
          new AuditEntry(
              0,
              entry.operationId(),
              entry.action(),
              entry.keyId(),
              entry.owner(),
              entry.secretVersion(),
              entry.at(),
              entry.actor(),
              entry.reason(),
              "hash " + part + "...",
              entry.before(),
              entry.after());
      return super.replace(new KeyWrite(write.record(), told));
    }
  }

  @Test
  void no_entry_tells_a_secret_or_a_hash() {
    Hashes store = new Hashes();
    for (int round = 0; round < ROUNDS; round++) {
      live(store, round);
    }

    List<AuditEntry> entries = entries(store);
    long telling = telling(entries, store);
    System.out.printf(
        "%,d audit entries of %d rounds against %,d hashes and %,d tokens: %d tell of them%n",
        entries.size(), ROUNDS, store.all.size(), tokens.size(), telling);
    assertThat(entries.stream().map(AuditEntry::action).collect(Collectors.toSet()))
        .as("all verbs")
        .containsExactlyInAnyOrder(
            "issue",
            "update",
            "disable",
            "enable",
            "extend",
            "rotate",
            "rotate_self",
            "rehash",
            "revoke_secret",
            "revoke",
            "import",
            "purge");
    assertThat(store.all.size()).isGreaterThanOrEqualTo(10 * ROUNDS);
    assertThat(tokens.size()).isGreaterThanOrEqualTo(8 * ROUNDS);
    assertThat(telling).isZero();
  }

  @Test
  void the_twin_that_notes_a_part_of_the_hash_is_caught() {
    Telling twin = new Telling();
    live(twin, 0);

    assertThat(telling(entries(twin), twin)).isPositive();
  }

  /** All verbs on some keys. */
  private void live(KeyStore store, int round) {
    String id;
    IssuedKey issued;
    try (Nodes before = new Nodes(store)) {
      ApiKeys old = before.node(builder -> builder.pepper(P1));
      issued =
          old.issue(KeySpec.forOwner("owner").scopes("a:b", "keys:rotate").by("alice").note("why"));
      id = issued.id();
      old.update(id, KeyUpdate.of().name("new name").by("alice"));
      old.disable(id, ALICE);
      old.enable(id, ALICE);
    }
    try (Nodes after = new Nodes(store)) {
      after.time.advance(Duration.ofHours(2)); // a young hash is not renewed
      ApiKeys keys =
          after.node(builder -> builder.pepper(P2, P1).importedKeys(Tokens.secret("m1", 4)));
      assertThat(Nodes.verdict(keys, note(issued))).isEqualTo("ACCEPTED");
      Waiting.until(() -> keys.countNeeding("p1") == 0);
      Rotation patient = Rotation.withGrace(Duration.ofDays(1));
      note(keys.rotate(id, patient.by("alice").note("why")));
      OwnerKeys mine = keys.forOwner("owner");
      String third = note(mine.rotate(id, patient.operationId("ticket-" + round)));
      Cause call = Cause.by(id).operationId("call-" + round);
      note(keys.rotateSelf(third, Nodes.HERE, call).issued());
      keys.revokeSecret(id, 3, Desk.LEAK.by("alice"));
      note(keys.rotate(id, Rotation.forced(Desk.LEAK.reason())));

      IssuedKey personal = keys.issue(KeySpec.personalToken("owner", "user-" + round));
      note(personal);
      keys.extend(personal.id(), Duration.ofDays(60), ALICE);
      keys.revokeAllOfSubject("user-" + round, Desk.LEAK);
      importAndRotate(keys, round);
      keys.revokeAllOf("owner", Desk.LEAK.note("why"));
      after.time.advance(Duration.ofDays(1));
      assertThat(keys.purge(Duration.ZERO, Duration.ofDays(999), ALICE).keys()).isEqualTo(4);
    }
  }

  private void importAndRotate(ApiKeys keys, int round) {
    String plain = "legacy.plain." + round + ".MaQKnd98Qu33nWHl";
    String hashed = "legacy.hashed." + round + ".BywK04nCBxKUbF1";
    tokens.add(plain);
    tokens.add(hashed);
    KeySpec spec = KeySpec.forOwner("owner");
    KeyImport bare = KeyImport.ofToken(hashed, spec);
    String digest = HexFormat.of().formatHex(bare.digest());
    List<KeyImport> imports =
        List.of(KeyImport.ofToken(plain, spec), KeyImport.ofSha256(digest, spec));
    assertThat(keys.importKeys(imports.iterator(), progress -> {}).imported()).isEqualTo(2);
    String id = new ForeignTokens(Tokens.secret("m1", 4)).id(bare.digest()).toString();
    note(keys.rotate(id, Rotation.usual()));
  }

  /** Keeps the token, for it must not be told. */
  private String note(IssuedKey issued) {
    tokens.add(issued.revealToken());
    return issued.revealToken();
  }

  private static List<AuditEntry> entries(KeyStore store) {
    List<AuditEntry> entries = new ArrayList<>();
    long after = 0;
    for (var page = store.audit(AuditFilter.all(), after, 1000);
        !page.isEmpty();
        page = store.audit(AuditFilter.all(), after, 1000)) {
      entries.addAll(page);
      after = page.get(page.size() - 1).number();
    }
    return entries;
  }

  /** How many of these entries tell a part of a hash or of a secret, in hexadecimal or Base64. */
  private long telling(List<AuditEntry> entries, Hashes store) {
    Set<String> parts = new HashSet<>();
    for (String hash : store.all) {
      byte[] bytes = HexFormat.of().parseHex(hash);
      addParts(hash, parts);
      addParts(hash.toUpperCase(Locale.ROOT), parts);
      addParts(Base64.getEncoder().encodeToString(bytes), parts);
      addParts(Base64.getUrlEncoder().encodeToString(bytes), parts);
    }
    // the id of a key is no secret, and stands in the first half of a token of ours
    tokens.forEach(token -> addParts(token.substring(token.length() / 2), parts));
    return entries.stream().filter(entry -> hasPart(entry.toString(), parts)).count();
  }

  private static void addParts(String text, Set<String> parts) {
    for (int i = 0; i + PART <= text.length(); i++) {
      parts.add(text.substring(i, i + PART));
    }
  }

  private static boolean hasPart(String text, Set<String> parts) {
    for (int i = 0; i + PART <= text.length(); i++) {
      if (parts.contains(text.substring(i, i + PART))) {
        return true;
      }
    }
    return false;
  }
}
