package io.keystile;

import io.keystile.store.KeyFilter;
import io.keystile.store.KeyFilter.Due;
import io.keystile.store.KeyRecord;
import io.keystile.store.KeyWrite;
import io.keystile.store.SecretVersion;
import io.keystile.store.StoredKey;
import io.keystile.store.WriteOutcome;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Stores with one mistake each in a condition of a filter, of the kind that people make. */
final class BrokenFilters {
  private BrokenFilters() {}

  private static KeyFilter.Builder builder(KeyFilter filter) {
    return KeyFilter.builder()
        .owner(filter.owner())
        .subject(filter.subject())
        .brand(filter.brand())
        .environment(filter.environment())
        .pepperId(filter.pepperId())
        .states(filter.states())
        .liveAfter(filter.liveAfter())
        .liveUntil(filter.liveUntil())
        .olderLiveAfter(filter.olderLiveAfter())
        .due(filter.due())
        .revokedBefore(filter.revokedBefore())
        .issuedBefore(filter.issuedBefore())
        .unusedSince(filter.unusedSince())
        .neverUsed(filter.neverUsed());
  }

  /** As a database does whose collation ignores case. */
  static final class FoldsCaseOfOwners extends PassThroughStore {
    @Override
    public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
      String owner = filter.owner();
      if (owner == null || limit < 1) {
        return right.list(filter, after, limit);
      }
      KeyFilter ofAnyOwner = builder(filter).owner(null).build();
      return right.list(ofAnyOwner, after, 1000).stream()
          .filter(key -> key.record().owner().equalsIgnoreCase(owner))
          .limit(limit)
          .toList();
    }
  }

  /** Takes "since" for "after". */
  static final class ShiftsABound extends PassThroughStore {
    @Override
    public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
      Instant since = filter.unusedSince();
      return right.list(
          builder(filter).unusedSince(since == null ? null : since.plusMillis(1)).build(),
          after,
          limit);
    }
  }

  /** Looks at the newest version of a key, when asked for a pepper that any may have. */
  static final class AsksTheNewestVersion extends PassThroughStore {
    @Override
    public List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
      String pepperId = filter.pepperId();
      return super.list(filter, after, limit).stream()
          .filter(key -> pepperId == null || pepperId.equals(key.record().newest().pepperId()))
          .toList();
    }
  }

  /** Judges some conditions by itself, and leaves the others to a store that is right. */
  abstract static class JudgesByItself extends PassThroughStore {
    @Override
    public final List<StoredKey> list(KeyFilter filter, @Nullable String after, int limit) {
      if (limit < 1 || limit > 1000) {
        return right.list(filter, after, limit);
      }
      KeyFilter others = builder(filter).olderLiveAfter(null).due(null).build();
      return right.list(others, after, 1000).stream()
          .filter(key -> isOlderLive(key.record(), filter.olderLiveAfter()))
          .filter(key -> isDue(key.record(), filter.due()))
          .limit(limit)
          .toList();
    }

    private boolean isOlderLive(KeyRecord record, @Nullable Instant after) {
      return after == null || isOlderLiveAfter(record, after);
    }

    private boolean isDue(KeyRecord record, @Nullable Due due) {
      return due == null || mayBeDue(record, due);
    }

    boolean isOlderLiveAfter(KeyRecord record, Instant after) {
      return isAfter(record.olderUntil(), after);
    }

    boolean mayBeDue(KeyRecord record, Due due) {
      return record.rotation() != null
          || endsBy(record.newest().end(), due)
          || createdBy(record.newest().createdAt(), due);
    }

    static boolean isAfter(@Nullable Instant end, Instant time) {
      return end != null && end.isAfter(time);
    }

    static boolean endsBy(@Nullable Instant end, Due due) {
      return end != null && !end.isAfter(due.endsBy());
    }

    static boolean createdBy(Instant at, Due due) {
      return due.createdBy() != null && !at.isAfter(due.createdBy());
    }
  }

  /** Makes no mistake: shows that each of those below makes only the one that it means to. */
  static final class JudgesRightly extends JudgesByItself {}

  /** Does not know the condition yet. */
  static final class IgnoresDue extends JudgesByItself {
    @Override
    boolean mayBeDue(KeyRecord record, Due due) {
      return true;
    }
  }

  /** Does not know the condition yet. */
  static final class IgnoresOlder extends JudgesByItself {
    @Override
    boolean isOlderLiveAfter(KeyRecord record, Instant after) {
      return true;
    }
  }

  /** Forgets that a rule of its own may make a key due at any time. */
  static final class ForgetsOwnRules extends JudgesByItself {
    @Override
    boolean mayBeDue(KeyRecord record, Due due) {
      return endsBy(record.newest().end(), due) || createdBy(record.newest().createdAt(), due);
    }
  }

  /** Takes a rule without an age for none. */
  static final class ForgetsRulesWithoutAge extends JudgesByItself {
    @Override
    boolean mayBeDue(KeyRecord record, Due due) {
      KeyRecord.RotationRule rule = record.rotation();
      return (rule != null && rule.age() != null)
          || endsBy(record.newest().end(), due)
          || createdBy(record.newest().createdAt(), due);
    }
  }

  /** Takes "by" for "before", in the end of a secret. */
  static final class ShiftsTheEnd extends JudgesByItself {
    @Override
    boolean mayBeDue(KeyRecord record, Due due) {
      return super.mayBeDue(record, new Due(earlier(due.endsBy()), due.createdBy()));
    }
  }

  /** Takes "by" for "before", in the age of a secret. */
  static final class ShiftsTheAge extends JudgesByItself {
    @Override
    boolean mayBeDue(KeyRecord record, Due due) {
      Instant createdBy = due.createdBy();
      return super.mayBeDue(
          record, new Due(due.endsBy(), createdBy == null ? null : earlier(createdBy)));
    }
  }

  private static Instant earlier(Instant time) {
    return time.equals(Instant.EPOCH) ? time : time.minusMillis(1);
  }

  /** Takes the end of the key for that of its newest secret. */
  static final class AsksWhenTheKeyEnds extends JudgesByItself {
    @Override
    boolean mayBeDue(KeyRecord record, Due due) {
      return record.rotation() != null
          || endsBy(record.liveUntil(), due)
          || createdBy(record.newest().createdAt(), due);
    }
  }

  /** Is content with any secret that is old. */
  static final class AsksForAnyOldSecret extends JudgesByItself {
    @Override
    boolean mayBeDue(KeyRecord record, Due due) {
      return super.mayBeDue(record, due)
          || record.versions().stream().anyMatch(version -> createdBy(version.createdAt(), due));
    }
  }

  /** Wants the end and the age, where either is enough. */
  static final class WantsEndAndAge extends JudgesByItself {
    @Override
    boolean mayBeDue(KeyRecord record, Due due) {
      return record.rotation() != null
          || (endsBy(record.newest().end(), due)
              && (due.createdBy() == null || createdBy(record.newest().createdAt(), due)));
    }
  }

  /** Takes "at this time" for "after this time". */
  static final class ShiftsTheOlderEnd extends JudgesByItself {
    @Override
    boolean isOlderLiveAfter(KeyRecord record, Instant after) {
      return super.isOlderLiveAfter(record, earlier(after));
    }
  }

  /** Takes no older secret for one that never ends, as with the end of a key. */
  static final class TakesNoOlderSecretForEndless extends JudgesByItself {
    @Override
    boolean isOlderLiveAfter(KeyRecord record, Instant after) {
      return record.olderUntil() == null || super.isOlderLiveAfter(record, after);
    }
  }

  /** Forgets that no secret outlives the fixed end of its key. */
  static final class ForgetsTheFixedEnd extends JudgesByItself {
    @Override
    boolean isOlderLiveAfter(KeyRecord record, Instant after) {
      List<SecretVersion> versions = record.versions();
      return versions.subList(0, versions.size() - 1).stream()
          .anyMatch(version -> isAfter(version.end(), after));
    }
  }

  /** Looks at the version before the newest, where any older one may end last. */
  static final class AsksTheLastButOne extends JudgesByItself {
    @Override
    boolean isOlderLiveAfter(KeyRecord record, Instant after) {
      List<SecretVersion> versions = record.versions();
      return super.isOlderLiveAfter(record, after)
          && isAfter(versions.get(versions.size() - 2).end(), after);
    }
  }

  /** Derives once, when a key is inserted, what conditions ask about. */
  static final class DerivesOnce extends JudgesByItself {
    private final Map<String, KeyRecord> inserted = new ConcurrentHashMap<>();

    @Override
    public WriteOutcome insert(List<KeyWrite> writes, int ownerMaximum) {
      WriteOutcome outcome = super.insert(writes, ownerMaximum);
      if (outcome == WriteOutcome.APPLIED) {
        writes.forEach(write -> inserted.put(write.record().id(), write.record()));
      }
      return outcome;
    }

    @Override
    boolean isOlderLiveAfter(KeyRecord record, Instant after) {
      return super.isOlderLiveAfter(inserted.getOrDefault(record.id(), record), after);
    }

    @Override
    boolean mayBeDue(KeyRecord record, Due due) {
      return super.mayBeDue(inserted.getOrDefault(record.id(), record), due);
    }
  }
}
