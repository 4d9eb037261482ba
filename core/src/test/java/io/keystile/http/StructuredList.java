package io.keystile.http;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a list of strings with parameters as RFC 9651 has it, and refuses all else: what a client
 * does with the fields of the rate limit draft. Parameters are integers or strings.
 */
final class StructuredList {

  /** A member: its string, and its parameters in order. */
  record Item(String name, Map<String, Object> parameters) {
    long integer(String key) {
      return (Long) parameters.get(key);
    }
  }

  private final String text;
  private int at;

  private StructuredList(String text) {
    this.text = text;
  }

  /**
   * Reads the value of a field.
   *
   * @throws IllegalArgumentException if it is no such list
   */
  static List<Item> parse(String field) {
    StructuredList reader = new StructuredList(field);
    List<Item> items = new ArrayList<>();
    do {
      reader.blanks();
      items.add(reader.item());
      reader.blanks();
    } while (reader.take(','));
    if (reader.at < field.length()) {
      throw reader.wrong();
    }
    return items;
  }

  private Item item() {
    String name = string();
    Map<String, Object> parameters = new LinkedHashMap<>();
    while (take(';')) {
      blanks();
      String key = key();
      if (!take('=') || parameters.put(key, peek() == '"' ? string() : integer()) != null) {
        throw wrong();
      }
    }
    return new Item(name, parameters);
  }

  private String string() {
    StringBuilder string = new StringBuilder();
    if (!take('"')) {
      throw wrong();
    }
    while (!take('"')) {
      char c = next();
      if (c == '\\') {
        c = next();
        if (c != '"' && c != '\\') {
          throw wrong();
        }
      } else if (c < ' ' || c > '~') {
        throw wrong();
      }
      string.append(c);
    }
    return string.toString();
  }

  private String key() {
    int start = at;
    while (peek() >= 'a' && peek() <= 'z') {
      at++;
    }
    if (at == start) {
      throw wrong();
    }
    return text.substring(start, at);
  }

  private long integer() {
    int start = at;
    take('-');
    while (peek() >= '0' && peek() <= '9') {
      at++;
    }
    String digits = text.substring(start, at).replace("-", "");
    if (digits.isEmpty() || digits.length() > 15) {
      throw wrong();
    }
    return Long.parseLong(text.substring(start, at));
  }

  private void blanks() {
    while (peek() == ' ') {
      at++;
    }
  }

  private char peek() {
    return at < text.length() ? text.charAt(at) : '\0';
  }

  private char next() {
    if (at == text.length()) {
      throw wrong();
    }
    return text.charAt(at++);
  }

  private boolean take(char wanted) {
    boolean isThere = at < text.length() && text.charAt(at) == wanted;
    at += isThere ? 1 : 0;
    return isThere;
  }

  private IllegalArgumentException wrong() {
    return new IllegalArgumentException("at " + at + " of " + text);
  }
}
