package io.keystile.examples.portal;

import io.keystile.KeyDetails;
import io.keystile.OwnerKeys;
import io.keystile.store.KeyRecord.Adapted;
import io.keystile.usage.Risk;
import io.keystile.usage.Risk.Anomaly;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Whether a key is used as usual, with all that speaks against it. */
final class RiskPanel implements KeyPanel {

  @Override
  public Html of(OwnerKeys mine, KeyDetails key, Instant now) {
    Risk risk = mine.risk(key.id());
    return Html.of(
        """
        <section class="card risk"><div class="heading"><h2>Risk</h2>{}</div>
        <p>{}</p>
        {}{}
        <p class="lead">Judged by the last 24 hours: {}.</p></section>
        """,
        badge(risk.level()),
        meaning(risk.level()),
        anomalies(risk.anomalies()),
        adapted(key.adapted()),
        risk.reason());
  }

  private static Html badge(Risk.Level level) {
    return switch (level) {
      case UNKNOWN -> KeyStatus.badge("gone", "○", "Not known");
      case LOW -> KeyStatus.badge("good", "✓", "Low");
      case MEDIUM -> KeyStatus.badge("warn", "!", "Medium");
      case HIGH -> KeyStatus.badge("bad", "‼", "High");
    };
  }

  private static String meaning(Risk.Level level) {
    return switch (level) {
      case UNKNOWN -> "There is too little use yet to say what is usual for this key.";
      case LOW -> "The key is used as usual.";
      case MEDIUM -> "Something is not as usual. It may well be a change of yours: have a look.";
      case HIGH ->
          "Somebody else may be using this key. If none of this is yours, rotate it with no grace"
              + " for the old secrets.";
    };
  }

  private static Html anomalies(List<Anomaly> anomalies) {
    return anomalies.isEmpty()
        ? Html.NONE
        : Html.of(
            "<ul class=\"history\">{}</ul>\n",
            Html.join(anomalies.stream().map(RiskPanel::anomaly).toList()));
  }

  private static Html anomaly(Anomaly anomaly) {
    return Html.of(
        "<li><b>{}</b>{}<span class=\"note\">{}</span></li>\n",
        title(anomaly.kind()),
        anomaly.grave() ? ", grave by itself" : "",
        anomaly.evidence());
  }

  private static String title(Risk.Kind kind) {
    return switch (kind) {
      case RATE -> "More requests than usual";
      case BYTES -> "More bytes than usual";
      case ODD_HOURS -> "Used at unusual hours";
      case ERRORS -> "More errors than usual";
      case REFUSALS -> "More refusals than usual";
      case PROBING -> "Many endpoints that are new for this key";
      case DORMANT_AWAKE -> "Used again after a long time";
      case NEW_NETWORK -> "Used from new networks";
      case NETWORKS_AT_ONCE -> "Used from many networks at once";
      case OLD_SECRET -> "An old secret is used again";
      case RETIRED_SECRET -> "A secret that has ended is used";
      default -> kind.name().toLowerCase(Locale.ROOT).replace('_', ' '); // of a later version
    };
  }

  private static Html adapted(@Nullable Adapted adapted) {
    return adapted == null
        ? Html.NONE
        : Html.of(
            """
            <p class="warning"><b>Its limit is {} in place of what its plan says of a minute,</b>
            since {}: {}.</p>
            """,
            Times.counted(adapted.perMinute(), "request") + " a minute",
            Times.exact(adapted.at()),
            adapted.why());
  }
}
