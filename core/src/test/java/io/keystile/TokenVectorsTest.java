package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Reads the published vectors. */
class TokenVectorsTest {

  static final Path FILE = Path.of("..", "docs", "token-vectors.json");

  private static final TokenParser ANY = new TokenParser(List.of());

  private static JsonNode vectors;
  private static Map<String, ServerSecret> peppers;
  private static Map<String, ServerSecret> idKeys;

  @BeforeAll
  static void read() throws IOException {
    if (Boolean.getBoolean("keystile.vectors.write")) {
      Files.writeString(FILE, TokenVectors.json());
    }
    vectors = new ObjectMapper().readTree(FILE.toFile());
    peppers = secrets("peppers");
    idKeys = secrets("idKeys");
  }

  @Test
  void the_published_file_is_up_to_date() throws IOException {
    assertThat(Files.readString(FILE))
        .as("write it with -Dkeystile.vectors.write=true")
        .isEqualTo(TokenVectors.json());
  }

  @Test
  void there_are_enough() {
    assertThat(vectors.get("valid")).hasSizeGreaterThanOrEqualTo(10);
    assertThat(vectors.get("malformed")).hasSizeGreaterThanOrEqualTo(20);
    for (int rule = 1; rule <= 5; rule++) {
      assertThat(vectors.get("malformed").findValuesAsText("breaks")).contains("" + rule);
    }
    assertThat(vectors.get("proofs").findValuesAsText("result"))
        .contains("proven", "wrong", "scheme", "pepper");
  }

  @Test
  void keys_are_derived_as_published() {
    for (JsonNode pepper : vectors.get("peppers")) {
      assertThat(peppers.get(text(pepper, "id")).derive("keystile v1 hash"))
          .isEqualTo(Tokens.hex(text(pepper, "hashKey")));
    }
    for (JsonNode idKey : vectors.get("idKeys")) {
      for (Map.Entry<String, JsonNode> mintKey : idKey.get("mintKeys").properties()) {
        assertThat(idKeys.get(text(idKey, "id")).derive("keystile v1 mint " + mintKey.getKey()))
            .isEqualTo(Tokens.hex(mintKey.getValue().textValue()));
      }
      assertThat(idKeys.get(text(idKey, "id")).derive("keystile v1 import"))
          .isEqualTo(Tokens.hex(text(idKey, "importKey")));
    }
  }

  @Test
  void valid_tokens_are_read_and_hashed() {
    for (JsonNode vector : vectors.get("valid")) {
      String name = text(vector, "name");
      String token = text(vector, "token");
      TokenPrefix prefix = new TokenPrefix(text(vector, "brand"), text(vector, "environment"));
      KeyId id = KeyId.parse(text(vector, "keyId"));
      Scratch scratch = new Scratch();

      assertThat(new TokenParser(List.of(prefix)).parse(token, scratch)).as(name).isTrue();
      assertThat(scratch.prefix).as(name).isZero();
      assertThat(new KeyId(scratch.idHigh, scratch.idLow)).as(name).isEqualTo(id);
      assertThat("%016x%016x".formatted(id.high(), id.low()))
          .as(name)
          .isEqualTo(text(vector, "keyIdHex"));
      assertThat(id.timestampMillis()).as(name).isEqualTo(vector.get("createdMillis").longValue());
      assertThat(TokenFormat.created(token))
          .as(name)
          .isEqualTo(
              Optional.of(Instant.ofEpochMilli(id.timestampMillis()))
                  .filter(time -> time.toEpochMilli() > 0));
      assertThat("%08x".formatted(scratch.crc.getValue()))
          .as(name)
          .isEqualTo(text(vector, "crc32"));
      assertThat(TokenFormat.redact(token)).as(name).isEqualTo(text(vector, "redacted"));
      String secret = text(vector, "secret");
      assertThat(TokenGenerator.token(prefix.brand(), prefix.environment(), id, secret))
          .as(name)
          .isEqualTo(token);
      assertThat(new SecretHasher().hash(scratch).hash())
          .as(name)
          .isEqualTo(text(vector, "sha256"));
      for (Map.Entry<String, JsonNode> hash : vector.get("hmacSha256").properties()) {
        SecretHasher hasher = new SecretHasher(peppers.get(hash.getKey()), List.of(), false);
        assertThat(hasher.hash(scratch).hash()).as(name).isEqualTo(hash.getValue().textValue());
      }
    }
  }

