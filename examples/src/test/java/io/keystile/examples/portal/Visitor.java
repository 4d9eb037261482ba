package io.keystile.examples.portal;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Does what a browser does: keeps the cookie, says where a form comes from, and sends the hidden
 * fields of the page it has seen last. And, where a test says so, what no browser would do.
 */
final class Visitor {
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
  private static final Pattern HIDDEN =
      Pattern.compile("<input type=\"hidden\" name=\"([a-z]+)\" value=\"([^\"]*)\">");

  private final String site;
  private final List<HttpResponse<String>> seen = new ArrayList<>();
  String cookie = "";
  String token = "";
  String operation = "";
  String origin;
  String fetchSite = "same-origin";

  Visitor(String site) {
    this.site = site;
    this.origin = site;
  }

  /** Every answer so far. */
  List<HttpResponse<String>> seen() {
    return seen;
  }

  HttpResponse<String> get(String path) {
    HttpResponse<String> answer = request("GET", path, "");
    Matcher hidden = HIDDEN.matcher(answer.body());
    while (hidden.find()) {
      if (hidden.group(1).equals("token")) {
        token = hidden.group(2);
      } else if (hidden.group(1).equals("operation")) {
        operation = hidden.group(2);
      }
    }
    return answer;
  }

  /** Sends a form with the hidden fields; names and values of the others in turn. */
  HttpResponse<String> send(String path, String... fields) {
    StringBuilder form = new StringBuilder();
    form.append("token=").append(encoded(token));
    form.append("&operation=").append(encoded(operation));
    for (int i = 0; i < fields.length; i += 2) {
      form.append('&').append(encoded(fields[i])).append('=').append(encoded(fields[i + 1]));
    }
    return request("POST", path, form.toString());
  }

  /** Fills in the form of a page, as people do. */
  HttpResponse<String> fill(String page, String path, String... fields) {
    get(page);
    return send(path, fields);
  }

  HttpResponse<String> request(String method, String path, String body, String... headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(site + path))
            .timeout(Duration.ofSeconds(30))
            .method(method, HttpRequest.BodyPublishers.ofString(body));
    if (!cookie.isEmpty()) {
      request.header("Cookie", cookie);
    }
    if (!method.equals("GET")) {
      request.header("Content-Type", "application/x-www-form-urlencoded");
      if (!origin.isEmpty()) {
        request.header("Origin", origin);
      }
    }
    if (!fetchSite.isEmpty()) {
      request.header("Sec-Fetch-Site", fetchSite);
    }
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    try {
      HttpResponse<String> answer =
          CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
      answer.headers().firstValue("Set-Cookie").ifPresent(c -> cookie = c.split(";", 2)[0]);
      seen.add(answer);
      return answer;
    } catch (IOException e) {
      throw new AssertionError(method + " " + path, e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  /** Creates a key, and tells its id and token. */
  Created create(String name) {
    HttpResponse<String> answer =
        fill("/portal/keys/new", "/portal/keys", "name", name, "scope", "forecast:read");
    if (answer.statusCode() != 200) {
      throw new AssertionError(answer.statusCode() + answer.body());
    }
    return created(answer);
  }

  static Created created(HttpResponse<String> answer) {
    Matcher token = Pattern.compile("<code id=\"token\">([^<]+)</code>").matcher(answer.body());
    if (!token.find()) {
      throw new AssertionError(answer.statusCode() + answer.body());
    }
    return new Created(token.group(1).split("_")[2].substring(0, 22), token.group(1));
  }

  /** Asks for an account. */
  HttpResponse<String> register(String name) {
    return fill("/portal/register", "/portal/register", "name", name);
  }

  static String password(HttpResponse<String> answer) {
    Matcher shown = Pattern.compile("<code id=\"password\">([^<]+)</code>").matcher(answer.body());
    if (!shown.find()) {
      throw new AssertionError(answer.statusCode() + answer.body());
    }
    return shown.group(1);
  }

  /** A key with its token. */
  record Created(String id, String token) {
    String page() {
      return "/portal/keys/" + id;
    }
  }
}
