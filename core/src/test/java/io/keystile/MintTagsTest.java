package io.keystile;

import static io.keystile.Tokens.LIVE;
import static io.keystile.Tokens.TEST;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.security.SecureRandom;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MintTagsTest {

  private final ServerSecret first = Tokens.secret("id-1", 40);
  private final ServerSecret second = Tokens.secret("id-2", 80);
  private final List<TokenPrefix> prefixes = List.of(LIVE, TEST);

  private final MintTags before = new MintTags(first, List.of(), prefixes);
  private final MintTags both = new MintTags(second, List.of(first), prefixes);
  private final MintTags after = new MintTags(second, List.of(), prefixes);

  private final SecureRandom random = Seed.secure(new SplittableRandom(1));

  @Test
  void what_was_minted_is_known_by_every_key_that_is_kept() {
    Scratch old = Tokens.parsed(mint(before, LIVE));
    Scratch recent = Tokens.parsed(mint(both, LIVE));

    assertThat(before.minted(old)).isTrue();
    assertThat(both.minted(old)).isTrue();
    assertThat(both.minted(recent)).isTrue();
    assertThat(after.minted(recent)).isTrue();
    assertThat(after.minted(old)).isFalse();
    assertThat(before.minted(recent)).isFalse();
  }

  @Test
  void a_tag_belongs_to_its_brand_and_environment() {
    String live = mint(both, LIVE);
    String rewritten = live.substring(0, live.length() - 6).replace("acme_live_", "acme_test_");

    assertThat(both.minted(Tokens.parsed(mint(both, TEST)))).isTrue();
    assertThat(both.minted(Tokens.parsed(Tokens.withChecksum(rewritten)))).isFalse();
  }

  @Test
  void an_environment_of_another_node_is_checked_too() {
    TokenPrefix stage = new TokenPrefix("acme", "stage");
    MintTags elsewhere = new MintTags(first, List.of(), List.of(stage));

    assertThat(both.minted(Tokens.parsed(mint(elsewhere, stage)))).isTrue();
    assertThat(after.minted(Tokens.parsed(mint(elsewhere, stage)))).isFalse();
  }

  @Test
  void a_node_mints_for_its_own_pairs_only() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> mint(both, new TokenPrefix("acme", "stage")));
  }

  @Test
  void checking_leaves_the_digest_of_the_secret_alone() {
    Scratch scratch = Tokens.parsed(mint(both, LIVE));
    byte[] digest = scratch.digestBlock().clone();

    both.minted(scratch);

    assertThat(scratch.digest).isEqualTo(digest);
    assertThat(scratch.digestBlock()).isEqualTo(digest);
  }

  private String mint(MintTags tags, TokenPrefix prefix) {
    TokenGenerator generator = new TokenGenerator(Tokens.CLOCK, random, tags);
    return TokenGenerator.token(
        prefix.brand(), prefix.environment(), generator.newId(prefix), generator.newSecret());
  }
}