  @Test
  void malformed_texts_are_refused() {
    for (JsonNode vector : vectors.get("malformed")) {
      String text = text(vector, "text");

      assertThat(ANY.parse(text, new Scratch())).as(text(vector, "name")).isFalse();
      assertThat(Tokens.parser().parse(text, new Scratch())).as(text(vector, "name")).isFalse();
      assertThat(TokenFormat.redact(text)).isEqualTo("(malformed)");
    }
  }

  @Test
  void proofs_come_out_as_published() {
    SecretHasher hasher =
        new SecretHasher(peppers.get("pepper-1"), List.of(peppers.get("pepper-2")), true);
    Map<String, SecretHasher.Proof> results =
        Map.of(
            "proven", SecretHasher.Proof.PROVEN,
            "wrong", SecretHasher.Proof.WRONG,
            "scheme", SecretHasher.Proof.SCHEME_NOT_ACCEPTED,
            "pepper", SecretHasher.Proof.PEPPER_MISSING);
    for (JsonNode vector : vectors.get("proofs")) {
      Scratch scratch = Tokens.parsed(text(vector, "token"));

      assertThat(
              hasher.verify(
                  scratch.digestBlock(),
                  text(vector, "scheme"),
                  vector.get("pepper").textValue(),
                  Tokens.hex(text(vector, "stored"))))
          .as(text(vector, "name"))
          .isEqualTo(results.get(text(vector, "result")));
    }
  }

  @Test
  void mint_tags_come_out_as_published() {
    for (JsonNode vector : vectors.get("mints")) {
      List<ServerSecret> keys = new ArrayList<>();
      vector.get("idKeys").forEach(id -> keys.add(idKeys.get(id.textValue())));
      MintTags tags =
          new MintTags(
              keys.get(0), keys.subList(1, keys.size()), List.of(Tokens.LIVE, Tokens.TEST));

      assertThat(tags.minted(Tokens.parsed(text(vector, "token"))))
          .as(text(vector, "name"))
          .isEqualTo(vector.get("minted").booleanValue());
    }
  }

  @Test
  void scanners_are_as_published() {
    for (JsonNode vector : vectors.get("scanners")) {
      List<String> brands = texts(vector.get("brands"));
      String regex =
          brands.isEmpty()
              ? TokenFormat.scannerRegex()
              : TokenFormat.scannerRegex(brands, texts(vector.get("environments")));

      assertThat(regex).as(text(vector, "name")).isEqualTo(text(vector, "regex"));
    }
  }

  @Test
  void foreign_tokens_are_imported_and_proven_as_published() {
    assertThat(vectors.get("imports")).hasSizeGreaterThanOrEqualTo(10);
    for (JsonNode vector : vectors.get("imports")) {
      String name = text(vector, "name");
      ServerSecret importKey = idKeys.get(vector.get("importKey").textValue());
      ServerSecret pepper = peppers.get(vector.get("pepper").textValue());
      byte[] stored = Tokens.hex(text(vector, "stored"));
      ForeignTokens foreign = new ForeignTokens(importKey);
      SecretHasher hasher =
          pepper == null ? new SecretHasher() : new SecretHasher(pepper, List.of(), false);
      Scratch scratch = new Scratch();

      assertThat(foreign.read(text(vector, "token"), scratch)).as(name).isTrue();
      assertThat(scratch.digest).as(name).isEqualTo(Tokens.hex(text(vector, "sha256")));
      assertThat(new KeyId(scratch.idHigh, scratch.idLow))
          .as(name)
          .isEqualTo(KeyId.parse(text(vector, "keyId")))
          .isEqualTo(foreign.id(Tokens.hex(text(vector, "sha256"))));
      assertThat(
              hasher.verify(scratch.digest, "sha256-raw", vector.get("pepper").textValue(), stored))
          .as(name)
          .isEqualTo(SecretHasher.Proof.PROVEN);
      assertThat(KeyImport.ofToken(text(vector, "token"), KeySpec.forOwner("owner")).digest())
          .as(name)
          .isEqualTo(Tokens.hex(text(vector, "sha256")));
    }
  }

  private static Map<String, ServerSecret> secrets(String member) {
    Map<String, ServerSecret> secrets = new HashMap<>();
    for (JsonNode node : vectors.get(member)) {
      String id = text(node, "id");
      secrets.put(id, ServerSecret.of(id, Tokens.hex(text(node, "bytes"))));
    }
    return secrets;
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(node -> texts.add(node.textValue()));
    return texts;
  }

  private static String text(JsonNode node, String member) {
    return node.get(member).textValue();
  }
}
