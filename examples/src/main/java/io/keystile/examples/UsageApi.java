package io.keystile.examples;

import com.fasterxml.jackson.databind.util.RawValue;
import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.usage.Risk;
import io.keystile.usage.UsageQuery;
import io.keystile.usage.UsageReports;
import java.io.IOException;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the administration knows of the use of keys: for bills, and for those who look into it. */
final class UsageApi {
  private static final Access ADMIN = Access.requiring(AdminApi.SCOPE);

  private final ApiKeys keys;

  UsageApi(ApiKeys keys) {
    this.keys = keys;
  }

  Routes routes(ApiKeyGuard guard) {
    return new Routes(guard)
        .on("GET", "/usage", ADMIN, this::usage)
        .on("GET", "/keys/{id}/risk", ADMIN, this::risk);
  }

  /** The usage of an owner in a month of UTC, day by day. */
  private Answer usage(Routes.Call call) throws IOException {
    String owner = call.query().get("owner");
    if (owner == null) {
      throw new IllegalArgumentException("owner: is missing");
    }
    YearMonth month = month(call.query().get("month"));
    StringBuilder csv = new StringBuilder();
    UsageReports ofOwner = keys.usage().within(owner);
    ofOwner.csv(UsageQuery.perDay(begin(month), begin(month.plusMonths(1))), csv);
    return new Answer(
        200,
        new RawValue(csv.toString()),
        List.of(
            Map.entry("Content-Type", "text/csv; charset=utf-8"),
            Map.entry("Cache-Control", "no-store")));
  }

  private static YearMonth month(@Nullable String text) {
    try {
      YearMonth month = text == null ? YearMonth.now(ZoneOffset.UTC) : YearMonth.parse(text);
      if (month.getYear() >= 1970) {
        return month;
      }
    } catch (DateTimeParseException e) {
      // what it says is answered below, without what the client wrote
    }
    throw new IllegalArgumentException("month: must be like 2026-11");
  }

  private static Instant begin(YearMonth month) {
    return month.atDay(1).atStartOfDay(ZoneOffset.UTC).toInstant();
  }

  /** A risk as JSON, without the summary. */
  private record View(
      Risk.Level level, String reason, List<Risk.Anomaly> anomalies, String assessedAt) {
    static View of(Risk risk) {
      return new View(risk.level(), risk.reason(), risk.anomalies(), risk.assessedAt().toString());
    }
  }

  private Answer risk(Routes.Call call) {
    return keys.find(call.parameter())
        .map(key -> Answer.ok(View.of(keys.risk(key.id()))))
        .orElse(Answer.problem(404, "no such key"));
  }
}
