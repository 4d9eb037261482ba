package io.keystile;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/** Makes the test vectors that are published beside the description of the format. */
final class TokenVectors {

  private static final HexFormat HEX = HexFormat.of();
  private static final String SECRET = "KBmQSsjmU0L0E4HzbqxkCFHNw2NDWRoq";
  private static final KeyId ID = KeyId.parse("0351fcs8Bym6tbejfDMyAJ");

  private static final byte[] PEPPER_1 = published(0x10, 32);
  private static final byte[] PEPPER_2 = published(0x80, 48);
  private static final byte[] ID_KEY_1 = published(0x40, 32);
  private static final byte[] ID_KEY_2 = published(0xC0, 64);

  private static final ServerSecret FIRST_PEPPER = ServerSecret.of("pepper-1", PEPPER_1);
  private static final ServerSecret SECOND_PEPPER = ServerSecret.of("pepper-2", PEPPER_2);
  private static final ServerSecret FIRST_ID_KEY = ServerSecret.of("id-1", ID_KEY_1);
  private static final ServerSecret SECOND_ID_KEY = ServerSecret.of("id-2", ID_KEY_2);

  private static final List<TokenPrefix> PREFIXES =
      List.of(
          Tokens.LIVE,
          Tokens.TEST,
          new TokenPrefix("ab", "c1"),
          new TokenPrefix("abcdefghijklmnop", "q123456789012345"));

  private TokenVectors() {}

