package io.keystile.leak;

import io.keystile.TokenFormat;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Finds tokens in any text: a log, a commit, a dump, a message. It asks nobody; {@link
 * LeakResponse} finds out what they are worth.
 *
 * <pre>{@code
 * LeakScanner scanner = LeakScanner.of(List.of("acme"), List.of("live", "test"));
 * try (InputStream log = Files.newInputStream(file)) {
 *   scanner.scan(log, found -> report(found.redacted(), found.line()));
 * }
 * }</pre>
 *
 * <p><b>What is found.</b> Every part of the text that is a token by the published format, with the
 * right checksum, and nothing else: text of the right shape passes by chance once in 4 billion
 * times. What stands around a token does not matter: quotes, JSON, URLs, and neither letters,
 * digits nor underscores that touch it; so {@code acme_live_…} is found in {@code xacme_live_…},
 * {@code _acme_live_…} and before {@code …0}. Not found is a token that was changed: by a line
 * break, in another case, encoded (Base64, compressed), or in a byte stream that is not a superset
 * of ASCII. UTF-16 is to be read through a {@link Reader}. Tokens of keys that were imported from
 * elsewhere do not have the format.
 *
 * <p><b>Duplicates.</b> Each token is handed over once, with its count, in the order of first
 * sight. Up to {@value #MAX_DISTINCT} different tokens are kept until the end of the text; at one
 * more, those are handed over and forgotten, so that a token that comes again is handed over again.
 *
 * <p><b>Cost.</b> One pass, and memory that does not depend on the text: 64 KiB, and some 300 bytes
 * for each different token. Long lines make no difference. Measured in time of the processor on one
 * core of a shared virtual machine (AMD EPYC, JDK 17), from memory: 0.6 to 2 GB/s in logs, Base64,
 * hexadecimal and binary content without anything like a token, the more the less others do on the
 * machine; 40 to 400 MB/s in text that is nothing but tokens or what is nearly one, the least for
 * {@link #ofAnyBrand()}; 80 to 120 MB/s in a mixture of all that, on a busy machine.
 *
 * <p><b>Security guarantees.</b> Nothing is kept after the scan and nothing is logged; a token is
 * in the {@link FoundToken} that is handed over, and in no exception.
 *
 * <p>Immutable and safe for use by many threads.
 */
public final class LeakScanner {

  /** How many different tokens are kept, to find their duplicates. */
  public static final int MAX_DISTINCT = 10_000;

  private static final int CHARS = 1 << 13;

  private final byte[][] prefixes;

  private LeakScanner(byte[][] prefixes) {
    this.prefixes = prefixes;
  }

  /**
   * Returns a scanner for the tokens of these brands and environments.
   *
   * @param brands at least one, each {@code [a-z][a-z0-9]{1,15}}
   * @param environments at least one, each {@code [a-z][a-z0-9]{1,15}}
   * @return the scanner
   * @throws IllegalArgumentException if there is none of either, or one is not valid
   */
  public static LeakScanner of(Collection<String> brands, Collection<String> environments) {
    TokenFormat.scannerRegex(brands, environments); // refuses what is not a word
    return new LeakScanner(
        brands.stream()
            .distinct()
            .flatMap(brand -> environments.stream().distinct().map(word -> brand + "_" + word))
            .map(label -> (label + "_").getBytes(StandardCharsets.US_ASCII))
            .toArray(byte[][]::new));
  }

  /**
   * Returns a scanner for the tokens of all brands and environments, those of other services too.
   *
   * @return the scanner
   */
  public static LeakScanner ofAnyBrand() {
    return new LeakScanner(new byte[0][]);
  }

  /**
   * Scans a stream to its end, and does not close it. Offsets are counted in bytes.
   *
   * @param text bytes in ASCII or a superset of it, such as UTF-8 or ISO 8859, or of any content
   * @param found what is done with each token, on this thread; what it throws ends the scan
   * @throws IOException if the stream fails; what was found before is handed over first
   */
  public void scan(InputStream text, Consumer<? super FoundToken> found) throws IOException {
    Objects.requireNonNull(text, "text");
    scan(text::read, found);
  }

  /**
   * Scans a text to its end, and does not close it. Offsets are counted in {@code char}s.
   *
   * @param text the text
   * @param found what is done with each token, on this thread; what it throws ends the scan
   * @throws IOException if the reader fails; what was found before is handed over first
   */
  public void scan(Reader text, Consumer<? super FoundToken> found) throws IOException {
    Objects.requireNonNull(text, "text");
    char[] chars = new char[CHARS];
    try {
      scan(
          (into, from, length) -> {
            int read = text.read(chars, 0, Math.min(length, chars.length));
            for (int i = 0; i < read; i++) {
              into[from + i] = narrowed(chars[i]);
            }
            return read;
          },
          found);
    } finally {
      Arrays.fill(chars, '\0');
    }
  }

  /**
   * Scans a text. Offsets are counted in {@code char}s.
   *
   * @param text the text
   * @return the tokens
   */
  public List<FoundToken> scan(CharSequence text) {
    List<FoundToken> found = new ArrayList<>();
    int[] position = {0};
    try {
      scan(
          (into, from, length) -> {
            int start = position[0];
            int read = Math.min(length, text.length() - start);
            for (int i = 0; i < read; i++) {
              into[from + i] = narrowed(text.charAt(start + i));
            }
            position[0] += read;
            return read == 0 ? -1 : read;
          },
          found::add);
    } catch (IOException e) {
      throw new IllegalStateException("text in memory cannot fail", e);
    }
    return found;
  }

  private void scan(TextScan.Source source, Consumer<? super FoundToken> found) throws IOException {
    new TextScan(prefixes, Objects.requireNonNull(found, "found")).run(source);
  }

  /** One byte for one character, so that offsets stay; U+0141 must not become {@code A}. */
  private static byte narrowed(char c) {
    return c < 0x80 ? (byte) c : 0;
  }

  /**
   * Describes the scanner, for logs.
   *
   * @return what its tokens begin with
   */
  @Override
  public String toString() {
    return "LeakScanner"
        + Arrays.stream(prefixes).map(p -> new String(p, StandardCharsets.US_ASCII)).toList();
  }
}
