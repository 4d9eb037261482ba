"""Makes tokens as home-made services do, with the hash that such a service keeps of each.

    foreign_tokens.py COUNT    print COUNT of them as JSON, each kind in turn
"""

import base64
import hashlib
import json
import secrets
import string
import sys
import time
import uuid

BASE62 = string.digits + string.ascii_letters


def base62(count):
    return "".join(secrets.choice(BASE62) for _ in range(count))


KINDS = {
    "urlsafe behind a prefix": lambda: "sk_" + secrets.token_urlsafe(32),
    "hex": lambda: secrets.token_hex(32),
    "uuid": lambda: str(uuid.uuid4()),
    "base64, padded": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    "base64, padded twice": lambda: base64.b64encode(secrets.token_bytes(40)).decode(),
    "prefix.timestamp.secret": lambda: f"wx.{int(time.time())}.{secrets.token_urlsafe(24)}",
    "our brand and environment": lambda: "acme_live_" + secrets.token_urlsafe(32),
    "our lengths": lambda: f"acme_live_{base62(22)}_{base62(38)}",
    "our id and secret alone": lambda: f"{base62(22)}_{base62(32)}",
    "beyond ASCII": lambda: "schlüssel-" + secrets.token_urlsafe(16) + "-鍵-𝄞",
    "as long as can be": lambda: base62(512),
    "short and weak": lambda: secrets.token_hex(4),
    "colons": lambda: f"tenant:{secrets.randbelow(1000)}:{secrets.token_urlsafe(32)}",
}


def make(count):
    kinds = list(KINDS.items())
    for i in range(count):
        kind, token = kinds[i % len(kinds)]
        token = token()
        yield {
            "kind": kind,
            "token": token,
            "sha256": hashlib.sha256(token.encode()).hexdigest(),
        }


if __name__ == "__main__":
    print(json.dumps(list(make(int(sys.argv[1]))), indent=1))