  /** The whole file. */
  static String json() throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("format", "keystile token");
    all.put("version", 1);
    all.put("warning", "The secrets in this file are published. Never use them.");
    all.put("peppers", List.of(pepper(FIRST_PEPPER, PEPPER_1), pepper(SECOND_PEPPER, PEPPER_2)));
    all.put("idKeys", List.of(idKey(FIRST_ID_KEY, ID_KEY_1), idKey(SECOND_ID_KEY, ID_KEY_2)));
    all.put("valid", valid());
    all.put("malformed", MalformedVectors.all());
    all.put("proofs", proofs());
    all.put("mints", mints());
    all.put("scanners", scanners());
    all.put("imports", imports());
    DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
    DefaultPrettyPrinter printer = new DefaultPrettyPrinter().withObjectIndenter(indenter);
    printer.indentArraysWith(indenter);
    return JsonMapper.builder()
            .enable(JsonWriteFeature.ESCAPE_NON_ASCII)
            .build()
            .writer(printer)
            .writeValueAsString(all)
        + "\n";
  }

  private static byte[] published(int start, int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (start + i);
    }
    return bytes;
  }

  private static Map<String, Object> pepper(ServerSecret pepper, byte[] bytes) {
    return entry(
        "id", pepper.id(),
        "bytes", HEX.formatHex(bytes),
        "hashKey", HEX.formatHex(pepper.derive("keystile v1 hash")));
  }

  private static Map<String, Object> idKey(ServerSecret idKey, byte[] bytes) {
    Map<String, Object> mintKeys = new LinkedHashMap<>();
    for (TokenPrefix prefix : PREFIXES) {
      mintKeys.put(
          prefix.label(), HEX.formatHex(idKey.derive("keystile v1 mint " + prefix.label())));
    }
    return entry(
        "id", idKey.id(),
        "bytes", HEX.formatHex(bytes),
        "mintKeys", mintKeys,
        "importKey", HEX.formatHex(idKey.derive("keystile v1 import")));
  }

  private static List<Object> valid() {
    return List.of(
        valid("the example of the documentation", Tokens.LIVE, ID, SECRET),
        valid("another environment", Tokens.TEST, ID, SECRET),
        valid("the shortest prefix", PREFIXES.get(2), ID, SECRET),
        valid("the longest prefix", PREFIXES.get(3), ID, SECRET),
        valid("minted with id-1", Tokens.LIVE, minted(FIRST_ID_KEY, Tokens.LIVE), SECRET),
        valid("minted with id-2", Tokens.LIVE, minted(SECOND_ID_KEY, Tokens.LIVE), SECRET),
        valid(
            "minted for another environment",
            Tokens.TEST,
            minted(FIRST_ID_KEY, Tokens.TEST),
            SECRET),
        valid("the smallest key id; it has no time", Tokens.LIVE, new KeyId(0, 0), SECRET),
        valid("the largest key id", Tokens.LIVE, new KeyId(-1, -1), SECRET),
        valid(
            "the id of an imported key",
            Tokens.LIVE,
            new KeyId(0xFEDC, 0x0123456789ABCDEFL),
            SECRET),
        valid("the first millisecond", Tokens.LIVE, new KeyId(1L << 16, 0), SECRET),
        valid("a high bit in both halves", Tokens.LIVE, new KeyId(1L << 63, 1L << 63), SECRET),
        valid(
            "a carry from the low half",
            Tokens.LIVE,
            new KeyId(0x0190_0000_0000_0000L, -1),
            SECRET),
        valid("a secret of zeros", Tokens.LIVE, ID, "0".repeat(32)),
        valid("a secret of the last digit", Tokens.LIVE, ID, "z".repeat(32)),
        valid("a checksum padded with zeros", Tokens.LIVE, ID, secretWithSmallChecksum()),
        valid("a checksum above 2^31", Tokens.LIVE, ID, secretWithLargeChecksum()));
  }

  private static Map<String, Object> valid(
      String name, TokenPrefix prefix, KeyId id, String secret) {
    String token = token(prefix, id, secret);
    Map<String, Object> hmacs = new LinkedHashMap<>();
    for (ServerSecret pepper : List.of(FIRST_PEPPER, SECOND_PEPPER)) {
      hmacs.put(pepper.id(), stored(token, pepper));
    }
    Map<String, Object> entry =
        entry(
            "name",
            name,
            "token",
            token,
            "brand",
            prefix.brand(),
            "environment",
            prefix.environment(),
            "keyId",
            id.toString(),
            "keyIdHex",
            HEX.toHexDigits(id.high()) + HEX.toHexDigits(id.low()),
            "createdMillis",
            id.timestampMillis(),
            "secret",
            secret);
    entry.put("crc32", HEX.toHexDigits((int) crc(token.substring(0, token.length() - 6))));
    entry.put("redacted", TokenFormat.redact(token));
    entry.put("sha256", stored(token, null));
    entry.put("hmacSha256", hmacs);
    return entry;
  }

  private static List<Object> proofs() {
    String token = Tokens.EXAMPLE;
    String other = token(Tokens.LIVE, ID, "0".repeat(32));
    String rewritten = token(Tokens.TEST, ID, SECRET);
    String sha256 = stored(token, null);
    String first = stored(token, FIRST_PEPPER);
    String second = stored(token, SECOND_PEPPER);
    byte[] inner = HEX.parseHex(sha256);
    String undone = HEX.formatHex(Hmac.sha256(Hmac.key(PEPPER_1), inner));
    return List.of(
        proof("the right secret", token, "sha256", null, sha256, "proven"),
        proof("the right secret, with a pepper", token, "hmac-sha256", "pepper-1", first, "proven"),
        proof("with the other pepper", token, "hmac-sha256", "pepper-2", second, "proven"),
        proof("brand and environment are not hashed", rewritten, "sha256", null, sha256, "proven"),
        proof("a wrong secret", other, "sha256", null, sha256, "wrong"),
        proof("a wrong secret, with a pepper", other, "hmac-sha256", "pepper-1", first, "wrong"),
        proof("made with another pepper", token, "hmac-sha256", "pepper-1", second, "wrong"),
        proof("a pepper that was used raw", token, "hmac-sha256", "pepper-1", undone, "wrong"),
        proof(
            "a stored hash that is too short", token, "sha256", null, sha256.substring(2), "wrong"),
        proof("an empty stored hash", token, "sha256", null, "", "wrong"),
        proof("no such pepper", token, "hmac-sha256", "pepper-3", first, "pepper"),
        proof("no pepper named", token, "hmac-sha256", null, first, "pepper"),
        proof("a pepper id in upper case", token, "hmac-sha256", "PEPPER-1", first, "pepper"),
        proof("a scheme in upper case", token, "SHA256", null, sha256, "scheme"),
        proof("a scheme with a hyphen more", token, "sha-256", null, sha256, "scheme"),
        proof("no scheme", token, "", null, sha256, "scheme"),
        proof("sha256 with a pepper", token, "sha256", "pepper-1", sha256, "scheme"));
  }

  private static Map<String, Object> proof(
      String name,
      String token,
      String scheme,
      @Nullable String pepper,
      String stored,
      String result) {
    Map<String, Object> entry = entry("name", name, "token", token, "scheme", scheme);
    entry.put("pepper", pepper);
    entry.put("stored", stored);
    entry.put("result", result);
    return entry;
  }

  private static List<Object> mints() {
    KeyId id = minted(FIRST_ID_KEY, Tokens.LIVE);
    String live = token(Tokens.LIVE, id, SECRET);
    String rewritten = token(Tokens.TEST, id, SECRET);
    String test = token(Tokens.TEST, minted(SECOND_ID_KEY, Tokens.TEST), SECRET);
    String tag = token(Tokens.LIVE, new KeyId(id.high(), id.low() ^ 1), SECRET);
    String random = token(Tokens.LIVE, new KeyId(id.high(), id.low() ^ 1L << 32), SECRET);
    String time = token(Tokens.LIVE, new KeyId(id.high() ^ 1L << 16, id.low()), SECRET);
    return List.of(
        mint("by the only key", live, true, "id-1"),
        mint("by one of two", live, true, "id-2", "id-1"),
        mint("by a key that is gone", live, false, "id-2"),
        mint("by the second key, for test", test, true, "id-1", "id-2"),
        mint("rewritten to another environment", rewritten, false, "id-1", "id-2"),
        mint("one bit of the tag", tag, false, "id-1", "id-2"),
        mint("one random bit", random, false, "id-1", "id-2"),
        mint("one bit of the time", time, false, "id-1", "id-2"),
        mint("not minted", Tokens.EXAMPLE, false, "id-1", "id-2"));
  }

  private static Map<String, Object> mint(
      String name, String token, boolean minted, String... idKeys) {
    return entry("name", name, "token", token, "idKeys", List.of(idKeys), "minted", minted);
  }

  private static List<Object> scanners() {
    List<String> brands = List.of("acme", "umbrella");
    List<String> environments = List.of("live", "test");
    return List.of(
        scanner("two brands", brands, environments),
        scanner("sorted, each once", List.of("zeta", "acme", "zeta"), List.of("live")),
        entry(
            "name", "all brands",
            "brands", List.of(),
            "environments", List.of(),
            "regex", TokenFormat.scannerRegex()));
  }

  private static Map<String, Object> scanner(
      String name, List<String> brands, List<String> environments) {
    return entry(
        "name", name,
        "brands", brands,
        "environments", environments,
        "regex", TokenFormat.scannerRegex(brands, environments));
  }

  private static List<Object> imports() {
    String token = "sk_82uF9EwLcFLJYSSLXl6zlhZA-4h2M0k21iFHqu42AEc";
    return List.of(
        imported("neither keyed id nor pepper", token, null, null),
        imported("a keyed id, no pepper", token, FIRST_ID_KEY, null),
        imported("a pepper, no keyed id", token, null, FIRST_PEPPER),
        imported("a keyed id and a pepper", token, FIRST_ID_KEY, FIRST_PEPPER),
        imported("another key and another pepper", token, SECOND_ID_KEY, SECOND_PEPPER),
        imported(
            "padded base64",
            "KHPUw7fQUInMfKAkCz69NdG+U7Soq2P4STbkbGlRkgo=",
            FIRST_ID_KEY,
            FIRST_PEPPER),
        imported(
            "prefix, time and secret",
            "wx.1795315702.MaQKnd98Qu33nWHl-KbyWbF104nCBxKU",
            FIRST_ID_KEY,
            FIRST_PEPPER),
        imported(
            "our brand and environment",
            "acme_live_82uF9EwLcFLJYSSLXl6zlhZA-4h2M0k21iFHqu42AEc",
            FIRST_ID_KEY,
            FIRST_PEPPER),
        imported("one character", "x", FIRST_ID_KEY, FIRST_PEPPER),
        imported("beyond ASCII", "schl\u00FCssel-\u9375-\uD834\uDD1E", FIRST_ID_KEY, FIRST_PEPPER),
        imported("512 characters", "\u9375".repeat(512), FIRST_ID_KEY, FIRST_PEPPER));
  }

  private static Map<String, Object> imported(
      String name, String token, @Nullable ServerSecret importKey, @Nullable ServerSecret pepper) {
    Scratch scratch = new Scratch();
    if (!new ForeignTokens(importKey).read(token, scratch)) {
      throw new AssertionError(name);
    }
    KeyId id = new KeyId(scratch.idHigh, scratch.idLow);
    SecretHasher hasher =
        pepper == null ? new SecretHasher() : new SecretHasher(pepper, List.of(), false);
    Map<String, Object> entry = entry("name", name, "token", token);
    entry.put("sha256", HEX.formatHex(scratch.digest));
    entry.put("importKey", importKey == null ? null : importKey.id());
    entry.put("keyId", id.toString());
    entry.put("keyIdHex", HEX.toHexDigits(id.high()) + HEX.toHexDigits(id.low()));
    entry.put("pepper", pepper == null ? null : pepper.id());
    entry.put("stored", hasher.hashForeign(scratch.digest).hash());
    return entry;
  }

  private static KeyId minted(ServerSecret idKey, TokenPrefix prefix) {
    MintTags tags = new MintTags(idKey, List.of(), PREFIXES);
    int middle = (int) (ID.low() >>> 32);
    int tag = tags.tag(prefix, ID.high(), middle);
    return new KeyId(ID.high(), (long) middle << 32 | tag & 0xFFFF_FFFFL);
  }

  private static String stored(String token, @Nullable ServerSecret pepper) {
    Scratch scratch = new Scratch();
    if (!new TokenParser(PREFIXES).parse(token, scratch)) {
      throw new AssertionError("not a token: " + token);
    }
    SecretHasher hasher =
        pepper == null ? new SecretHasher() : new SecretHasher(pepper, List.of(), false);
    return hasher.hash(scratch).hash();
  }

  private static String secretWithSmallChecksum() {
    for (int i = 0; ; i++) {
      String secret = SECRET.substring(0, 26) + Base62.encodeCrc(i);
      if (crc(before(secret)) < 62L * 62 * 62 * 62) {
        return secret;
      }
    }
  }

  private static String secretWithLargeChecksum() {
    for (int i = 0; ; i++) {
      String secret = SECRET.substring(0, 26) + Base62.encodeCrc(i);
      if (crc(before(secret)) > 0xFFF0_0000L) {
        return secret;
      }
    }
  }

  private static String before(String secret) {
    return Tokens.LIVE.text() + ID + "_" + secret;
  }

  private static long crc(String text) {
    CRC32 crc = new CRC32();
    crc.update(text.getBytes(StandardCharsets.US_ASCII));
    return crc.getValue();
  }

  private static String token(TokenPrefix prefix, KeyId id, String secret) {
    return TokenGenerator.token(prefix.brand(), prefix.environment(), id, secret);
  }

  static Map<String, Object> entry(Object... namesAndValues) {
    Map<String, Object> entry = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      entry.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return entry;
  }
}
