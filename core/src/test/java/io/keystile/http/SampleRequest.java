package io.keystile.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A request as plain values; the methods that look like setters return a changed copy. */
record SampleRequest(
    List<Map.Entry<String, String>> lines,
    @Nullable String query,
    boolean secure,
    @Nullable String peer) {

  static final SampleRequest EMPTY = new SampleRequest(List.of(), null, true, "192.0.2.1");

  /** Finds names in any case, and says null where there is none, as frameworks do. */
  static final HeaderGetter<SampleRequest> GETTER =
      new HeaderGetter<>() {
        @Override
        public @Nullable List<String> headers(SampleRequest request, String name) {
          List<String> values =
              request.lines.stream()
                  .filter(line -> line.getKey().equalsIgnoreCase(name))
                  .map(Map.Entry::getValue)
                  .toList();
          return values.isEmpty() ? null : values;
        }

        @Override
        public @Nullable String rawQuery(SampleRequest request) {
          return request.query;
        }

        @Override
        public boolean isSecure(SampleRequest request) {
          return request.secure;
        }

        @Override
        public @Nullable String peerAddress(SampleRequest request) {
          return request.peer;
        }
      };

  /** As the other, but with a null before and behind the values of each header. */
  static HeaderGetter<SampleRequest> withNullsAround() {
    return new HeaderGetter<>() {
      @Override
      public List<String> headers(SampleRequest request, String name) {
        List<String> values = new ArrayList<>();
        values.add(null);
        values.addAll(Objects.requireNonNullElse(GETTER.headers(request, name), List.of()));
        values.add(null);
        return values;
      }

      @Override
      public @Nullable String rawQuery(SampleRequest request) {
        return request.query;
      }

      @Override
      public boolean isSecure(SampleRequest request) {
        return request.secure;
      }

      @Override
      public @Nullable String peerAddress(SampleRequest request) {
        return request.peer;
      }
    };
  }

  SampleRequest header(String name, String value) {
    List<Map.Entry<String, String>> more = new ArrayList<>(lines);
    more.add(Map.entry(name, value));
    return new SampleRequest(List.copyOf(more), query, secure, peer);
  }

  SampleRequest query(@Nullable String query) {
    return new SampleRequest(lines, query, secure, peer);
  }

  SampleRequest secure(boolean secure) {
    return new SampleRequest(lines, query, secure, peer);
  }

  SampleRequest peer(@Nullable String peer) {
    return new SampleRequest(lines, query, secure, peer);
  }
}
