package io.keystile.architecture;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** The sizes of source files, read as the compiler reads them. */
final class Sources {
  /** A text that runs over lines, a text, a character, a comment: whichever comes first. */
  private static final Pattern TEXT_OR_COMMENT =
      Pattern.compile(
          "(?<text>\"\"\"(?s:\\\\.|(?!\"\"\").)*+\"\"\"|\"(?:\\\\.|[^\"\\\\])*+\"|'(?:\\\\.|[^'\\\\])++')"
              + "|//[^\n]*+|/\\*(?s:.*?)\\*/");

  /** A file by its simple name. */
  record Source(String name, String text) {}

  private Sources() {}

  static List<Source> below(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      List<Source> sources = new ArrayList<>();
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).sorted().toList()) {
        sources.add(new Source(file.getFileName().toString(), Files.readString(file)));
      }
      return sources;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Lines that hold more than blanks once comments are gone. */
  static int linesOfCode(Source source) {
    String code =
        TEXT_OR_COMMENT
            .matcher(source.text())
            .replaceAll(
                found -> found.group(1) == null ? "" : found.group(1).replaceAll("[^\n]", "x"));
    return (int) code.lines().filter(line -> !line.isBlank()).count();
  }

  /** The public top-level types of each package. */
  static Map<String, List<String>> publicTypes(List<Source> sources) {
    Map<String, List<String>> types = new TreeMap<>();
    for (CompilationUnitTree unit : parse(sources)) {
      for (Tree tree : unit.getTypeDecls()) {
        if (tree instanceof ClassTree type
            && type.getModifiers().getFlags().contains(Modifier.PUBLIC)) {
          types
              .computeIfAbsent(unit.getPackageName().toString(), name -> new ArrayList<>())
              .add(type.getSimpleName().toString());
        }
      }
    }
    return types;
  }

  /**
   * Methods and constructors above a number of parameters, except the canonical ones of records.
   */
  static List<String> methodsAbove(int parameters, List<Source> sources) {
    List<String> found = new ArrayList<>();
    TreeScanner<Void, ClassTree> scanner =
        new TreeScanner<>() {
          @Override
          public Void visitClass(ClassTree type, ClassTree outer) {
            return super.visitClass(type, type);
          }

          @Override
          public Void visitMethod(MethodTree method, ClassTree type) {
            int count = method.getParameters().size();
            if (count > parameters && !isCanonical(method, type)) {
              found.add(type.getSimpleName() + "." + method.getName() + " has " + count);
            }
            return super.visitMethod(method, type);
          }
        };
    parse(sources).forEach(unit -> scanner.scan(unit, null));
    return found;
  }

  private static boolean isCanonical(MethodTree method, ClassTree type) {
    long components =
        type.getMembers().stream()
            .filter(member -> member instanceof VariableTree)
            .map(member -> ((VariableTree) member).getModifiers().getFlags())
            .filter(flags -> !flags.contains(Modifier.STATIC))
            .count();
    return type.getKind() == Tree.Kind.RECORD
        && method.getName().contentEquals("<init>")
        && method.getParameters().size() == components;
  }

  private static Iterable<? extends CompilationUnitTree> parse(List<Source> sources) {
    List<JavaFileObject> files = new ArrayList<>();
    for (Source source : sources) {
      files.add(
          new SimpleJavaFileObject(
              URI.create("string:///" + source.name()), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
              return source.text();
            }
          });
    }
    JavacTask task =
        (JavacTask)
            ToolProvider.getSystemJavaCompiler()
                .getTask(null, null, null, List.of("-proc:none"), null, files);
    try {
      return task.parse();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
