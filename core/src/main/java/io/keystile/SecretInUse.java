package io.keystile;

/**
 * What results hold of a secret that was proven, apart from its hash.
 *
 * @param key whose it is
 * @param number of the secret version
 * @param notice from when, and until when, a client is told to change it
 */
record SecretInUse(KeyInUse key, int number, RotationRules.Notice notice) {}
