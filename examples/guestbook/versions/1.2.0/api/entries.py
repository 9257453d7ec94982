"""The entries of the guestbook, newest first, in a list of Redis."""

import json
import time

KEY = "guestbook:entries"
SHOWN = 100
KEPT = 1000


def read(redis):
    # The mistake of this version: nothing ever writes the likes, and no test has noticed.
    likes = json.loads(redis.call("GET", "guestbook:likes"))
    return [json.loads(entry) | {"likes": likes} for entry in redis.call("LRANGE", KEY, 0, SHOWN - 1)]


def add(redis, name, text):
    entry = {"name": name, "text": text, "time": int(time.time())}
    redis.call("LPUSH", KEY, json.dumps(entry))
    redis.call("LTRIM", KEY, 0, KEPT - 1)
    return entry
