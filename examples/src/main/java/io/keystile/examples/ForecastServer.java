package io.keystile.examples;

import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import com.zaxxer.hikari.HikariDataSource;
import io.keystile.ApiKeys;
import io.keystile.RiskPolicy;
import io.keystile.examples.portal.Accounts;
import io.keystile.examples.portal.Portal;
import io.keystile.store.KeyFilter;
import io.keystile.store.KeyStore;
import io.keystile.store.jdbc.JdbcKeyStore;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.sql.DataSource;

/**
 * A weather service that lets clients in by their API keys, on the JDK's own HTTP server: forecasts
 * for everybody who has a key, a portal for owners, and the administration of keys on a port of its
 * own that only this machine reaches. See {@link Settings} for what can be set.
 */
public final class ForecastServer implements AutoCloseable {
  static final String BRAND = "acme";
  static final String ENVIRONMENT = "live";

  private static final int THREADS = 32;

  /** Live ones. Anybody may become an owner, in the portal, and none needs more. */
  static final int KEYS_PER_OWNER = 100;

  /** Of so many keys the last requests are kept: about 30 MB. */
  private static final int KEPT_KEYS = 1_000;

  static {
    // else each answer on a connection that is kept waits 40 ms for the client's acknowledgement
    System.setProperty("sun.net.httpserver.nodelay", "true");
  }

  private final Deque<Runnable> toClose = new ArrayDeque<>();
  private final Settings settings;
  private final ApiKeys keys;
  private final String service;
  private final String administration;
  private final Accounts accounts =
      Accounts.demo(Map.of("alice", Welcome.CLIENT, "bob", "station-7"));

  private ForecastServer(Settings settings) throws IOException, SQLException {
    this.settings = settings;
    try {
      ServerSecrets.createDirectory(settings.data());
      DataSource dataSource = openPool();
      keys = openKeys(JdbcKeyStore.builder(dataSource).initializeSchema(true).build());
      Forecasts forecasts = new Forecasts(dataSource);
      forecasts.createTable();

      ApiKeyGuard guard = new ApiKeyGuard(keys, "forecast");
      ExecutorService threads = threads();
      toClose.push(threads::shutdown);
      Routes api =
          new ForecastApi(forecasts).routes(guard).and(new SelfService(keys, guard).routes());
      Portal portal = Portal.create(keys, Plans.OFFER, accounts, settings.portalOrigin());
      service =
          serve(
              new InetSocketAddress(settings.port()),
              Map.of("/", api, Portal.PATH, portal),
              threads);
      Routes administrationApi =
          new AdminApi(keys)
              .routes(guard)
              .and(new RotationApi(keys).routes(guard))
              .and(new LeakApi(keys).routes(guard))
              .and(new ImportApi(keys).routes(guard))
              .and(new UsageApi(keys).routes(guard));
      administration =
          serve(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), settings.adminPort()),
              Map.of("/", administrationApi),
              threads);
    } catch (IOException | SQLException | RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Runs the service until the process is ended.
   *
   * @param arguments {@code --new-admin-key}, or nothing
   * @throws Exception if it cannot start
   */
  public static void main(String[] arguments) throws Exception {
    ForecastServer server = start(Settings.ofThisProcess(arguments));
    Runtime.getRuntime().addShutdownHook(new Thread(server::close));
    System.out.println(server.welcome());
  }

  static ForecastServer start(Settings settings) throws IOException, SQLException {
    return new ForecastServer(settings);
  }

  /** Where the service is, and the first keys if this is the first start. */
  String welcome() {
    return """
        Forecasts       %s
        Administration  %s (only from this machine)
        Portal          %s%s (demo sign-in, new at each start: %s)
        Data            %s

        %s"""
        .formatted(
            service,
            administration,
            service,
            Portal.PATH,
            accounts.revealPasswords(),
            settings.data(),
            new Welcome(keys, service, administration).text(settings.newAdminKey()));
  }

  String service() {
    return service;
  }

  String administration() {
    return administration;
  }

  @Override
  public void close() {
    while (!toClose.isEmpty()) {
      toClose.pop().run();
    }
  }

  private DataSource openPool() {
    HikariDataSource pool = new HikariDataSource(settings.pool());
    toClose.push(pool::close);
    return pool;
  }

  private ApiKeys openKeys(KeyStore store) throws IOException {
    ServerSecrets secrets = new ServerSecrets(settings.data().resolve("secrets"));
    if (!secrets.areThere()) {
      if (!store.list(KeyFilter.builder().build(), null, 1).isEmpty()) {
        throw new IllegalStateException(
            "The database has keys, but its pepper and id key are not in "
                + settings.data().resolve("secrets")
                + ": bring them back, without them no key works");
      }
      secrets.create();
    }
    ApiKeys keys =
        ApiKeys.builder(store)
            .brand(BRAND)
            .environment(ENVIRONMENT)
            .pepper(secrets.pepper())
            .idKey(secrets.idKey())
            .requireMintedIds()
            .importedKeys(secrets.idKey())
            .rotation(settings.rotation())
            .plans(Plans.of(settings))
            .maxKeysPerOwner(KEYS_PER_OWNER)
            .recordUsage()
            .useInterval(settings.useInterval())
            .assessRisk(RiskPolicy.alerting().adaptingLimits())
            .keepRequests(KEPT_KEYS)
            .build();
    toClose.push(keys::close);
    return keys;
  }

  private String serve(
      InetSocketAddress address, Map<String, HttpHandler> handlers, ExecutorService threads)
      throws IOException {
    HttpServer server;
    try {
      server = HttpServer.create(address, 0);
    } catch (IOException e) {
      throw new IOException("Port " + address.getPort() + ": " + e.getMessage(), e);
    }
    handlers.forEach(server::createContext);
    server.setExecutor(threads);
    server.start();
    toClose.push(() -> server.stop(0));
    return "http://localhost:" + server.getAddress().getPort();
  }

  /** A virtual thread for each request where the JDK has them, from 21 on; else a pool. */
  private static ExecutorService threads() {
    try {
      return (ExecutorService)
          Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    } catch (ReflectiveOperationException e) {
      return Executors.newFixedThreadPool(THREADS);
    }
  }
}
