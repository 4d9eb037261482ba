package io.keystile.benchmarks;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/**
 * Measures the CPU time of JMH's worker threads per operation. On a machine that others use too,
 * the wall clock also counts the time in which a thread was not running; this does not. It leaves
 * out what is done on other threads, and knows no virtual threads.
 */
public final class CpuProfiler implements InternalProfiler {
  /** The name of the secondary result. */
  static final String METRIC = "cpu";

  /** In the names of all of JMH's workers. */
  private static final String WORKER = "jmh-worker";

  private final Map<Long, Long> before = new HashMap<>();

  /** Called by JMH. */
  public CpuProfiler() {}

  private static Map<Long, Long> workers() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    Map<Long, Long> times = new HashMap<>();
    for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
      if (thread != null && thread.getThreadName().contains(WORKER)) {
        times.put(thread.getThreadId(), threads.getThreadCpuTime(thread.getThreadId()));
      }
    }
    return times;
  }

  @Override
  public String getDescription() {
    return "CPU time of the worker threads";
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    before.clear();
    before.putAll(workers());
  }

  @Override
  public Collection<? extends Result<?>> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    long nanos = 0;
    for (Map.Entry<Long, Long> worker : workers().entrySet()) {
      nanos += worker.getValue() - before.getOrDefault(worker.getKey(), 0L);
    }
    long operations = result.getMetadata().getAllOps();
    if (operations == 0) {
      return List.of();
    }
    return List.of(
        new ScalarResult(METRIC, (double) nanos / operations, "ns/op", AggregationPolicy.AVG));
  }
}
