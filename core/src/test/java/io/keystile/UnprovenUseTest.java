package io.keystile;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.usage.Usage;
import io.keystile.usage.UsageQuery;
import io.keystile.usage.UsageRecorder;
import io.keystile.usage.UsageReports;
import java.time.Duration;
import java.time.Instant;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Ids are public: whoever knows one and no secret uses up nothing of the key's, and raises none.
 */
class UnprovenUseTest {
  private static final int REQUESTS = 100_000;

  private final InMemoryKeyStore store = new InMemoryKeyStore();
  private final Nodes nodes = new Nodes(store);
  private final ApiKeys node = nodes.node(builder -> builder.recordUsage().keepRequests(10));
  private final IssuedKey issued = node.issue(KeySpec.forOwner("owner"));

  @AfterEach
  void close() {
    nodes.close();
  }

  /** Sends wrong secrets of the key, tokens that nobody has, and texts that are none. */
  private void guess(Consumer<String> request) {
    SplittableRandom random = Seed.of("UnprovenUseTest");
    TokenGenerator generator = new TokenGenerator(nodes.time, Seed.secure(random.split()), null);
    String token = issued.revealToken();
    String start = token.substring(0, token.length() - 38);
    for (int i = 0; i < REQUESTS; i++) {
      String guess = Tokens.withChecksum(start + generator.newSecret());
      request.accept(i % 10 == 0 ? guess.substring(0, guess.length() - 1) + "?" : guess);
    }
  }

  private Usage used() {
    Instant now = nodes.time.instant();
    return UsageReports.on(store)
        .total(UsageQuery.perDay(now.minus(Duration.ofDays(2)), now.plus(Duration.ofDays(1))));
  }

  @Test
  void only_requests_that_prove_a_secret_count() {
    int[] accepted = {0};
    guess(token -> accepted[0] += "ACCEPTED".equals(Nodes.verdict(node, token)) ? 1 : 0);
    node.peek(issued.revealToken(), Nodes.ANY, Nodes.HERE);
    node.flush();

    UsageRecorder.Counts counts = node.status().usage();
    System.out.printf("%,d unproven requests: %s%n", REQUESTS, counts);
    assertThat(accepted[0]).isZero();
    assertThat(counts).isEqualTo(new UsageRecorder.Counts(0, 0, 0));
    assertThat(used()).isEqualTo(Usage.NONE);
    assertThat(node.recentRequests(issued.id())).isEmpty();
    assertThat(node.risk(issued.id()).anomalies()).isEmpty();

    assertThat(Nodes.verdict(node, issued.revealToken())).isEqualTo("ACCEPTED");
    Access lacking = Access.requiring("forecast:write");
    assertThat(Nodes.verdict(node.validate(issued.revealToken(), lacking, Nodes.HERE)))
        .isEqualTo("SCOPE_MISSING");
    node.flush();
    assertThat(used().requests()).isEqualTo(1);
    assertThat(used().refusals()).containsOnlyKeys("SCOPE_MISSING");
  }

  @Test
  void the_twin_that_counts_for_the_id_in_the_token_is_caught() {
    UsageRecorder twin = new UsageRecorder(store, nodes.time, 10);
    guess(
        token ->
            twin.of(Nodes.idOf(token), "owner", null).accepted(nodes.time.millis(), 1, 0, null));
    twin.flush();

    assertThat(used().requests()).isEqualTo(REQUESTS);
  }
}
