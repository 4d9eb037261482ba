package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HtmlTest {

  @Test
  void text_is_escaped_where_text_stands_and_in_attributes() {
    String text = "<b onclick='x'>\"&amp;\0";

    assertThat(Html.of("<p title=\"{}\">{}</p>", text, text).markup())
        .isEqualTo(
            "<p title=\"&lt;b onclick=&#39;x&#39;&gt;&quot;&amp;amp;�\">"
                + "&lt;b onclick=&#39;x&#39;&gt;&quot;&amp;amp;�</p>");
  }

  @Test
  void all_but_five_characters_and_zero_stay_as_they_are() {
    StringBuilder changed = new StringBuilder();
    int characters = 0;
    for (char c = 0; c < Character.MAX_VALUE; c++) {
      characters++;
      if (!Html.escape(String.valueOf(c)).equals(String.valueOf(c))) {
        changed.append(c);
      }
    }
    System.out.println(characters + " characters were escaped");
    assertThat(changed).hasToString("\0\"&'<>");
  }

  @Test
  void markup_is_not_escaped_again() {
    Html bold = Html.of("<b>{}</b>", "1 < 2");

    assertThat(Html.of("<p>{}</p>", bold).markup()).isEqualTo("<p><b>1 &lt; 2</b></p>");
  }

  @Test
  void a_value_with_braces_is_no_template() {
    assertThat(Html.of("<p>{}{}</p>", "{}", "a").markup()).isEqualTo("<p>{}a</p>");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "<p {}>",
        "<p title={}>",
        "<p title='{}'>",
        "<{}>",
        "<p title=\"a\"{}>",
        "<p onclick=\"{}\">",
        "<p style=\"{}\">",
        "<p \"{}\">",
        "<script>{}</script>",
        "<SCRIPT>{}</SCRIPT>",
        "<style>{}</style>",
        "<!-- {} -->",
        "<a href=\"{}\">",
        "<a href=\"javascript:{}\">",
        "<a href=\"//{}\">",
        "<form action=\"x{}\">",
        "<p>",
        "<p>{}{}",
        "<p title=\"{}\""
      })
  void a_template_that_escaping_does_not_make_safe_is_refused(String template) {
    assertThatThrownBy(() -> Html.of(template, "https://example.com"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void an_address_is_a_path_of_this_site() {
    assertThat(Html.of("<a href=\"{}\">", "/portal").markup()).isEqualTo("<a href=\"/portal\">");
    for (String other : new String[] {"javascript:alert(1)", "//example.com", "https://a", ""}) {
      assertThatThrownBy(() -> Html.of("<a href=\"{}\">", other))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void markup_is_no_attribute() {
    assertThatThrownBy(() -> Html.of("<p title=\"{}\">", Html.of("a \" onclick=")))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
