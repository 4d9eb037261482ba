package io.keystile.examples.portal;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Who may sign in: accounts for a demonstration, whose passwords are made at each start and said
 * once. A real portal has the login that its users have already, with a second factor; then this
 * class and the sign-in page go, and the rest stays.
 */
public final class Accounts {

  /** Whoever is signed in: his name, for the audit trail, and whose keys he looks after. */
  record Account(String name, String owner) {}

  /** A fast hash will do: the password is 128 random bits that nobody chose. */
  private record Entry(Account account, String passwordHash) {}

  private final Map<String, Entry> entries = new LinkedHashMap<>();
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
              String password = Randoms.text();
              accounts.entries.put(name, new Entry(new Account(name, owner), hash(password)));
              passwords.put(name, password);
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
