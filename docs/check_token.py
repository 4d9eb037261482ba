#!/usr/bin/env python3
"""Checks Keystile tokens, and the test vectors. Written from token-format.md alone.

    check_token.py [VECTORS]    check the vectors, by default token-vectors.json beside this file
    check_token.py --stdin      check tokens, one on each line; shows them redacted

Exit status: 0 if all is right, 1 if not, 2 for wrong use. Needs Python 3.8, nothing else.
"""

import hashlib
import hmac
import json
import os
import re
import sys
import zlib

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MEMBERS = ("valid", "malformed", "proofs", "mints", "scanners", "imports")
WORD = "[a-z][a-z0-9]{1,15}"
PREFIX = re.compile(f"({WORD})_({WORD})_")


class Malformed(Exception):
    """Carries the number of the rule of section 5 that the text breaks."""

    def __init__(self, rule):
        super().__init__(f"breaks rule {rule}")
        self.rule = rule


class Token:
    """The parts of a token."""

    def __init__(self, text):
        if not 67 <= len(text) <= 95:
            raise Malformed(1)
        body = text[-61:]
        if body[22] != "_" or any(c not in DIGITS for c in body[:22] + body[23:]):
            raise Malformed(2)
        prefix = PREFIX.fullmatch(text[:-61])
        if not prefix:
            raise Malformed(3)
        if number(body[:22]) >= 2**128:
            raise Malformed(4)
        if number(body[-6:]) != zlib.crc32(text[:-6].encode("ascii")):
            raise Malformed(5)
        self.text = text
        self.brand, self.environment = prefix.groups()
        self.key_id = body[:22]
        self.secret = body[23:55]
        self.block = body[:55].encode("ascii")
        self.id_bytes = number(self.key_id).to_bytes(16, "big")

    def created_millis(self):
        return int.from_bytes(self.id_bytes[:6], "big")

    def redacted(self):
        return f"{self.brand}_{self.environment}_{self.key_id[:8]}\u2026{self.text[-4:]}"

    def inner(self):
        return hashlib.sha256(self.block).digest()

    def is_minted(self, id_keys):
        tags = (mint_tag(mint_key(k, self.brand, self.environment), self.id_bytes) for k in id_keys)
        return self.id_bytes[12:] in list(tags)


def number(digits):
    value = 0
    for digit in digits:
        value = value * 62 + DIGITS.index(digit)
    return value


def base62(value, width):
    digits = ""
    for _ in range(width):
        value, digit = divmod(value, 62)
        digits = DIGITS[digit] + digits
    return digits


