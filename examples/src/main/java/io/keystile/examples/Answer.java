package io.keystile.examples;

import java.util.Map;

/** What a route answers: a status, and a body to be written as JSON. */
record Answer(int status, Object body) {

  static Answer ok(Object body) {
    return new Answer(200, body);
  }

  /** Problem details, in the form of those that Keystile itself answers. */
  static Answer problem(int status, String detail) {
    return new Answer(status, Map.of("type", "about:blank", "status", status, "detail", detail));
  }
}
