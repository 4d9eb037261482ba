package io.keystile;

import io.keystile.store.KeyStore;
import io.keystile.store.SharedLimits;
import io.keystile.store.UsageStore;
import io.keystile.store.tck.KeyStoreContract;
import io.keystile.store.tck.KeyStoreRaceContract;
import io.keystile.store.tck.SharedLimitsContract;
import io.keystile.store.tck.TransactionalKeyStoreContract;
import io.keystile.store.tck.UsageStoreContract;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** What came of running test classes of the contract kit. */
final class KitRun implements TestExecutionListener {
  /** For the test classes below, which the launcher makes. */
  private static Supplier<? extends PassThroughStore> underTest = PassThroughStore::new;

  private static Supplier<? extends PassThroughLimits> limitsUnderTest = PassThroughLimits::new;

  private static Supplier<? extends PassThroughUsage> usageUnderTest = PassThroughUsage::new;

  private final TreeMap<String, String> failures = new TreeMap<>();
  private final List<String> skipped = new ArrayList<>();
  private int passed;

  private KitRun() {}

  /** The kit as the author of a store runs it; surefire does not look into other classes. */
  static final class Contract extends KeyStoreContract {
    private final PassThroughStore store = underTest.get();

    @Override
    protected KeyStore store() {
      return store;
    }

    @Override
    protected OptionalLong statements() {
      return OptionalLong.of(store.statements.get());
    }

    @Override
    protected Optional<KeyStore> failingStore(int statements) {
      return Optional.of(store.failingAfter(statements));
    }
  }

  /** The races of the kit. */
  static final class Races extends KeyStoreRaceContract {
    private final PassThroughStore store = underTest.get();

    @Override
    protected KeyStore store() {
      return store;
    }
  }

  /** The part of the kit that is about transactions of the host. */
  static final class Transactions extends TransactionalKeyStoreContract {
    private final HostStore store = (HostStore) underTest.get();

    @Override
    protected KeyStore store() {
      return store;
    }

    @Override
    protected void inTransaction(Runnable work) {
      store.inTransaction(work);
    }
  }

  /** The part of the kit that is about what nodes share of limits. */
  static final class Limits extends SharedLimitsContract {
    private final PassThroughLimits limits = limitsUnderTest.get();

    @Override
    protected SharedLimits store() {
      return limits.node();
    }

    @Override
    protected Optional<SharedLimits> failingStore(int statements) {
      return Optional.of(limits.failingAfter(statements));
    }

    @Override
    protected void inTransaction(Runnable work) {
      limits.inTransaction(work);
    }
  }

  /** The part of the kit that is about usage. */
  static final class Usage extends UsageStoreContract {
    private final PassThroughUsage usage = usageUnderTest.get();

    @Override
    protected UsageStore store() {
      return usage.node();
    }

    @Override
    protected Optional<UsageStore> failingStore(int statements) {
      return Optional.of(usage.failingAfter(statements));
    }

    @Override
    protected void inTransaction(Runnable work) {
      usage.inTransaction(work);
    }
  }

  static KitRun contract(Supplier<PassThroughStore> store) {
    return run(Contract.class, store);
  }

  static KitRun races(Supplier<PassThroughStore> store) {
    return run(Races.class, store);
  }

  static KitRun transactions(Supplier<HostStore> store) {
    return run(Transactions.class, store);
  }

  static KitRun limits(Supplier<? extends PassThroughLimits> limits) {
    limitsUnderTest = limits;
    return run(Limits.class);
  }

  static KitRun usage(Supplier<? extends PassThroughUsage> usage) {
    usageUnderTest = usage;
    return run(Usage.class);
  }

  private static KitRun run(Class<?> tests, Supplier<? extends PassThroughStore> store) {
    underTest = store;
    return run(tests);
  }

  private static KitRun run(Class<?> tests) {
    KitRun run = new KitRun();
    LauncherFactory.create()
        .execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(tests))
                .build(),
            run);
    return run;
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    boolean isMethod = test.getSource().filter(MethodSource.class::isInstance).isPresent();
    switch (result.getStatus()) {
      case FAILED -> failures.put(isMethod ? method(test) : test.getUniqueId(), message(result));
      case ABORTED -> skipped.add(method(test));
      case SUCCESSFUL -> passed += isMethod ? 1 : 0;
    }
  }

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    skipped.add(method(test));
  }

  private static String method(TestIdentifier test) {
    return ((MethodSource) test.getSource().orElseThrow()).getMethodName();
  }

  private static String message(TestExecutionResult result) {
    return result.getThrowable().map(Throwable::toString).orElse("");
  }

  /** The names of the tests that failed, with what they said. */
  TreeMap<String, String> failures() {
    return failures;
  }

  /** The numbers that the names of the failed tests begin with. */
  Set<String> failedRules() {
    Set<String> rules = new TreeSet<>();
    failures.keySet().forEach(name -> rules.add(name.split("_", 2)[0]));
    return rules;
  }

  List<String> skipped() {
    return skipped;
  }

  int passed() {
    return passed;
  }
}
