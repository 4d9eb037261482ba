package io.keystile;

import io.keystile.store.RevocationReason;
import io.keystile.store.StoredKey;

/** What a change means for the node that made it. */
record ThisNode(KeyCache cache, UseRecorder recorder, Events events) implements LocalNode {

  @Override
  public void changed(String keyId) {
    KeyId id = KeyId.parse(keyId);
    if (id != null) {
      cache.invalidate(id);
    }
  }

  @Override
  public StoredKey withOwnUse(StoredKey stored) {
    return recorder.merged(stored);
  }

  @Override
  public void alert(String keyId, RevocationReason reason) {
    events.alert(keyId, reason);
  }
}
