package io.keystile.examples;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.leak.LeakReport;
import io.keystile.leak.LeakResponse;
import io.keystile.leak.LeakScanner;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where any text goes in which keys were seen: those in it that still work are revoked. */
final class LeakApi {
  private static final Access ADMIN = Access.requiring(AdminApi.SCOPE);
  private static final LeakScanner SCANNER =
      LeakScanner.of(List.of(ForecastServer.BRAND), List.of(ForecastServer.ENVIRONMENT));

  private final ApiKeys keys;

  LeakApi(ApiKeys keys) {
    this.keys = keys;
  }

  Routes routes(ApiKeyGuard guard) {
    return new Routes(guard).on("POST", "/leaks", ADMIN, this::handle);
  }

  /**
   * What came of a leaked text.
   *
   * @param complete if not, the same call is to be made again
   */
  private record Report(boolean complete, List<Finding> findings) {}

  private record Finding(
      String token, @Nullable String keyId, int secret, long line, LeakReport.Outcome outcome) {

    static Finding of(LeakReport.Finding finding) {
      return new Finding(
          finding.token(),
          finding.keyId(),
          finding.secretVersion(),
          finding.line(),
          finding.outcome());
    }
  }

  /** The text may be of any length: it is read as a stream. */
  private Answer handle(Routes.Call call) {
    LeakReport report =
        LeakResponse.of(keys, SCANNER)
            .by(call.key().id())
            .evidence(call.query().getOrDefault("seen", ""))
            .handle(call.exchange().getRequestBody());
    return Answer.ok(
        new Report(report.isComplete(), report.findings().stream().map(Finding::of).toList()));
  }
}
