"""A client of Redis: its protocol (RESP2) is small enough to speak it directly."""

import queue
import socket


class RedisError(Exception):
    """Redis has refused a command, or cannot be reached."""


class Connection:
    def __init__(self, host, port, password):
        try:
            self.socket = socket.create_connection((host, port), timeout=3)
        except OSError as error:
            raise RedisError(f"cannot reach {host}:{port}: {error}") from error
        self.reader = self.socket.makefile("rb")
        self.call("AUTH", password)

    def call(self, *words):
        request = [b"*%d\r\n" % len(words)]
        for word in words:
            word = str(word).encode()
            request.append(b"$%d\r\n%s\r\n" % (len(word), word))
        try:
            self.socket.sendall(b"".join(request))
            return self.reply()
        except (OSError, ValueError) as error:
            raise RedisError(f"the connection broke: {error}") from error

    def reply(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("closed by Redis")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            length = int(rest)
            return None if length < 0 else self.reader.read(length + 2)[:-2].decode()
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        raise ValueError(f"unknown reply {line!r}")

    def close(self):
        self.reader.close()
        self.socket.close()


class Redis:
    """Keeps a few connections; one that broke is replaced, and a command on a stale one is sent again."""

    def __init__(self, host, port, password):
        self.address = (host, port, password)
        self.free = queue.LifoQueue(maxsize=16)

    def call(self, *words):
        try:
            connection, stale = self.free.get_nowait(), True
        except queue.Empty:
            connection, stale = Connection(*self.address), False
        try:
            answer = connection.call(*words)
        except RedisError:
            connection.close()
            # Redis may have been restarted since the connection was last used; only what can be repeated is.
            if not stale or words[0] == "LPUSH":
                raise
            connection = Connection(*self.address)
            answer = connection.call(*words)
        try:
            self.free.put_nowait(connection)
        except queue.Full:
            connection.close()
        return answer
