package io.keystile.examples.portal;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Markup that is safe to send. The one place where text is escaped: pages are written as templates,
 * and whatever fills a {@code {}} of a template is escaped unless it is markup itself. A template
 * with a {@code {}} where escaping would not help (in a tag, a script, an address that could run
 * one) is refused, whatever fills it.
 *
 * @param markup what the template engine made; nothing else in this package calls the constructor
 */
record Html(String markup) {
  static final Html NONE = new Html("");

  private static final Set<String> ADDRESSES = Set.of("href", "src", "action", "formaction");
  private static final List<String> NEVER = List.of("<script", "<style", "<!--", "javascript:");

  /**
   * Fills a template.
   *
   * @param template a constant, or constants put together; attribute values in double quotes
   * @param values one for each {@code {}}; markup only outside of tags
   * @throws IllegalArgumentException if a value would stand where it cannot be made safe
   */
  static Html of(String template, Object... values) {
    return new Html(new Filling(template, values).filled());
  }

  static Html join(List<Html> parts) {
    return new Html(parts.stream().map(Html::markup).collect(Collectors.joining()));
  }

  /** Safe as text, and as the value of an attribute in quotes of either kind. */
  static String escape(String text) {
    StringBuilder escaped = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '"' -> escaped.append("&quot;");
        case '\'' -> escaped.append("&#39;");
        case '\0' -> escaped.append('\uFFFD');
        default -> escaped.append(c);
      }
    }
    return escaped.toString();
  }

  /** One walk through a template, which knows where it is. */
  private static final class Filling {
    private final String template;
    private final Object[] values;
    private final StringBuilder out = new StringBuilder();
    private int used;
    private boolean inTag;
    private String attribute = ""; // whose value this is, or "" outside of quotes
    private int valueStart;

    Filling(String template, Object[] values) {
      this.template = template;
      this.values = values;
      String lower = template.toLowerCase(Locale.ROOT);
      require(NEVER.stream().noneMatch(lower::contains), "script, style and comments");
    }

    String filled() {
      for (int i = 0; i < template.length(); i++) {
        if (template.startsWith("{}", i)) {
          require(used < values.length, "too few values");
          fill(values[used++]);
          i++;
        } else {
          literal(template.charAt(i));
        }
      }
      require(used == values.length, "too many values");
      require(!inTag, "a tag is left open");
      return out.toString();
    }

    private void literal(char c) {
      if (c == '"' && inTag) {
        if (attribute.isEmpty()) {
          attribute = attributeName();
          valueStart = out.length() + 1;
        } else {
          requireOwnAddress();
          attribute = "";
        }
      } else if (attribute.isEmpty()) {
        require(!(inTag && c == '\''), "attribute values are in double quotes");
        inTag = c == '<' || (inTag && c != '>');
      }
      out.append(c);
    }

    private String attributeName() {
      int end = out.length() - 1;
      require(end > 0 && out.charAt(end) == '=', "a quote without an attribute");
      int start = Math.max(out.lastIndexOf(" "), out.lastIndexOf("\n")) + 1;
      return out.substring(start, end).toLowerCase(Locale.ROOT);
    }

    /** An address may be no other than a path here: neither another site nor a script. */
    private void requireOwnAddress() {
      String value = out.substring(valueStart);
      require(
          !ADDRESSES.contains(attribute) || (value.startsWith("/") && !value.startsWith("//")),
          "addresses are paths of this site");
    }

    private void fill(Object value) {
      boolean isMarkup = value instanceof Html;
      if (inTag) {
        require(!attribute.isEmpty() && !isMarkup, "a value in a tag, but not in quotes");
        require(!attribute.startsWith("on") && !attribute.equals("style"), "a value in a program");
      }
      out.append(isMarkup ? ((Html) value).markup() : escape(value.toString()));
    }

    private void require(boolean holds, String what) {
      if (!holds) {
        throw new IllegalArgumentException("template: " + what + ": " + template);
      }
    }
  }
}
