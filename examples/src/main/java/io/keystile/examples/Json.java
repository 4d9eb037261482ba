package io.keystile.examples;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;

/** The bodies of requests and answers. */
final class Json {
  private static final int MAX_BYTES = 16 * 1024;

  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES);

  private Json() {}

  /**
   * Reads the body of a request.
   *
   * @throws IllegalArgumentException if it is too long or not such JSON; the message repeats
   *     nothing of it
   */
  static <T> T read(HttpExchange exchange, Class<T> type) throws IOException {
    byte[] body = exchange.getRequestBody().readNBytes(MAX_BYTES + 1);
    if (body.length > MAX_BYTES) {
      throw new IllegalArgumentException("the body is longer than " + MAX_BYTES + " bytes");
    }
    try {
      T value = MAPPER.readValue(body, type);
      if (value != null) {
        return value;
      }
    } catch (JsonProcessingException e) {
      // what it says is answered below, without what the client wrote
    }
    throw new IllegalArgumentException("the body is not the JSON that this needs");
  }

  static byte[] write(Object value) throws IOException {
    return MAPPER.writeValueAsBytes(value);
  }
}
