package io.keystile.store.jdbc;

import io.keystile.store.KeyStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** A store that does one thing otherwise than another: to watch it, or to break it. */
final class Substitute {
  private Substitute() {}

  /** What a method does instead. */
  interface Method {
    Object call(Object[] arguments);
  }

  /** All methods but the named one are those of the store. */
  static KeyStore in(KeyStore store, String name, Method instead) {
    return (KeyStore)
        Proxy.newProxyInstance(
            KeyStore.class.getClassLoader(),
            new Class<?>[] {KeyStore.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals(name)) {
                return instead.call(arguments);
              }
              try {
                return method.invoke(store, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