def hmac_sha256(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def hash_key(pepper):
    return hmac_sha256(pepper, b"keystile v1 hash")


def mint_key(id_key, brand, environment):
    return hmac_sha256(id_key, f"keystile v1 mint {brand}_{environment}".encode("ascii"))


def mint_tag(key, id_bytes):
    return hashlib.sha256(key + id_bytes[:12]).digest()[:4]


def import_key(secret):
    return hmac_sha256(secret, b"keystile v1 import")


def import_id(digest, key):
    """Of a token that was issued elsewhere; key is None where the host gives no secret."""
    return bytes(6) + (hmac_sha256(key, digest) if key else digest)[:10]


def prove(token, scheme, pepper_id, stored, peppers):
    """What a server finds that has these peppers (bytes by id) and accepts both schemes."""
    if scheme == "sha256" and pepper_id is None:
        expected = token.inner()
    elif scheme == "hmac-sha256":
        if pepper_id not in peppers:
            return "pepper"
        expected = hmac_sha256(hash_key(peppers[pepper_id]), token.inner())
    else:
        return "scheme"
    return "proven" if hmac.compare_digest(expected, stored) else "wrong"


def scanner(brands, environments):
    def group(words):
        return "(?:" + "|".join(sorted(set(words))) + ")" if words else WORD

    tail = "[0-7][0-9A-Za-z]{21}_[0-9A-Za-z]{32}[0-4][0-9A-Za-z]{5}"
    return f"{group(brands)}_{group(environments)}_{tail}"


def secrets(entries):
    return {entry["id"]: bytes.fromhex(entry["bytes"]) for entry in entries}


def check_vectors(vectors):
    """Yields a name, what was found and what was expected, for each thing that can be checked."""
    peppers = secrets(vectors["peppers"])
    id_keys = secrets(vectors["idKeys"])
    yield "version", vectors["version"], 1
    for entry in vectors["peppers"]:
        yield entry["id"], hash_key(bytes.fromhex(entry["bytes"])).hex(), entry["hashKey"]
    for entry in vectors["idKeys"]:
        for label, expected in entry["mintKeys"].items():
            key = mint_key(bytes.fromhex(entry["bytes"]), *label.split("_"))
            yield entry["id"] + " " + label, key.hex(), expected
        key = import_key(bytes.fromhex(entry["bytes"]))
        yield entry["id"] + " import", key.hex(), entry["importKey"]
    for entry in vectors["valid"]:
        yield from check_valid(entry, peppers)
    for entry in vectors["malformed"]:
        yield entry["name"], broken_rule(entry["text"]), entry["breaks"]
    for entry in vectors["proofs"]:
        stored = bytes.fromhex(entry["stored"])
        found = prove(Token(entry["token"]), entry["scheme"], entry["pepper"], stored, peppers)
        yield entry["name"], found, entry["result"]
    for entry in vectors["mints"]:
        held = [id_keys[key] for key in entry["idKeys"]]
        yield entry["name"], Token(entry["token"]).is_minted(held), entry["minted"]
    for entry in vectors["scanners"]:
        regex = scanner(entry["brands"], entry["environments"])
        yield entry["name"], regex, entry["regex"]
    for entry in vectors["imports"]:
        yield from check_import(entry, peppers, id_keys)
    for entry in vectors["valid"]:
        text = "\\n" + entry["token"] + "x"
        found = re.search(scanner([entry["brand"]], [entry["environment"]]), text)
        yield entry["name"], found and found.group(), entry["token"]


def check_valid(entry, peppers):
    name = entry["name"]
    token = Token(entry["token"])
    before = entry["token"][:-6]
    yield name, token.brand, entry["brand"]
    yield name, token.environment, entry["environment"]
    yield name, token.key_id, entry["keyId"]
    yield name, token.id_bytes.hex(), entry["keyIdHex"]
    yield name, base62(int(entry["keyIdHex"], 16), 22), entry["keyId"]
    yield name, token.created_millis(), entry["createdMillis"]
    yield name, token.secret, entry["secret"]
    yield name, f"{zlib.crc32(before.encode('ascii')):08x}", entry["crc32"]
    yield name, before + base62(int(entry["crc32"], 16), 6), entry["token"]
    yield name, token.redacted(), entry["redacted"]
    yield name, token.inner().hex(), entry["sha256"]
    for pepper_id, expected in entry["hmacSha256"].items():
        found = hmac_sha256(hash_key(peppers[pepper_id]), token.inner()).hex()
        yield f"{name}, {pepper_id}", found, expected


def check_import(entry, peppers, id_keys):
    name = entry["name"]
    digest = hashlib.sha256(entry["token"].encode("utf-8")).digest()
    secret = id_keys[entry["importKey"]] if entry["importKey"] else None
    key_id = import_id(digest, import_key(secret) if secret else None)
    stored = digest
    if entry["pepper"]:
        stored = hmac_sha256(hash_key(peppers[entry["pepper"]]), digest)
    yield name, digest.hex(), entry["sha256"]
    yield name, key_id.hex(), entry["keyIdHex"]
    yield name, base62(int.from_bytes(key_id, "big"), 22), entry["keyId"]
    yield name, stored.hex(), entry["stored"]


def broken_rule(text):
    try:
        Token(text)
        return None
    except Malformed as e:
        return e.rule


def vectors_main(path):
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    checks = wrong = 0
    for name, found, expected in check_vectors(vectors):
        checks += 1
        if found != expected:
            wrong += 1
            print(f"WRONG {name}: found {found!a}, expected {expected!a}")
    count = sum(len(vectors[m]) for m in MEMBERS)
    print(f"{count} vectors, {checks} checks, {wrong} wrong")
    return 1 if wrong else 0


def stdin_main():
    sys.stdout.reconfigure(errors="backslashreplace")  # the terminal may not have U+2026
    status = 0
    for line in sys.stdin.buffer:
        # never printed as it came: what does not parse may be a mistyped secret
        try:
            token = Token(line.decode("utf-8", "replace").rstrip("\r\n"))
            print(f"well formed: {token.redacted()}, created {token.created_millis()}")
        except Malformed as e:
            print(f"malformed: {e}")
            status = 1
    return status


def main(arguments):
    if arguments == ["--stdin"]:
        return stdin_main()
    if len(arguments) > 1 or arguments and arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "token-vectors.json")
    return vectors_main(arguments[0] if arguments else beside)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
