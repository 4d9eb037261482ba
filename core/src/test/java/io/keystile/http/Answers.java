package io.keystile.http;

import java.util.List;
import java.util.Map;

/** What tests look at in an answer. */
final class Answers {

  private Answers() {}

  /** All that goes over the wire, in one text. */
  static String text(HttpGate.Result result) {
    StringBuilder text = new StringBuilder();
    if (result instanceof HttpDenial denial) {
      text.append(denial.status()).append('|').append(denial.body()).append('|');
    }
    for (Map.Entry<String, String> header : result.headers()) {
      text.append(header.getKey()).append(": ").append(header.getValue()).append('|');
    }
    return text.toString();
  }

  static List<String> values(HttpGate.Result result, String name) {
    return result.headers().stream()
        .filter(header -> header.getKey().equals(name))
        .map(Map.Entry::getValue)
        .toList();
  }

  /** Characters that have no business in a header, in a body of ours or in a line of a log. */
  static long controlCharacters(String text) {
    return text.chars().filter(c -> c < ' ' || c > '~').count();
  }
}
