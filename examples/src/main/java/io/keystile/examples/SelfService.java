package io.keystile.examples;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.Cause;
import io.keystile.Origin;
import io.keystile.Rejected;
import io.keystile.SelfRotation;
import io.keystile.http.CredentialExtractor;
import io.keystile.http.HttpDenial;
import io.keystile.http.TrustedProxies;
import java.util.Objects;

/** Where a client replaces the secret of its own key, with nothing but the token it has. */
final class SelfService {
  private static final Access ROTATE = SelfRotation.ACCESS;

  private final ApiKeys keys;
  private final ApiKeyGuard guard;

  SelfService(ApiKeys keys, ApiKeyGuard guard) {
    this.keys = keys;
    this.guard = guard;
  }

  Routes routes() {
    return new Routes(guard).on("POST", "/key/rotate", ROTATE, this::rotate);
  }

  /** The guard has let it in, so there is one token, and it is sent as the guard wants it. */
  private Answer rotate(Routes.Call call) {
    String token = CredentialExtractor.standard().extract(call.exchange(), guard).revealToken();
    Origin origin = TrustedProxies.none().origin(call.exchange(), guard);
    Cause cause = Cause.by(call.key().id());
    String operationId = call.operationId();
    if (operationId != null) {
      cause = cause.operationId(operationId);
    }
    SelfRotation result = keys.rotateSelf(token, origin, cause);
    Rejected refusal = result.refusal();
    return refusal == null
        ? RotationApi.issued(Objects.requireNonNull(result.issued()))
        : Answer.of(HttpDenial.of(refusal, ROTATE));
  }
}
