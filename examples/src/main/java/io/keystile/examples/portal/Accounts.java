package io.keystile.examples.portal;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Who may sign in: accounts for a demonstration, in memory. Some are there at the start, others are
 * registered; all passwords are made here and said once. A real portal has the login that its users
 * have already, with a second factor; then this class goes, with the pages for sign-in and
 * registration, and the rest stays. May be used by many threads.
 */
public final class Accounts {

  /** Whoever is signed in: his name, for the audit trail, and whose keys he looks after. */
  record Account(String name, String owner) {}

  /** A fast hash will do: the password is 128 random bits that nobody chose. */
  private record Entry(Account account, String passwordHash) {}

  /** How many there may be, so that memory is bounded. */
  static final int MOST = 1_000;

  /** Letters of one alphabet alone, and no capitals: those of others can look the same. */
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9._-]{1,39}");

  private final Map<String, Entry> entries = new ConcurrentHashMap<>(); // only add() writes
  private String passwords = "";
  private final Entry nobody = new Entry(new Account("", ""), hash(Randoms.text()));

  private Accounts() {}

  /**
   * Makes accounts with new passwords.
   *
   * @param owners whose keys each account looks after, by the name of the account
   * @return the accounts
   */
  public static Accounts demo(Map<String, String> owners) {
    Accounts accounts = new Accounts();
    Map<String, String> passwords = new LinkedHashMap<>();
    new TreeMap<>(owners)
        .forEach(
            (name, owner) -> {
              passwords.put(name, accounts.add(name, owner));
            });
    accounts.passwords =
        passwords.entrySet().stream()
            .map(entry -> entry.getKey() + " " + entry.getValue())
            .collect(Collectors.joining(", "));
    return accounts;
  }

  /**
   * Tells names and passwords, the first time it is asked.
   *
   * @return as {@code alice …, bob …}; later empty
   */
  public synchronized String revealPasswords() {
    String revealed = passwords;
    passwords = "";
    return revealed;
  }

  /** Whether somebody may choose it. */
  static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /**
   * Makes an account. The owner is its own, and new: by no name does one come to keys of somebody
   * else, not of an owner without an account, nor of whoever had this name before the last start.
   *
   * @return the password, which is kept nowhere; none if the name is taken, or there is no room
   * @throws IllegalArgumentException if it is no {@linkplain #isName name}
   */
  synchronized Optional<String> register(String name) {
    if (!isName(name)) {
      throw new IllegalArgumentException("name: has other characters, or is too short or long");
    }
    return has(name) || entries.size() >= MOST
        ? Optional.empty()
        : Optional.of(add(name, "account-" + Randoms.text()));
  }

  private synchronized String add(String name, String owner) {
    String password = Randoms.text();
    entries.put(name, new Entry(new Account(name, owner), hash(password)));
    return password;
  }

  boolean has(String name) {
    return entries.containsKey(name);
  }

  /** Takes as long for a name that nobody has. */
  Optional<Account> find(String name, String password) {
    Entry entry = entries.getOrDefault(name, nobody);
    boolean isRight =
        MessageDigest.isEqual(
            entry.passwordHash().getBytes(StandardCharsets.US_ASCII),
            hash(password).getBytes(StandardCharsets.US_ASCII));
    return isRight && has(name) ? Optional.of(entry.account()) : Optional.empty();
  }

  private static String hash(String password) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(password.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // each JDK has it
    }
  }
}
