package io.keystile.leak;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * A text of any length with tokens planted in it: log lines, Base64, hexadecimal, binary content, a
 * line without an end, and what is nearly a token. It is a program as well: it scans such a text
 * and says whether all was found, so that it can be run with a small heap.
 */
final class LargeText extends InputStream {
  private static final int BLOCK = 1 << 16;
  private static final int TEMPLATE = 32 * BLOCK;

  /** What is planted, and what must be told of it. */
  private record Sight(long offset, long line, long count) {}

  /** By token. */
  private final Map<String, Sight> planted = new LinkedHashMap<>();

  private long brokenPlanted;

  /** What making the text has cost. */
  private long nanos;

  private final SplittableRandom random;
  private final byte[] template;
  private final byte[] block = new byte[BLOCK];
  private int position = BLOCK;
  private long blocks;
  private long offset;
  private long line = 1;

  LargeText(SplittableRandom random, long megabytes) {
    this.random = random;
    this.blocks = megabytes << 20 >> 16;
    template = template(random);
  }

  /**
   * Scans and says what came of it.
   *
   * @param args seed; megabytes, or how many tokens for a flood; and {@code text} or {@code flood},
   *     or one of the twins that keep too much: {@code whole} and {@code list}
   */
  public static void main(String[] args) throws IOException {
    SplittableRandom random = new SplittableRandom(Long.parseLong(args[0]));
    int size = Integer.parseInt(args[1]);
    switch (args[2]) {
      case "text" -> scanText(new LargeText(random, size), false);
      case "whole" -> scanText(new LargeText(random, size), true);
      case "flood" -> {
        long[] found = {0};
        LeakScanner.ofAnyBrand().scan(new Flood(random, size), token -> found[0] += token.count());
        System.out.printf("%,d different tokens: %d found%n", size, found[0]);
      }
      case "list" -> {
        List<FoundToken> found = new ArrayList<>();
        LeakScanner.ofAnyBrand().scan(new Flood(random, size), found::add);
        System.out.printf("%,d different tokens: %d found%n", size, found.size());
      }
      default -> throw new IllegalArgumentException(args[2]);
    }
  }

  private static void scanText(LargeText text, boolean asWhole) throws IOException {
    LeakScanner scanner = LeakScanner.ofAnyBrand();
    Map<String, Sight> found = new TreeMap<>();
    long start = processorTime();
    if (asWhole) {
      for (FoundToken token : scanner.scan(new String(text.readAllBytes(), ISO_8859_1))) {
        found.put(token.revealToken(), sight(token));
      }
    } else {
      scanner.scan(text, token -> found.put(token.revealToken(), sight(token)));
    }
    long nanos = processorTime() - start - text.nanos;
    System.out.printf(
        "%,d MB with -Xmx%dm: %d tokens planted, %d found, %d others, %d broken ones planted,"
            + " %d MB/s of processor time%n",
        text.offset >> 20,
        Runtime.getRuntime().maxMemory() >> 20,
        text.planted.size(),
        text.planted.entrySet().stream()
            .filter(e -> e.getValue().equals(found.get(e.getKey())))
            .count(),
        found.keySet().stream().filter(token -> !text.planted.containsKey(token)).count(),
        text.brokenPlanted,
        (text.offset >> 20) * 1_000_000_000L / Math.max(nanos, 1));
  }

  private static long processorTime() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static Sight sight(FoundToken token) {
    return new Sight(token.offset(), token.line(), token.count());
  }

  @Override
  public int read() {
    throw new UnsupportedOperationException();
  }

  @Override
  public int read(byte[] into, int from, int length) {
    long start = processorTime();
    if (position == BLOCK) {
      if (blocks-- == 0) {
        return -1;
      }
      nextBlock();
    }
    int size = random.nextInt(4) == 0 ? 1 + random.nextInt(BLOCK) : BLOCK;
    int read = Math.min(Math.min(length, size), BLOCK - position);
    System.arraycopy(block, position, into, from, read);
    position += read;
    nanos += processorTime() - start;
    return read;
  }

  private void nextBlock() {
    System.arraycopy(template, random.nextInt(TEMPLATE - BLOCK), block, 0, BLOCK);
    String label = random.nextInt(3) == 0 ? "umbrella2_test" : "acme_live";
    int where = random.nextInt(BLOCK / 2 - 95);
    if (random.nextInt(4) == 0) {
      String token = LeakTokens.broken(LeakTokens.random(label, random), random);
      put(token, BLOCK / 2 + random.nextInt(BLOCK / 2 - 95));
      brokenPlanted++;
    }
    if (random.nextInt(4) == 0) {
      String token = LeakTokens.random(label, random);
      put("-" + token, where); // else a letter before it could make another brand
      planted.put(token, new Sight(offset + where + 1, lineOf(where), 1));
    } else if (random.nextInt(20) == 0 && !planted.isEmpty()) {
      String again = planted.keySet().iterator().next();
      put("-" + again, where);
      Sight first = planted.get(again);
      planted.put(again, new Sight(first.offset, first.line, first.count + 1));
    }
    line = lineOf(BLOCK);
    offset += BLOCK;
    position = 0;
  }

  private void put(String text, int at) {
    byte[] bytes = text.getBytes(ISO_8859_1);
    System.arraycopy(bytes, 0, block, at, bytes.length);
  }

  private long lineOf(int to) {
    long lines = line;
    for (int i = 0; i < to; i++) {
      lines += block[i] == '\n' ? 1 : 0;
    }
    return lines;
  }

  private static byte[] template(SplittableRandom random) {
    byte[] template = new byte[TEMPLATE];
    for (int start = 0; start < TEMPLATE; start += 4 * BLOCK) {
      StringBuilder text = new StringBuilder();
      while (text.length() < 4 * BLOCK) {
        piece(start / (4 * BLOCK), text, random);
      }
      byte[] bytes = text.toString().getBytes(ISO_8859_1);
      System.arraycopy(bytes, 0, template, start, 4 * BLOCK);
    }
    return template;
  }

  private static void piece(int kind, StringBuilder text, SplittableRandom random) {
    switch (kind) {
      case 0 -> text.append(LeakTokens.digits(76, random)).append("+/\n");
      case 1 -> text.append(Long.toHexString(random.nextLong())).append(' ');
      case 2 -> text.append((char) random.nextInt(256));
      case 3 -> text.append(LeakTokens.digits(1000, random));
      case 4 ->
          text.append(LeakTokens.broken(LeakTokens.random("acme_live", random), random))
              .append(random.nextBoolean() ? "" : "\n");
      default ->
          text.append("2026-11-21T20:31:56.469Z INFO  [worker-")
              .append(random.nextInt(64))
              .append("] io.keystile.Example - request_id=")
              .append(Long.toHexString(random.nextLong()))
              .append(" owner=\"weather-app\" took ")
              .append(random.nextInt(1000))
              .append(" ms\n");
    }
  }

  /** Nothing but tokens, each another one. */
  private static final class Flood extends InputStream {
    private final SplittableRandom random;
    private int left;

    Flood(SplittableRandom random, int tokens) {
      this.random = random;
      left = tokens;
    }

    @Override
    public int read() {
      throw new UnsupportedOperationException();
    }

    @Override
    public int read(byte[] into, int from, int length) {
      if (left-- == 0) {
        return -1;
      }
      byte[] token = (LeakTokens.random("acme_live", random) + "\n").getBytes(ISO_8859_1);
      System.arraycopy(token, 0, into, from, token.length);
      return token.length;
    }
  }
}
