package io.keystile;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.zip.CRC32;

/**
 * The workspace of one validation, so that a warm one allocates nothing. Confined to the thread
 * that took it from the {@link ScratchPool}. It holds a secret while it is in use.
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

  final MessageDigest sha256 = newSha256();
  final CRC32 crc = new CRC32();

  /** The token in ASCII; {@code id_secret} begins at {@link #blockStart}. */
  final byte[] text = new byte[TokenParser.MAX_LENGTH];

  /**
   * SHA-256 of {@code id_secret}, once {@link #digestBlock()} was called, or of a foreign token.
   */
  final byte[] digest = new byte[DIGEST_LENGTH];

  /**
   * Mint key and id prefix, then their digest. Apart from {@link #digest}, which must outlive it.
   */
  final byte[] mint = new byte[MintTags.BLOCK_LENGTH];

  /** Where {@link Base62#decodeId} leaves its answer. */
  final long[] id = new long[2];

  int blockStart;

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
    Arrays.fill(text, (byte) 0);
    Arrays.fill(digest, (byte) 0);
    Arrays.fill(mint, (byte) 0);
    sha256.reset();
  }

  private static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is missing, which every Java platform must have", e);
    }
  }
}
