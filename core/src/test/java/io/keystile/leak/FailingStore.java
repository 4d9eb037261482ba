package io.keystile.leak;

import io.keystile.InMemoryKeyStore;
import io.keystile.store.KeyStore;
import io.keystile.store.StoreException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A store in memory of which single methods fail, from a certain call on. */
final class FailingStore {
  private final Map<String, AtomicInteger> calls = new ConcurrentHashMap<>();
  private final Map<String, Integer> goodCalls = new ConcurrentHashMap<>();
  private volatile boolean afterwards;

  final KeyStore store = proxy(new InMemoryKeyStore());

  private KeyStore proxy(KeyStore real) {
    return (KeyStore)
        Proxy.newProxyInstance(
            KeyStore.class.getClassLoader(),
            new Class<?>[] {KeyStore.class},
            (proxy, method, arguments) -> {
              String name = method.getName();
              int call = calls.computeIfAbsent(name, n -> new AtomicInteger()).incrementAndGet();
              boolean fails = call > goodCalls.getOrDefault(name, Integer.MAX_VALUE);
              if (fails && !afterwards) {
                throw new StoreException(
                    StoreException.Kind.UNAVAILABLE, "down for the test", null);
              }
              Object result;
              try {
                result = method.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
              if (fails) {
                throw new StoreException(StoreException.Kind.OUTCOME_UNKNOWN, "lost", null);
              }
              return result;
            });
  }

  int calls(String method) {
    return calls.computeIfAbsent(method, name -> new AtomicInteger()).get();
  }

  /** The method works so often, and fails from then on. */
  void failAfter(String method, int goodCalls) {
    this.goodCalls.put(method, calls(method) + goodCalls);
  }

  /** What fails from now on was done before, and only its answer is lost. */
  void loseAnswers() {
    afterwards = true;
  }

  void repair() {
    goodCalls.clear();
    afterwards = false;
  }
}
