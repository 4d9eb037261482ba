package io.keystile.examples.portal;

import io.keystile.examples.portal.Accounts.Account;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Who is signed in, in memory: it ends half an hour after the last request, and after eight hours
 * anyway. An account has at most ten sessions, and another one ends its oldest, so that memory is
 * bounded and nobody signs out anybody else. Visitors who are not signed in take no memory.
 */
final class Sessions {
  static final Duration IDLE = Duration.ofMinutes(30);
  static final Duration LONGEST = Duration.ofHours(8);
  static final int PER_ACCOUNT = 10;

  private record Session(Account account, Instant startedAt, Instant seenAt) {
    boolean isOver(Instant now) {
      return !now.isBefore(seenAt.plus(IDLE)) || !now.isBefore(startedAt.plus(LONGEST));
    }
  }

  private final InstantSource clock;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<String, Session> sessions = new LinkedHashMap<>(); // the oldest first

  Sessions(InstantSource clock) {
    this.clock = clock;
  }

  /** Under a new id always: one that somebody has slipped in beforehand is worth nothing. */
  String start(Account account) {
    String id = Randoms.text();
    Instant now = clock.instant();
    lock.lock();
    try {
      sessions.values().removeIf(session -> session.isOver(now));
      if (sessions.values().stream().filter(s -> s.account().equals(account)).count()
          >= PER_ACCOUNT) {
        sessions.entrySet().stream()
            .filter(entry -> entry.getValue().account().equals(account))
            .findFirst()
            .map(Map.Entry::getKey)
            .ifPresent(sessions::remove);
      }
      sessions.put(id, new Session(account, now, now));
      return id;
    } finally {
      lock.unlock();
    }
  }

  Optional<Account> find(String id) {
    Instant now = clock.instant();
    lock.lock();
    try {
      Session session = sessions.get(id);
      if (session == null) {
        return Optional.empty();
      }
      if (session.isOver(now)) {
        sessions.remove(id);
        return Optional.empty();
      }
      sessions.replace(id, new Session(session.account(), session.startedAt(), now));
      return Optional.of(session.account());
    } finally {
      lock.unlock();
    }
  }

  void end(String id) {
    lock.lock();
    try {
      sessions.remove(id);
    } finally {
      lock.unlock();
    }
  }

  int size() {
    lock.lock();
    try {
      return sessions.size();
    } finally {
      lock.unlock();
    }
  }
}
