package io.keystile;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Makes and checks the last 32 bits of a key id: a keyed tag over the 96 bits before them, so that
 * an id which this service never minted is refused without asking the store (a guess passes once in
 * 2^32). The keys are their own, not derived from a pepper: peppers are dropped one day, ids stay.
 * Immutable, for any thread.
 */
final class MintTags {

  /** Mint key and 96 bits: with its padding exactly one block of SHA-256. */
  static final int BLOCK_LENGTH = Scratch.DIGEST_LENGTH + 12;

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  private final List<ServerSecret> idKeys;
  private final List<TokenPrefix> prefixes;

  /** By prefix, then by id key, the primary first. */
  private final byte[][][] mintKeys;

  /**
   * @param primary mints; it verifies too
   * @param others verify only
   * @param prefixes the pairs this node names, in the order of its {@link TokenParser}
   */
  MintTags(ServerSecret primary, Collection<ServerSecret> others, List<TokenPrefix> prefixes) {
    this.idKeys = ServerSecret.distinct(primary, others);
    this.prefixes = List.copyOf(prefixes);
    this.mintKeys = this.prefixes.stream().map(p -> mintKeys(p.label())).toArray(byte[][][]::new);
  }

  /** The tag of a new id. The pair must be one of this node's. */
  int tag(TokenPrefix prefix, long high, int middle) {
    int index = prefixes.indexOf(prefix);
    if (index < 0) {
      throw new IllegalArgumentException("This node does not mint for " + prefix.text());
    }
    return tag(mintKeys[index][0], high, middle, new Scratch());
  }

  /** Whether one of the id keys minted the id that was read into the scratch, for its prefix. */
  boolean minted(Scratch scratch) {
    // an environment of another node is rare, and a tag is checked on the way to the store only
    byte[][] keys =
        scratch.prefix == Scratch.OTHER_ENVIRONMENT
            ? mintKeys(label(scratch))
            : mintKeys[scratch.prefix];
    int tag = (int) scratch.idLow;
    int middle = (int) (scratch.idLow >>> 32);
    for (byte[] key : keys) {
      if (tag(key, scratch.idHigh, middle, scratch) == tag) {
        return true;
      }
    }
    return false;
  }

  private byte[][] mintKeys(String label) {
    List<byte[]> keys = new ArrayList<>();
    for (ServerSecret idKey : idKeys) {
      keys.add(idKey.derive("keystile v1 mint " + label));
    }
    return keys.toArray(byte[][]::new);
  }

  private static String label(Scratch scratch) {
    return new String(scratch.text, 0, scratch.blockStart - 1, StandardCharsets.US_ASCII);
  }

  private static int tag(byte[] mintKey, long high, int middle, Scratch scratch) {
    byte[] block = scratch.mint;
    System.arraycopy(mintKey, 0, block, 0, Scratch.DIGEST_LENGTH);
    LONGS.set(block, Scratch.DIGEST_LENGTH, high);
    INTS.set(block, Scratch.DIGEST_LENGTH + Long.BYTES, middle);
    scratch.sha256.update(block);
    scratch.finishDigest(block); // over the mint key
    return (int) INTS.get(block, 0);
  }
}
