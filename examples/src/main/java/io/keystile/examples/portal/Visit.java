package io.keystile.examples.portal;

import io.keystile.examples.portal.Accounts.Account;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A request of somebody who is signed in.
 *
 * @param token what a form of this session must hold
 */
record Visit(Call call, Account account, String token, Instant now) {

  String field(String name) {
    return call.field(name);
  }

  /** A text of the form without the blanks around it, or "". */
  String text(String name) {
    return field(name).strip();
  }

  /** Whether an actor of the audit trail is who asks. */
  boolean isBy(@Nullable String actor) {
    return account.name().equals(actor);
  }
}
