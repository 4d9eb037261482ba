package io.keystile.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.keystile.ApiKeysBuilder;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the documents say is what the build compiles and tests. */
class DocumentedCodeTest {
  private static final Path ROOT = Path.of("..");
  private static final List<String> DOCUMENTS =
      List.of(
          "README.md",
          "docs/guide.md",
          "docs/rotation.md",
          "docs/limits.md",
          "docs/observability.md",
          "docs/usage.md",
          "docs/risk.md",
          "docs/holding-a-key.md",
          "docs/threat-model.md");
  private static final Pattern JAVA = Pattern.compile("(?ms)^```java\\n(.*?)^```$");
  private static final Pattern TEST =
      Pattern.compile("`([A-Z][A-Za-z0-9]*(?:Test|Contract|Rules))`");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)(?:#[^)]*)?\\)");

  @Test
  void java_in_the_documents_is_in_sources_that_are_compiled() throws IOException {
    String sources = sources("src");
    int blocks = 0;
    for (String document : DOCUMENTS) {
      for (String block : blocks(read(document))) {
        assertThat(sources.contains(unindented(block))).as(document + ":\n" + block).isTrue();
        blocks++;
      }
    }
    System.out.println(blocks + " blocks of Java in the documents");
    assertThat(blocks).isGreaterThan(20);
  }

  @Test
  void a_block_that_differs_in_a_letter_is_caught() throws IOException {
    String block = unindented(blocks(read("README.md")).get(0));

    assertThat(sources("src").contains(block)).isTrue();
    assertThat(sources("src").contains(block.replace("revealToken", "reveal"))).isFalse();
  }

  @Test
  void every_option_is_in_the_readme_and_no_other() throws IOException {
    String section = section(read("README.md"), "## Configuration");
    Set<String> documented =
        Pattern.compile("(?m)^\\| `([A-Za-z]+)[(`]")
            .matcher(section)
            .results()
            .map(option -> option.group(1))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> options =
        Arrays.stream(ApiKeysBuilder.class.getDeclaredMethods())
            .filter(method -> Modifier.isPublic(method.getModifiers()))
            .map(Method::getName)
            .filter(name -> !name.equals("build"))
            .collect(Collectors.toCollection(TreeSet::new));

    assertThat(documented).isEqualTo(options);
  }

  @Test
  void tests_that_are_named_exist() throws IOException {
    Set<String> files;
    try (Stream<Path> paths = Files.walk(ROOT)) {
      files =
          paths
              .map(path -> String.valueOf(path.getFileName()))
              .filter(name -> name.endsWith(".java"))
              .collect(Collectors.toSet());
    }
    Set<String> named = new TreeSet<>();
    for (String document : DOCUMENTS) {
      Matcher test = TEST.matcher(read(document));
      test.results().map(found -> found.group(1)).forEach(named::add);
    }

    System.out.println(named.size() + " tests are named in the documents");
    assertThat(named).hasSizeGreaterThan(20).allMatch(test -> files.contains(test + ".java"));
  }

  @Test
  void files_that_are_linked_exist() throws IOException {
    int links = 0;
    for (String document : DOCUMENTS) {
      Path folder = ROOT.resolve(document).resolveSibling("");
      for (MatchResult link : LINK.matcher(read(document)).results().toList()) {
        assertThat(folder.resolve(link.group(1))).exists();
        links++;
      }
    }
    System.out.println(links + " links to files");
    assertThat(links).isGreaterThan(10);
  }

  @Test
  void the_version_in_the_readme_is_that_of_the_build() throws IOException {
    Matcher version =
        Pattern.compile("<artifactId>keystile-parent</artifactId>\\s*<version>([^<]+)</version>")
            .matcher(read("pom.xml"));
    assertThat(version.find()).isTrue();

    assertThat(read("README.md")).contains("<version>" + version.group(1) + "</version>");
  }

  private static String section(String document, String heading) {
    int start = document.indexOf(heading + "\n");
    int end = document.indexOf("\n## ", start);
    return document.substring(start, end < 0 ? document.length() : end);
  }

  private static List<String> blocks(String document) {
    return JAVA.matcher(document).results().map(block -> block.group(1)).toList();
  }

  /** All sources below a folder, as far left as the documents show them. */
  private static String sources(String folder) throws IOException {
    StringBuilder text = new StringBuilder();
    try (Stream<Path> paths = Files.walk(Path.of(folder))) {
      for (Path path : paths.filter(path -> path.toString().endsWith(".java")).toList()) {
        text.append(unindented(Files.readString(path)));
      }
    }
    return text.toString();
  }

  /** Indentation depends on where a block stands; all else must be the same. */
  private static String unindented(String code) {
    return code.lines().map(String::strip).collect(Collectors.joining("\n", "", "\n"));
  }

  private static String read(String file) throws IOException {
    return Files.readString(ROOT.resolve(file));
  }
}
