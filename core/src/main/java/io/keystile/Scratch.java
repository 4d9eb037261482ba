package io.keystile;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * The workspace of one validation, so that a warm one allocates its result only. Confined to the
 * thread that took it from the {@link ScratchPool}. It holds a secret while it is in use.
 */
final class Scratch {

  /**
   * {@link #prefix} of a token with a named brand and an environment that this node does not name.
   */
  static final int OTHER_ENVIRONMENT = -1;

  /** {@link #prefix} of a token that was issued elsewhere. */
  static final int FOREIGN = -2;

  /** Length of {@code id_secret}: with its padding exactly one block of SHA-256. */
  static final int BLOCK_LENGTH = Base62.ID_LENGTH + 1 + TokenGenerator.SECRET_LENGTH;

  /** Length of a SHA-256 digest. */
  static final int DIGEST_LENGTH = 32;

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

  final MessageDigest sha256 = newSha256();
  final CRC32 crc = new CRC32();

  /** The token in ASCII; {@code id_secret} begins at {@link #blockStart}. */
  final byte[] text = new byte[roundUp(TokenParser.MAX_LENGTH)];

  /**
   * SHA-256 of {@code id_secret}, once {@link #digestBlock()} was called, or of a foreign token.
   */
  final byte[] digest = new byte[DIGEST_LENGTH];

  /**
   * Mint key and id prefix; after use their digest stands over the key. Apart from {@link #digest},
   * which must outlive it.
   */
  final byte[] mint = new byte[MintTags.BLOCK_LENGTH];

  /** Where {@link Base62#decodeId} leaves its answer. */
  final long[] id = new long[2];

  int blockStart;

  /** What the request needs, and where it comes from; null while nobody uses this. */
  @Nullable Access access;

  @Nullable Origin origin;

  /** Whether the request counts. */
  boolean isRecorded;

  /** How many keys were found in front of the cache. */
  int found;

  /** When this was begun, by the nano ticker. */
  long nanos;

  long idHigh;
  long idLow;

  /**
   * Index of the pair of brand and environment in the parser's list, or {@link #OTHER_ENVIRONMENT}
   * or {@link #FOREIGN}.
   */
  int prefix;

  /** Hashes {@code id_secret} in place and returns {@link #digest}. */
  byte[] digestBlock() {
    sha256.update(text, blockStart, BLOCK_LENGTH);
    finishDigest(digest);
    return digest;
  }

  /** Ends the running digest into the first 32 bytes of {@code into}. */
  void finishDigest(byte[] into) {
    try {
      sha256.digest(into, 0, DIGEST_LENGTH);
    } catch (DigestException e) {
      throw new IllegalStateException("SHA-256 has a wrong length on this platform", e);
    }
  }

  /** Forgets the secret, also where the digest's own buffer holds it. */
  void wipe() {
    zero(text);
    zero(digest);
    sha256.reset();
    access = null;
    origin = null;
  }

  /** Eight bytes at a time, a third of the time of {@link Arrays#fill} for so few. */
  private static void zero(byte[] bytes) {
    for (int i = 0; i <= bytes.length - Long.BYTES; i += Long.BYTES) {
      LONGS.set(bytes, i, 0L);
    }
  }

  private static int roundUp(int length) {
    return (length + Long.BYTES - 1) / Long.BYTES * Long.BYTES;
  }

  private static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is missing, which every Java platform must have", e);
    }
  }
}
