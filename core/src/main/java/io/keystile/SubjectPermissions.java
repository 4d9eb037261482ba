package io.keystile;

import java.util.Collection;

/**
 * What the user behind a personal access token may do now. A token may do no more than its user:
 * its effective scopes are those granted to it that are still allowed here. A host that sets none
 * lets tokens do all that they were granted.
 *
 * <p>Asked on a thread of the library's when a key is loaded or refreshed, never on the thread of a
 * request; may block, within {@link ApiKeysBuilder#loadDeadline}. The answer is kept with the
 * cached key until {@link ApiKeys#subjectChanged} or the next refresh. If it throws, the token is
 * rejected with {@link Reason#PERMISSIONS_UNAVAILABLE}.
 */
@FunctionalInterface
public interface SubjectPermissions {

  /**
   * Which of these scopes the user still may have.
   *
   * @param subject the user
   * @param granted the scopes of the token
   * @return the scopes that are still allowed; what was not granted is ignored
   */
  Collection<String> allowed(String subject, Collection<String> granted);
}
