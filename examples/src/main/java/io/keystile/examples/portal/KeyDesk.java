package io.keystile.examples.portal;

import io.keystile.ApiKeys;
import io.keystile.Cause;
import io.keystile.IssuedKey;
import io.keystile.KeyDetails;
import io.keystile.KeyDetails.SecretInfo;
import io.keystile.KeyPage;
import io.keystile.KeyQuery;
import io.keystile.KeySpec;
import io.keystile.OwnerKeys;
import io.keystile.Revocation;
import io.keystile.Rotation;
import io.keystile.store.AuditEntry;
import io.keystile.store.AuditFilter;
import io.keystile.store.RevocationReason;
import io.keystile.usage.UsageQuery;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What owners do with their keys. The owner is that of the session, never of the request, and all
 * goes through {@link OwnerKeys}, which knows of no others.
 */
final class KeyDesk {
  private static final int KEYS = 20;
  private static final int ENTRIES = 20;
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,9}");

  private final ApiKeys keys;
  private final Offer offer;
  private final List<KeyPanel> panels;

  KeyDesk(ApiKeys keys, Offer offer, List<KeyPanel> panels) {
    this.keys = keys;
    this.offer = offer;
    this.panels = panels;
  }

  private OwnerKeys of(Visit visit) {
    return keys.forOwner(visit.account().owner())
        .mayGrant(offer.scopes().keySet().toArray(String[]::new))
        .plans(offer.plans().keySet().toArray(String[]::new));
  }

  /** Does something with a key of the owner. One of somebody else is one that is not there. */
  private Reply with(Visit visit, String id, Function<KeyDetails, Reply> action) {
    return of(visit).find(id).map(action).orElseGet(Portal::nothingHere);
  }

  Reply list(Visit visit, String none) {
    String after = visit.field("after");
    KeyQuery query = KeyQuery.all().limit(KEYS);
    KeyPage page = of(visit).list(after.isEmpty() ? query : query.after(after));
    return Reply.page(200, ListPage.of(visit, page, after.isEmpty() ? null : after));
  }

  Reply showCreate(Visit visit, String none) {
    return Reply.page(200, Forms.create(visit, offer, Randoms.text(), null));
  }

  Reply create(Visit visit, String none) {
    String operation = operation(visit);
    String name = visit.text("name");
    if (name.isEmpty()) {
      String error = "Give the key a name, so that you know it again.";
      return Reply.page(400, Forms.create(visit, offer, operation, error));
    }
    KeySpec spec =
        KeySpec.forOwner(visit.account().owner())
            .name(name)
            .scopes(visit.call().all("scope").toArray(String[]::new))
            .by(visit.account().name())
            .operationId(operation);
    String plan = visit.field("plan");
    IssuedKey issued;
    try {
      issued = of(visit).issue(plan.isEmpty() ? spec : spec.plan(plan));
    } catch (IllegalArgumentException e) {
      return Reply.page(400, Forms.create(visit, offer, operation, e.getMessage()));
    }
    return issued(visit, issued);
  }

  /** The token, if it was made by this very request. */
  private static Reply issued(Visit visit, IssuedKey issued) {
    return issued.alreadyIssued()
        ? Reply.page(409, Forms.repeated(visit, issued))
        : Reply.page(200, Forms.token(visit, issued));
  }

  private static String operation(Visit visit) {
    String operation = visit.field("operation");
    if (!Randoms.looksLike(operation)) {
      throw new IllegalArgumentException("operation: must be that of the form");
    }
    return operation;
  }

  Reply show(Visit visit, String id) {
    long after = number(visit.field("history"), 0);
    return with(
        visit,
        id,
        key -> {
          // the facade has found the key, so its history is the owner's
          List<AuditEntry> entries = keys.audit(AuditFilter.ofKey(key.id()), after, ENTRIES);
          Long next = entries.size() < ENTRIES ? null : entries.get(ENTRIES - 1).number();
          OwnerKeys mine = of(visit);
          List<Html> more = panels.stream().map(p -> p.of(mine, key, visit.now())).toList();
          KeyPageView page = new KeyPageView(visit, key);
          return Reply.page(
              200, page.of(done(visit), more, new KeyPageView.History(entries, next)));
        });
  }

  /** What all keys of the owner have used in this month, day by day. */
  Reply usage(Visit visit, String none) {
    YearMonth month = YearMonth.from(visit.now().atZone(ZoneOffset.UTC));
    Instant begin = month.atDay(1).atStartOfDay(ZoneOffset.UTC).toInstant();
    StringBuilder csv = new StringBuilder();
    try {
      of(visit).usage().csv(UsageQuery.perDay(begin, visit.now().plusMillis(1)), csv);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a StringBuilder throws none
    }
    byte[] body = csv.toString().getBytes(StandardCharsets.UTF_8);
    return Reply.file("usage-" + month + ".csv", "text/csv; charset=utf-8", body);
  }

  private static @Nullable String done(Visit visit) {
    return switch (visit.field("done")) {
      case "renamed" -> "The key has its new name.";
      case "revoked" -> "The key is revoked. Whoever uses it is refused.";
      case "secret-revoked" -> "The secret is revoked. Whoever uses it is refused.";
      default -> null;
    };
  }

  private static int number(String text, int otherwise) {
    if (text.isEmpty()) {
      return otherwise;
    }
    if (!NUMBER.matcher(text).matches()) {
      throw new IllegalArgumentException("a number was expected");
    }
    return Integer.parseInt(text);
  }

  Reply showRename(Visit visit, String id) {
    return with(visit, id, key -> Reply.page(200, Forms.rename(visit, key, null)));
  }

  Reply rename(Visit visit, String id) {
    return with(
        visit,
        id,
        key -> {
          String name = visit.text("name");
          if (name.isEmpty()) {
            String error = "Give the key a name, so that you know it again.";
            return Reply.page(400, Forms.rename(visit, key, error));
          }
          try {
            of(visit).rename(id, name, Cause.by(visit.account().name()));
          } catch (IllegalArgumentException e) {
            return Reply.page(400, Forms.rename(visit, key, e.getMessage()));
          }
          return done(id, "renamed");
        });
  }

  private static Reply done(String id, String what) {
    return Reply.to("/portal/keys/" + id + "?done=" + what);
  }

  Reply showRotate(Visit visit, String id) {
    return with(visit, id, key -> Reply.page(200, Forms.rotate(visit, key, Randoms.text(), null)));
  }

  Reply rotate(Visit visit, String id) {
    return with(
        visit,
        id,
        key -> {
          String operation = operation(visit);
          Forms.Grace grace = Forms.Grace.of(visit.field("grace"));
          if (grace == null) {
            String error = "Choose how long the old secrets go on.";
            return Reply.page(400, Forms.rotate(visit, key, operation, error));
          }
          Rotation rotation =
              Rotation.withGrace(grace.length).by(visit.account().name()).operationId(operation);
          String note = visit.text("note");
          try {
            return issued(
                visit, of(visit).rotate(id, note.isEmpty() ? rotation : rotation.note(note)));
          } catch (IllegalArgumentException e) {
            return Reply.page(400, Forms.rotate(visit, key, operation, e.getMessage()));
          }
        });
  }

  Reply showRevoke(Visit visit, String id) {
    return with(visit, id, key -> Reply.page(200, Forms.revoke(visit, key, null)));
  }

  Reply revoke(Visit visit, String id) {
    return with(
        visit,
        id,
        key -> {
          try {
            of(visit).revoke(id, revocation(visit));
          } catch (IllegalArgumentException e) {
            return Reply.page(400, Forms.revoke(visit, key, e.getMessage()));
          }
          return done(id, "revoked");
        });
  }

  private static Revocation revocation(Visit visit) {
    RevocationReason reason =
        Reasons.OF_OWNER.stream()
            .filter(known -> known.name().equals(visit.field("reason")))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("Choose a reason."));
    Revocation revocation = Revocation.because(reason).by(visit.account().name());
    String note = visit.text("note");
    return note.isEmpty() ? revocation : revocation.note(note);
  }

  Reply showRevokeSecret(Visit visit, String id) {
    return withSecret(
        visit, id, (key, secret) -> Reply.page(200, Forms.revokeSecret(visit, key, secret, null)));
  }

  Reply revokeSecret(Visit visit, String id) {
    return withSecret(
        visit,
        id,
        (key, secret) -> {
          try {
            of(visit).revokeSecret(id, secret.number(), revocation(visit));
          } catch (IllegalArgumentException e) {
            return Reply.page(400, Forms.revokeSecret(visit, key, secret, e.getMessage()));
          }
          return done(id, "secret-revoked");
        });
  }

  private interface SecretAction {
    Reply answer(KeyDetails key, SecretInfo secret);
  }

  private Reply withSecret(Visit visit, String id, SecretAction action) {
    int number = number(visit.field("secret"), 0);
    return with(
        visit,
        id,
        key -> {
          Optional<SecretInfo> secret =
              key.secrets().stream().filter(s -> s.number() == number).findFirst();
          return secret.map(s -> action.answer(key, s)).orElseGet(Portal::nothingHere);
        });
  }
}
