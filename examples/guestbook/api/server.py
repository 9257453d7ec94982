"""The API of the guestbook: reads and writes entries."""

import json
import os
import socket

import entries
from graceful import Handler, serve
from redis import Redis, RedisError

VERSION = os.environ.get("VERSION", "unknown")
REDIS = Redis(
    os.environ.get("REDIS_HOST", "guestbook-redis"),
    int(os.environ.get("REDIS_PORT", "6379")),
    os.environ["REDIS_PASSWORD"],
)


class Api(Handler):
    def answer(self):
        path = self.path.split("?")[0]
        try:
            if path == "/health/live":
                self.send_json(200, {"alive": True})
            elif path == "/health/ready":
                REDIS.call("PING")
                self.send_json(200, {"ready": True})
            elif path == "/api/entries" and self.command == "POST":
                self.add()
            elif path == "/api/entries":
                found = entries.read(REDIS)
                self.send_json(200, {"version": VERSION, "pod": socket.gethostname(), "entries": found})
            else:
                self.send_json(404, {"error": f"there is nothing at {path}"})
        except RedisError as error:
            self.send_json(503, {"error": f"Redis: {error}"})

    def add(self):
        body = self.body()
        if body is None:
            return self.send_json(413, {"error": "the entry is too long"})
        try:
            request = json.loads(body)
            text = str(request["text"]).strip()
            name = str(request.get("name") or "somebody").strip()
        except (ValueError, KeyError, TypeError, AttributeError):
            return self.send_json(400, {"error": 'send {"name": "…", "text": "…"}'})
        if not text or len(text) > 500 or len(name) > 50:
            return self.send_json(400, {"error": "an entry has 1 to 500 characters, a name at most 50"})
        self.send_json(201, entries.add(REDIS, name, text))


serve(Api)
