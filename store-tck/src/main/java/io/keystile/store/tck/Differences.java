package io.keystile.store.tck;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Compares values and names the components that differ, in text that shows every character: two
 * long records side by side say little, and blanks and hashes are not seen in them at all.
 */
final class Differences {
  private static final int SHOWN = 80;

  private final List<String> found = new ArrayList<>();

  private Differences() {}

  /** Asserts that what was read is what was written. */
  static void assertNone(String rule, @Nullable Object read, Object written) {
    Differences differences = new Differences();
    differences.compare("", read, written);
    assertThat(differences.found).as(rule).isEmpty();
  }

  private void compare(String path, @Nullable Object read, @Nullable Object written) {
    if (written == null ? read == null : written.equals(read)) {
      return;
    }
    if (written instanceof Record && read instanceof Record) {
      for (RecordComponent component : written.getClass().getRecordComponents()) {
        String name = path.isEmpty() ? component.getName() : path + "." + component.getName();
        compare(name, value(component, read), value(component, written));
      }
    } else if (written instanceof List<?> all
        && read instanceof List<?> some
        && all.size() == some.size()) {
      for (int i = 0; i < all.size(); i++) {
        compare(path + "[" + i + "]", some.get(i), all.get(i));
      }
    } else {
      found.add(path + ": written " + shown(written) + ", read " + shown(read));
    }
  }

  private static @Nullable Object value(RecordComponent component, Object owner) {
    try {
      return component.getAccessor().invoke(owner);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("cannot read " + component.getName(), e);
    }
  }

  private static String shown(@Nullable Object value) {
    if (value == null) {
      return "null";
    }
    StringBuilder shown = new StringBuilder("\"");
    String text = value.toString();
    for (int i = 0; i < text.length() && shown.length() < SHOWN; i++) {
      char character = text.charAt(i);
      if (character >= ' ' && character < 0x7f) {
        shown.append(character);
      } else {
        shown.append(String.format("\\u%04x", (int) character));
      }
    }
    return shown.append("\" of ").append(text.length()).append(" characters").toString();
  }
}
