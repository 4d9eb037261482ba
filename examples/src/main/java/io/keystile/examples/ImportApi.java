package io.keystile.examples;

import io.keystile.Access;
import io.keystile.ApiKeys;
import io.keystile.KeyImport;
import io.keystile.KeySpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Where keys that were issued elsewhere are taken over, by the SHA-256 of their tokens. */
final class ImportApi {
  private static final Access ADMIN = Access.requiring(AdminApi.SCOPE);

  private final ApiKeys keys;

  ImportApi(ApiKeys keys) {
    this.keys = keys;
  }

  Routes routes(ApiKeyGuard guard) {
    return new Routes(guard).on("POST", "/imports", ADMIN, this::take);
  }

  private record Row(
      @Nullable String sha256,
      @Nullable String owner,
      @Nullable String name,
      @Nullable List<String> scopes) {

    KeyImport toImport(String actor) {
      return KeyImport.ofSha256(
          sha256,
          KeySpec.forOwner(Objects.requireNonNullElse(owner, ""))
              .name(Objects.requireNonNullElse(name, ""))
              .scopes(AdminApi.texts(scopes))
              .by(actor));
    }
  }

  /**
   * Nothing is imported if a row makes no sense. A row whose digest is wrong does not stop the
   * others, and the answer says which it was.
   */
  private Answer take(Routes.Call call) throws IOException {
    List<KeyImport> imports = new ArrayList<>();
    for (Row row : Json.read(call.exchange(), Row[].class)) {
      if (row == null) {
        throw new IllegalArgumentException("a list must not hold null");
      }
      imports.add(row.toImport(call.key().id()));
    }
    return Answer.ok(keys.importKeys(imports.iterator(), progress -> {}));
  }
}
