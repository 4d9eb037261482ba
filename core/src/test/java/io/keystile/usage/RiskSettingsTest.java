package io.keystile.usage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keystile.usage.RiskSettings.Option;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class RiskSettingsTest {
  @Test
  void a_setter_returns_a_changed_copy() {
    RiskSettings changed = RiskSettings.usual().rateFactor(5).aloneFor(Duration.ofDays(2));

    assertThat(changed.get(Option.RATE_FACTOR)).isEqualTo(5);
    assertThat(changed.length(Option.ALONE_FOR)).isEqualTo(Duration.ofDays(2));
    assertThat(changed.get(Option.DEVIATION)).isEqualTo(3.5);
    assertThat(RiskSettings.usual().get(Option.RATE_FACTOR)).isEqualTo(3);
    assertThat(changed.toString()).contains("rateFactor=5.0");
  }

  @Test
  void each_option_has_a_setter_that_names_it_when_it_refuses() throws Exception {
    int tried = 0;
    for (Method setter : RiskSettings.class.getDeclaredMethods()) {
      if (setter.getReturnType() == RiskSettings.class && setter.getParameterCount() == 1) {
        assertThatThrownBy(() -> call(setter))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageMatching(setter.getName() + ": must be .+ to .+");
        tried++;
      }
    }
    assertThat(tried).isEqualTo(Option.values().length);
    assertThat(Arrays.stream(Option.values()).map(Object::toString)).doesNotHaveDuplicates();
    assertThatThrownBy(() -> RiskSettings.usual().deviation(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static void call(Method setter) throws Throwable {
    Class<?> type = setter.getParameterTypes()[0];
    Object tooSmall = Duration.ZERO;
    if (type == int.class) {
      tooSmall = 0;
    } else if (type == long.class) {
      tooSmall = 0L;
    } else if (type == double.class) {
      tooSmall = 0.0;
    }
    try {
      setter.invoke(RiskSettings.usual(), tooSmall);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
