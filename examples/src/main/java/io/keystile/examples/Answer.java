package io.keystile.examples;

import com.fasterxml.jackson.databind.util.RawValue;
import io.keystile.http.HttpDenial;
import java.util.List;
import java.util.Map;

/** What a route answers: a status, a body to be written as JSON, and all headers. */
record Answer(int status, Object body, List<Map.Entry<String, String>> headers) {

  Answer(int status, Object body) {
    this(
        status,
        body,
        List.of(
            Map.entry("Content-Type", "application/" + (status < 400 ? "json" : "problem+json")),
            Map.entry("Cache-Control", "no-store")));
  }

  static Answer ok(Object body) {
    return new Answer(200, body);
  }

  /** Problem details, in the form of those that Keystile itself answers. */
  static Answer problem(int status, String detail) {
    return new Answer(status, Map.of("type", "about:blank", "status", status, "detail", detail));
  }

  static Answer of(HttpDenial denial) {
    return new Answer(denial.status(), new RawValue(denial.body()), denial.headers());
  }
}
