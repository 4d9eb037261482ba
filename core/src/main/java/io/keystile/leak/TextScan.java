package io.keystile.leak;

import io.keystile.TokenFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * One scan of one text, in one pass. A token ends with 38 digits, more than words have, so the
 * search looks for a run of so many, and at what stands before one only then. It steps 38
 * characters at a time: whatever character it lands on is in no run of 38 if it is no digit.
 *
 * <p>The secret follows an underscore, so it begins where the run begins, and a run holds one token
 * at most, however long it is. For a single thread.
 */
final class TextScan {
  private static final int RUN = FoundToken.AFTER_ID;
  private static final int MAX_WORD = 16;

  /** What can stand before the secret: brand and environment with their underscores, and the id. */
  private static final int BEFORE_RUN = 2 * (MAX_WORD + 1) + FoundToken.ID_LENGTH + 1;

  private static final int BUFFER = 1 << 16;

  private static final byte OTHER = 0;
  private static final byte UPPER = 1;
  private static final byte NUMERAL = 2;
  private static final byte LOWER = 3;
  private static final byte[] KINDS = new byte[256];

  static {
    Arrays.fill(KINDS, 'A', 'Z' + 1, UPPER);
    Arrays.fill(KINDS, '0', '9' + 1, NUMERAL);
    Arrays.fill(KINDS, 'a', 'z' + 1, LOWER);
  }

  /** The text, a piece at a time; characters that are not ASCII are any bytes that are not. */
  @FunctionalInterface
  interface Source {
    /** As {@link java.io.InputStream#read(byte[], int, int)}. */
    int read(byte[] into, int from, int length) throws IOException;
  }

  /** A token, and where it was seen first. */
  private static final class Sighting {
    final long offset;
    final long line;
    long count = 1;

    Sighting(long offset, long line) {
      this.offset = offset;
      this.line = line;
    }
  }

  private final byte[][] prefixes;
  private final Consumer<? super FoundToken> found;
  private final Map<String, Sighting> sightings = new LinkedHashMap<>();

  private final byte[] buffer = new byte[BUFFER];
  private int end;

  /** Where the search goes on. */
  private int next;

  /** Whether the character before {@link #next} is in a run that was looked at already. */
  private boolean inRun;

  /** What stands in the text before the buffer. */
  private long offset;

  /** The line of {@link #counted}. */
  private long line = 1;

  /** Up to where lines are counted. */
  private int counted;

  /**
   * @param prefixes brands and environments with their underscores; none for any
   */
  TextScan(byte[][] prefixes, Consumer<? super FoundToken> found) {
    this.prefixes = prefixes;
    this.found = found;
  }

  void run(Source source) throws IOException {
    try {
      while (fill(source)) {
        search();
        shift();
      }
      handOver();
    } finally {
      Arrays.fill(buffer, (byte) 0);
    }
  }

  private boolean fill(Source source) throws IOException {
    try {
      int read = source.read(buffer, end, buffer.length - end);
      end += Math.max(read, 0);
      return read >= 0;
    } catch (IOException | RuntimeException e) {
      handOver(); // what was found must not be lost with the rest of the text
      throw e;
    }
  }

  private void search() {
    int i = next;
    while (true) {
      if (inRun) {
        while (i < end && isDigit(i)) {
          i++;
        }
        inRun = i == end;
      }
      if (end - i < RUN) {
        break;
      }
      int last = i + RUN - 1;
      while (last >= i && isDigit(last)) {
        last--;
      }
      if (last >= i) {
        i = last + 1;
      } else {
        lookBefore(i);
        i += RUN;
        inRun = true;
      }
    }
    next = i;
  }

  /** Forgets what can be no part of a token any more. */
  private void shift() {
    int keep = Math.max(0, next - BEFORE_RUN);
    countLines(keep);
    System.arraycopy(buffer, keep, buffer, 0, end - keep);
    offset += keep;
    end -= keep;
    next -= keep;
    counted -= keep;
  }

  /** A secret and a checksum may begin here. */
  private void lookBefore(int secret) {
    int id = secret - 1 - FoundToken.ID_LENGTH;
    if (id < 1 || buffer[id - 1] != '_' || buffer[secret - 1] != '_') {
      return;
    }
    for (int i = id; i < secret - 1; i++) {
      if (!isDigit(i)) {
        return;
      }
    }
    if (prefixes.length == 0) {
      lookForWords(id - 1, secret + RUN);
    }
    for (byte[] prefix : prefixes) {
      int start = id - prefix.length;
      if (start >= 0 && Arrays.equals(buffer, start, id, prefix, 0, prefix.length)) {
        check(start, secret + RUN);
      }
    }
  }

  /** Any brand and environment: the checksum tells where in a longer word the brand begins. */
  private void lookForWords(int underscore, int tokenEnd) {
    int environment = underscore;
    while (environment > 0 && underscore - environment < MAX_WORD && isWord(environment - 1)) {
      environment--;
    }
    if (underscore - environment < 2
        || kind(environment) != LOWER
        || environment == 0
        || buffer[environment - 1] != '_') {
      return;
    }
    int brandEnd = environment - 1;
    for (int i = brandEnd - 1; i >= 0 && brandEnd - i <= MAX_WORD && isWord(i); i--) {
      if (brandEnd - i >= 2 && kind(i) == LOWER) {
        check(i, tokenEnd);
      }
    }
  }

  private void check(int start, int tokenEnd) {
    String token = new String(buffer, start, tokenEnd - start, StandardCharsets.US_ASCII);
    if (!TokenFormat.isWellFormed(token)) {
      return;
    }
    Sighting known = sightings.get(token);
    if (known != null) {
      known.count++;
      return;
    }
    if (sightings.size() == LeakScanner.MAX_DISTINCT) {
      handOver();
    }
    countLines(start);
    sightings.put(token, new Sighting(offset + start, line));
  }

  private void handOver() {
    var rest = sightings.entrySet().iterator();
    while (rest.hasNext()) {
      Map.Entry<String, Sighting> entry = rest.next();
      rest.remove(); // before it is handed over, so that no token is twice, whatever is thrown
      Sighting sighting = entry.getValue();
      found.accept(new FoundToken(entry.getKey(), sighting.offset, sighting.line, sighting.count));
    }
  }

  /** Not back: what begins before has the same line, since it is part of the same token. */
  private void countLines(int to) {
    while (counted < to) {
      if (buffer[counted++] == '\n') {
        line++;
      }
    }
  }

  private boolean isDigit(int index) {
    return kind(index) != OTHER;
  }

  private boolean isWord(int index) {
    return kind(index) >= NUMERAL;
  }

  private int kind(int index) {
    return KINDS[buffer[index] & 0xFF];
  }
}
