"""Serves the page of the guestbook. All of it is read once, at the start."""

import html
import os
import pathlib

from graceful import Handler, serve

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
VALUES = {"version": os.environ.get("VERSION", "unknown"), "title": os.environ.get("TITLE", "Guestbook")}


def load(path):
    text = path.read_text(encoding="utf-8")
    for name, value in VALUES.items():
        text = text.replace("{{" + name + "}}", html.escape(value))
    return TYPES[path.suffix], text.encode()


PAGE = {f"/{path.name}": load(path) for path in pathlib.Path("page").iterdir()}
PAGE["/"] = PAGE["/index.html"]


class Web(Handler):
    def answer(self):
        path = self.path.split("?")[0]
        if path in ("/health/live", "/health/ready"):
            self.send(200, "text/plain", b"ok\n")
        elif path in PAGE:
            content_type, content = PAGE[path]
            self.send(200, content_type, content, [("Cache-Control", "no-cache")])
        else:
            self.send(404, "text/plain; charset=utf-8", b"There is nothing here.\n")


serve(Web)
