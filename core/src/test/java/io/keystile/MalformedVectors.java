package io.keystile;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32;

/** Texts that are no tokens, with the rule of the description that each breaks first. */
final class MalformedVectors {

  private static final String TOKEN = Tokens.EXAMPLE;
  private static final String ID = TOKEN.substring(10, 32);
  private static final String BODY = TOKEN.substring(0, TOKEN.length() - 6);

  private final List<Object> all = new ArrayList<>();

  static List<Object> all() {
    MalformedVectors vectors = new MalformedVectors();
    vectors.lengths();
    vectors.characters();
    vectors.prefixes();
    vectors.ids();
    vectors.checksums();
    return vectors.all;
  }

  private void lengths() {
    add("nothing", "", 1);
    add("the prefix alone", "acme_live_", 1);
    add("one character less than the shortest", "b_c1" + BODY.substring(9) + "000000", 1);
    add("one character more than the longest", "a".repeat(35) + TOKEN.substring(10), 1);
  }

  private void characters() {
    add("a digit too many", TOKEN + "0", 2);
    add("a digit too few", TOKEN.substring(0, TOKEN.length() - 1), 2);
    add("a line feed behind", TOKEN + "\n", 2);
    add("a blank behind", TOKEN + " ", 2);
    add("a hyphen in the key id", checked(BODY.replace("0351", "03-1")), 2);
    add("an underscore in the key id", checked(BODY.replace("0351", "03_1")), 2);
    add("an underscore in the secret", checked(BODY.replace("KBmQ", "KB_Q")), 2);
    add("a slash in the secret", checked(BODY.replace("KBmQ", "KB/Q")), 2);
    add("a digit where the underscore is", checked(BODY.replace("_KBmQ", "0KBmQ")), 2);
    add("an underscore in the checksum", TOKEN.replace("gkU", "g_U"), 2);
    add("U+0141, whose low byte is A", TOKEN.replace('A', '\u0141'), 2);
    add("a full-width digit", TOKEN.replace('3', '\uFF13'), 2);
    add("the Kelvin sign", TOKEN.replace('K', '\u212A'), 2);
    add("a combining accent", TOKEN.replace("KBmQ", "K\u0301mQ"), 2);
    add("a lone surrogate", TOKEN.replace("KBmQ", "K\uD800mQ"), 2);
    add("a NUL", TOKEN.replace("KBmQ", "K\0mQ"), 2);
    add("quotes around", "\"" + TOKEN + "\"", 2);
  }

  private void prefixes() {
    add("a blank before", " " + TOKEN, 3);
    add("a byte order mark before", "\uFEFF" + TOKEN, 3);
    add("a brand of one character", checked(BODY.replace("acme", "a")), 3);
    add("a brand of seventeen", checked(BODY.replace("acme", "a".repeat(17))), 3);
    add("a brand that begins with a digit", checked(BODY.replace("acme", "4cme")), 3);
    add("a brand in upper case", checked(BODY.replace("acme", "ACME")), 3);
    add("an environment of one character", checked(BODY.replace("live", "l")), 3);
    add("an environment of seventeen", checked(BODY.replace("live", "l".repeat(17))), 3);
    add("an environment that begins with a digit", checked(BODY.replace("live", "1ive")), 3);
    add("an environment with a capital", checked(BODY.replace("live", "Live")), 3);
    add("no underscore in the prefix", checked(BODY.replace("acme_live", "acmelive")), 3);
    add("two underscores", checked(BODY.replace("acme_live", "acme__live")), 3);
    add("three words", checked(BODY.replace("acme_live", "acme_api_live")), 3);
    add("a hyphen for the last underscore", checked(BODY.replace("live_", "live-")), 3);
  }

  private void ids() {
    BigInteger ids = BigInteger.ONE.shiftLeft(128);
    add("the key id 2^128", checked(withId("7n42DGM5Tflk9n8mt7Fhc8")), 4);
    add("the largest text of a key id", checked(withId("z".repeat(22))), 4);
    BigInteger id = Tokens.number(ID).add(ids);
    add("a second text of the key id of the example", checked(withId(Tokens.digits(id))), 4);
  }

  private void checksums() {
    add("the last digit changed", TOKEN.substring(0, TOKEN.length() - 1) + "V", 5);
    add("the checksum of another brand", TOKEN.replace("acme", "acmf"), 5);
    add("a digit of the secret changed", TOKEN.replace("KBmQ", "KBmR"), 5);
    add("a letter of the secret in the other case", TOKEN.replace("KBmQ", "kBmQ"), 5);
    add("two digits of the key id swapped", TOKEN.replace("0351", "0531"), 5);
    add("a checksum above 2^32", BODY + "zzzzzz", 5);
    long checksum = crc();
    add("the checksum plus 2^32", BODY + Base62.encodeCrc(checksum + (1L << 32)), 5);
    add(
        "the checksum in hexadecimal",
        BODY + HexFormat.of().toHexDigits((int) checksum).substring(2),
        5);
  }

  private void add(String name, String text, int breaks) {
    all.add(TokenVectors.entry("name", name, "text", text, "breaks", breaks));
  }

  private static String withId(String id) {
    return BODY.replace(ID, id);
  }

  private static String checked(String text) {
    return Tokens.withChecksum(text);
  }

  private static long crc() {
    CRC32 crc = new CRC32();
    crc.update(BODY.getBytes(StandardCharsets.US_ASCII));
    return crc.getValue();
  }
}
