package io.keystile.http;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds the API key in a request. These count as one:
 *
 * <ul>
 *   <li>each value of {@code X-API-Key}, and of the headers added by {@link #withHeader};
 *   <li>the credentials of {@code Authorization: ApiKey …} and {@code Authorization: api-key …};
 *   <li>those of {@code Authorization: Bearer …}, if they look like one of our tokens; others, as a
 *       JWT, are the host's, unless {@link #withForeignTokens} says that they may be keys;
 *   <li>each value of the query parameter, if {@link #withQueryParameter} has switched it on.
 * </ul>
 *
 * <p>Names of headers and schemes are matched in any case. Lines that a proxy folded into one with
 * commas are read as several. Blanks and tabs around a value are dropped, and nothing else is
 * changed. An empty value does not count. The same value twice is one, two different values are
 * ambiguous. Bodies and cookies are never read. A header value of more than {@value #MAX_LENGTH}
 * characters, without the blanks around it and the scheme before it, is not taken apart: it is at
 * most a credential that no validation accepts, and only if it begins as one.
 *
 * <p>Immutable and safe for use by many threads. Throws nothing, whatever a client sends. The
 * methods that look like setters return a changed copy.
 */
public final class CredentialExtractor {

  /** The usual name of the query parameter, and the one that {@link #withoutKey} always removes. */
  public static final String QUERY_PARAMETER = "api_key";

  private static final int MAX_LENGTH = 512;

  /** Of a line of Authorization: room for the scheme and a blank as well. */
  private static final int MAX_AUTHORIZATION = "api-key ".length() + MAX_LENGTH;

  private static final CredentialExtractor STANDARD =
      new CredentialExtractor(List.of("X-API-Key"), null, Set.of(), false);

  private static final Pattern HEADER_NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}");
  private static final Set<String> NOT_FOR_KEYS =
      Set.of("authorization", "proxy-authorization", "cookie");

  private static final Pattern PARAMETER_NAME = Pattern.compile("[0-9A-Za-z._~-]{1,100}");

  /** A scheme of RFC 9110, what separates it, and its credentials. */
  private static final Pattern CREDENTIALS =
      Pattern.compile(
          "(ApiKey|api-key|Bearer)[ \t]++(.*)", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  /** Up to the secret, so that a mistyped token is one, too. */
  private static final Pattern OUR_FORM =
      Pattern.compile("[a-z][a-z0-9]{1,15}_([a-z][a-z0-9]{1,15})_[0-9A-Za-z]{22}_");

  /** A parameter in a query or a fragment, with what stands before it. */
  private static final Pattern PAIR = Pattern.compile("[?#&;]([^?#&;]*)");

  private final List<String> headers;
  private final @Nullable String parameter;
  private final Set<String> environments;
  private final boolean foreign;

  private CredentialExtractor(
      List<String> headers, @Nullable String parameter, Set<String> environments, boolean foreign) {
    this.headers = headers;
    this.parameter = parameter;
    this.environments = environments;
    this.foreign = foreign;
  }

  /**
   * Returns the extractor that reads {@code X-API-Key} and {@code Authorization}, and no query.
   *
   * @return the extractor
   */
  public static CredentialExtractor standard() {
    return STANDARD;
  }

  /**
   * Reads one more header, beside {@code X-API-Key}.
   *
   * @param name the name of a header that holds nothing but a key
   * @return a copy that reads it
   * @throws IllegalArgumentException if this is no header name, or is Authorization,
   *     Proxy-Authorization or Cookie
   */
  public CredentialExtractor withHeader(String name) {
    if (!HEADER_NAME.matcher(name).matches()
        || NOT_FOR_KEYS.stream().anyMatch(name::equalsIgnoreCase)) {
      throw new IllegalArgumentException("name: not the name of a header for keys");
    }
    List<String> more = new ArrayList<>(headers);
    more.add(name);
    return new CredentialExtractor(List.copyOf(more), parameter, environments, foreign);
  }

  /**
   * Reads a query parameter as well. URLs are logged, kept and passed on by everything between the
   * client and here, so a key in one should be taken for known to others: prefer to name the
   * environments that hold nothing of worth.
   *
   * @param name the name of the parameter, usually {@link #QUERY_PARAMETER}, of {@code
   *     [0-9A-Za-z._~-]}; compared exactly, after percent-decoding
   * @param environments the environments whose tokens are taken from the query, for instance {@code
   *     test}; none for all. Other values of the parameter do not count
   * @return a copy that reads it
   * @throws IllegalArgumentException if the name is not valid
   */
  public CredentialExtractor withQueryParameter(String name, String... environments) {
    if (!PARAMETER_NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("name: must match " + PARAMETER_NAME);
    }
    return new CredentialExtractor(headers, name, Set.copyOf(List.of(environments)), foreign);
  }

  /**
   * Takes a Bearer credential that does not look like one of our tokens for a key, too, if there is
   * no other candidate: for clients that send a key which was issued elsewhere and {@linkplain
   * io.keystile.ApiKeysBuilder#importedKeys imported}. In all other places such a key counts
   * anyway. A JWT that comes alone is then a key that is not valid; beside another candidate it is
   * left to the host as before.
   *
   * @return a copy that takes it
   */
  public CredentialExtractor withForeignTokens() {
    return new CredentialExtractor(headers, parameter, environments, true);
  }

  /**
   * Finds the credential of a request.
   *
   * @param <R> the request of a framework
   * @param request the request
   * @param getter reads it
   * @return what was found
   */
  public <R> Credential extract(R request, HeaderGetter<R> getter) {
    Candidates candidates = new Candidates();
    Candidates others = new Candidates();
    for (String header : headers) {
      for (String line : values(request, getter, header)) {
        readKeys(trim(line), candidates);
      }
    }
    for (String line : values(request, getter, "Authorization")) {
      readAuthorization(trim(line), candidates, others);
    }
    if (parameter != null) {
      readQuery(parameter, getter.rawQuery(request), candidates);
    }
    return (foreign ? candidates.or(others) : candidates).credential();
  }

  /** The values of a header, none of them null, whatever a framework gives. */
  static <R> List<String> values(R request, HeaderGetter<R> getter, String name) {
    List<String> values = getter.headers(request, name);
    if (values == null) {
      return List.of();
    }
    for (String value : values) {
      if (value == null) {
        return values.stream().map(v -> Objects.requireNonNullElse(v, "")).toList();
      }
    }
    return values;
  }

  private static void readKeys(String line, Candidates candidates) {
    if (line.length() > MAX_LENGTH) {
      candidates.add(line);
      return;
    }
    for (String value : line.split(",")) {
      candidates.add(trim(value));
    }
  }

  private static void readAuthorization(String line, Candidates ours, Candidates others) {
    // long ones belong to the host, unless they begin as ours do
    boolean whole = line.length() > MAX_AUTHORIZATION;
    for (String part : whole ? new String[] {line} : line.split(",")) {
      Matcher credentials = CREDENTIALS.matcher(trim(part));
      if (!credentials.matches()) {
        continue;
      }
      String value = credentials.group(2);
      boolean isBearer = credentials.group(1).equalsIgnoreCase("Bearer");
      if (!isBearer || OUR_FORM.matcher(value).lookingAt()) {
        ours.add(whole ? line : value);
      } else if (!whole) {
        others.add(value);
      }
    }
  }

  private void readQuery(String name, @Nullable String query, Candidates candidates) {
    if (query == null) {
      return;
    }
    for (String pair : query.split("&")) {
      int equals = pair.indexOf('=');
      if (equals < 0 || !decode(pair.substring(0, equals)).equals(name)) {
        continue;
      }
      candidates.inQuery = true;
      String value = decode(pair.substring(equals + 1));
      if (environments.isEmpty() || isOfEnvironment(value)) {
        candidates.add(value);
      }
    }
  }

  private boolean isOfEnvironment(String value) {
    Matcher form = OUR_FORM.matcher(value);
    return form.lookingAt() && environments.contains(form.group(1));
  }

  /** Percent-decodes. What is longer than any token, or not encoded right, is left as it is. */
  private static String decode(String text) {
    if (text.length() > MAX_LENGTH || (text.indexOf('%') < 0 && text.indexOf('+') < 0)) {
      return text;
    }
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return text;
    }
  }

  /** Drops the optional white space of RFC 9110, and no other. */
  static String trim(String text) {
    int start = 0;
    int end = text.length();
    while (start < end && isBlank(text.charAt(start))) {
      start++;
    }
    while (end > start && isBlank(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(start, end);
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t';
  }

  /**
   * Removes keys from a URL that is to be logged: every parameter of this extractor's name, and
   * every {@value #QUERY_PARAMETER}, also where the query is not read, since clients try. More is
   * looked at than is read: names are matched in any case, semicolons separate parameters as well,
   * and the fragment is taken for a query.
   *
   * @param url a URL, or the path and query of one
   * @return the URL without these parameters, otherwise as it was
   */
  public String withoutKey(String url) {
    int start = 0;
    while (start < url.length() && !isOpening(url.charAt(start))) {
      start++;
    }
    StringBuilder kept = new StringBuilder(url.length()).append(url, 0, start);
    boolean removed = false;
    char opening = 0; // the ? or # of what was removed, for the next that stays
    Matcher pair = PAIR.matcher(url).region(start, url.length());
    while (pair.find()) {
      char separator = url.charAt(pair.start());
      if (removed && separator == '?') {
        continue; // still the value
      }
      removed = isKey(pair.group(1));
      if (!removed) {
        kept.append(opening == 0 || isOpening(separator) ? separator : opening);
        kept.append(pair.group(1));
        opening = 0;
      } else if (isOpening(separator)) {
        opening = separator;
      }
    }
    return kept.toString();
  }

  private static boolean isOpening(char c) {
    return c == '?' || c == '#';
  }

  private boolean isKey(String pair) {
    int equals = pair.indexOf('=');
    String name = decode(equals < 0 ? pair : pair.substring(0, equals));
    return name.equalsIgnoreCase(QUERY_PARAMETER) || name.equalsIgnoreCase(parameter);
  }

  /** The candidates of one request, of which only the first and a contradiction matter. */
  private static final class Candidates {
    private @Nullable String first;
    private boolean different;
    private boolean inQuery;

    void add(String candidate) {
      if (candidate.isEmpty()) {
        return;
      }
      if (first == null) {
        first = candidate;
      } else if (!first.equals(candidate)) {
        different = true;
      }
    }

    /** The others if there is none here. */
    Candidates or(Candidates others) {
      if (first != null) {
        return this;
      }
      others.inQuery = inQuery;
      return others;
    }

    Credential credential() {
      if (different) {
        return Credential.ambiguous(inQuery);
      }
      return first == null ? Credential.absent(inQuery) : Credential.found(first, inQuery);
    }
  }
}
