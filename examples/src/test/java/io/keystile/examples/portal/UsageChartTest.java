package io.keystile.examples.portal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keystile.examples.portal.UsageChart.Bar;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class UsageChartTest {
  static final List<Bar> DAY =
      IntStream.range(0, 24)
          .mapToObj(
              hour -> new Bar("%02d:00".formatted(hour), hour < 6 ? 0 : hour * (24 - hour) * 7))
          .toList();
  static final List<Bar> MONTH =
      IntStream.rangeClosed(1, 30)
          .mapToObj(day -> new Bar(day + " Nov", day % 7 == 0 ? 3 : day * 41_000L))
          .toList();

  @Test
  void draws_a_bar_for_each_hour_and_each_day() throws Exception {
    for (List<Bar> bars : List.of(DAY, MONTH)) {
      Element svg = parsed(UsageChart.of("usage", "Requests", bars));

      NodeList drawn = svg.getElementsByTagName("rect");
      assertThat(drawn.getLength()).isEqualTo(bars.size());
      for (int i = 0; i < bars.size(); i++) {
        Element bar = (Element) drawn.item(i);
        double x = number(bar, "x");
        assertThat(x).isBetween(64.0, 640.0);
        assertThat(x + number(bar, "width")).isLessThanOrEqualTo(640.0);
        assertThat(number(bar, "y") + number(bar, "height")).isBetween(161.8, 162.2);
        assertThat(number(bar, "height") > 0).isEqualTo(bars.get(i).value() > 0);
        if (i > 0) {
          Element before = (Element) drawn.item(i - 1);
          assertThat(x).isGreaterThan(number(before, "x") + number(before, "width"));
        }
      }
    }
  }

  @Test
  void heights_are_in_proportion_and_the_smallest_can_be_seen() throws Exception {
    Element svg =
        parsed(
            UsageChart.of("c", "t", List.of(new Bar("a", 0), new Bar("b", 1), new Bar("c", 1000))));
    NodeList bars = svg.getElementsByTagName("rect");

    assertThat(number((Element) bars.item(0), "height")).isZero();
    assertThat(number((Element) bars.item(1), "height")).isEqualTo(2);
    assertThat(number((Element) bars.item(2), "height")).isEqualTo(150);
  }

  @Test
  void says_in_words_what_it_shows() throws Exception {
    Element svg = parsed(UsageChart.of("usage", "Requests in the last 24 hours", DAY));

    assertThat(svg.getAttribute("role")).isEqualTo("img");
    assertThat(svg.getAttribute("aria-labelledby")).isEqualTo("usage-title usage-text");
    assertThat(svg.getElementsByTagName("title").item(0).getTextContent())
        .isEqualTo("Requests in the last 24 hours");
    assertThat(svg.getElementsByTagName("desc").item(0).getTextContent())
        .isEqualTo("24 bars, from 00:00 to 23:00. In all 14k; the highest is 1008, at 12:00.");
    assertThat(UsageChart.inWords(List.of(new Bar("a", 0), new Bar("b", 0))))
        .isEqualTo("2 bars, from a to b. All are zero.");
  }

  @Test
  void has_as_many_labels_as_can_be_read() throws Exception {
    for (List<Bar> bars : List.of(DAY, MONTH)) {
      NodeList texts = parsed(UsageChart.of("c", "t", bars)).getElementsByTagName("text");
      int labels = 0;
      for (int i = 0; i < texts.getLength(); i++) {
        labels += ((Element) texts.item(i)).getAttribute("text-anchor").equals("middle") ? 1 : 0;
      }
      assertThat(labels).isBetween(6, 8);
    }
  }

  @Test
  void the_scale_ends_in_a_round_number_that_no_bar_passes() {
    long checked = 0;
    for (long highest = 0; highest <= 100_000; highest++) {
      long top = UsageChart.roundTop(highest);
      assertThat(top).isGreaterThanOrEqualTo(highest).isEven();
      assertThat(top).isLessThanOrEqualTo(Math.max(4, highest * 3 / 2));
      checked++;
    }
    System.out.println(checked + " scales");
    assertThat(UsageChart.roundTop(0)).isEqualTo(4);
    assertThat(UsageChart.roundTop(1008)).isEqualTo(1200);
    assertThat(UsageChart.roundTop(Long.MAX_VALUE)).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void numbers_are_short() {
    assertThat(
            List.of(0L, 9_999L, 10_000L, 12_345L, 999_949L, 999_950L, 3_000_000L, Long.MAX_VALUE))
        .extracting(UsageChart::number)
        .containsExactly("0", "9999", "10k", "12.3k", "999.9k", "1M", "3M", "9.2E");
  }

  @Test
  void draws_the_largest_numbers() throws Exception {
    List<Bar> bars = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      bars.add(new Bar("day", Long.MAX_VALUE));
    }
    Element svg = parsed(UsageChart.of("c", "t", bars));

    assertThat(number((Element) svg.getElementsByTagName("rect").item(0), "height")).isEqualTo(150);
  }

  @Test
  void a_label_is_no_markup() throws Exception {
    String script = "<script>\"'&";

    Element svg = parsed(UsageChart.of("c", script, List.of(new Bar(script, 1))));

    assertThat(svg.getElementsByTagName("script").getLength()).isZero();
    assertThat(svg.getElementsByTagName("title").item(0).getTextContent()).isEqualTo(script);
  }

  @Test
  void refuses_what_cannot_be_drawn() {
    assertThatThrownBy(() -> UsageChart.of("c", "t", List.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Bar("a", -1)).isInstanceOf(IllegalArgumentException.class);
  }

  /** What is not well-formed is not parsed. */
  private static Element parsed(Html chart) throws Exception {
    Document document =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(chart.markup().getBytes(StandardCharsets.UTF_8)));
    return document.getDocumentElement();
  }

  private static double number(Element element, String attribute) {
    return Double.parseDouble(element.getAttribute(attribute));
  }
}
