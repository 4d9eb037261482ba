package io.keystile.examples.portal;

import io.keystile.KeyDetails;
import io.keystile.OwnerKeys;
import io.keystile.usage.RequestRecord;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The last requests with a key, one by one, so that its owner can tell whether they are his. */
final class RequestsPanel implements KeyPanel {
  private static final int SHOWN = 10;

  @Override
  public Html of(OwnerKeys mine, KeyDetails key, Instant now) {
    List<RequestRecord> newest = new ArrayList<>(mine.recentRequests(key.id()));
    Collections.reverse(newest);
    return Html.of(
        "<section class=\"card\"><h2>Last requests</h2>{}</section>\n",
        newest.isEmpty()
            ? Html.of("<p class=\"lead\">No requests since the service was started.</p>")
            : table(newest.subList(0, Math.min(SHOWN, newest.size())), now));
  }

  private static Html table(List<RequestRecord> requests, Instant now) {
    return Html.of(
        """
        <div class="scroll" role="region" aria-label="Last requests" tabindex="0"><table>
        <thead><tr><th scope="col">When</th><th scope="col">Request</th><th scope="col">Answer</th>
        <th scope="col">Took</th><th scope="col">From</th></tr></thead>
        <tbody>{}</tbody></table></div>
        """,
        Html.join(requests.stream().map(request -> row(request, now)).toList()));
  }

  private static Html row(RequestRecord request, Instant now) {
    return Html.of(
        "<tr><td>{}</td><td class=\"text\"><code>{} {}</code></td><td>{}</td><td>{}</td><td class=\"text\">{}{}</td></tr>\n",
        Times.near(request.time(), now, ""),
        text(request.method()),
        text(request.endpoint()),
        text(request.status()),
        request.duration() == null ? "–" : UsagePanel.length(request.duration()),
        text(request.client()),
        request.caller() == null ? "" : ", " + request.caller());
  }

  private static String text(@Nullable Object value) {
    return value == null ? "–" : value.toString();
  }
}
