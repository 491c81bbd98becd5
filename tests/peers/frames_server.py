"""Stands in for `fundament serve` at the frames socket (core/node/frames.h), for tests and measurements of the edge.

In a test it runs on a thread of its own and does as it is told: confirm, refuse, hold, answer late, hang up.

    node = FramesServer("/run/x/frames.sock")
    node.verdicts["token"] = verdict(upstream="127.0.0.1:8000")
    node.log_answer = HOLD
"""
import os
import selectors
import socket
import struct
import threading
import time

HEADER = struct.Struct("<IBBHQ")
VERSION = 1
HELLO, LOG, VERIFY, ROUTE, FLUSH, OUTCOME, REVOKED, TRAFFIC, EDGE = range(1, 10)

OK = 0
ACCESS_TOKEN_MISSING, ACCESS_TOKEN_INVALID, ACCESS_TOKEN_EXPIRED, WRONG_GROUP_ID, SERVICE_NOT_FOUND = range(1, 6)
SERVICE_UNREACHABLE, METHOD_UNSUPPORTED, LOG_WRITE_ERROR, LOG_ID_INVALID, LOG_ID_MISSING = range(6, 11)
GRANT_UNKNOWN, GRANT_NOT_NAMED, CLIENT_DENIED, PEER_UNREACHABLE, TOKEN_REFUSED, PROTOCOL_UNSUPPORTED, NOT_READY = range(20, 27)
BAD_FRAME = 30

HOLD = -1  # no answer until release()


def field(value):
    if isinstance(value, int):
        value = struct.pack("<Q", value)
    elif isinstance(value, str):
        value = value.encode()
    return struct.pack("<I", len(value)) + value


def fields(payload):
    found, at = [], 0
    while at + 4 <= len(payload):
        (length,) = struct.unpack_from("<I", payload, at)
        found.append(payload[at + 4:at + 4 + length])
        at += 4 + length
    return found


def number(value):
    return struct.unpack("<Q", value)[0]


def frame(kind, status=OK, id=0, payload=b"", version=VERSION):
    return HEADER.pack(len(payload), version, kind, status, id) + payload


def verdict(upstream, service="service", peer="00000001000000000003", grant="$1$3$hash", template="T" * 300, seconds=300):
    return OK, [int(time.time()) + seconds, service, upstream, peer, grant, template]


def route(address, name, token="token", grant="$1$3$hash", peer="00000001000000000002", template="T" * 300, use=300, expires=None,
          service=None):
    now = int(time.time())
    return OK, [token, now + use, address, name, template, grant, peer, now + (use if expires is None else expires)] + ([service] if service else [])


class Worker:
    """A connected nginx worker."""

    def __init__(self, connection):
        self.connection = connection
        self.incoming = bytearray()

    def send(self, data):
        try:
            self.connection.setblocking(True)
            self.connection.sendall(data)
        except OSError:
            pass
        finally:
            self.connection.setblocking(False)


class FramesServer:
    def __init__(self, path):
        self.path = path
        self.lock = threading.RLock()
        self.verdicts = {}        # token -> (status, fields) or callable(token, thumbprint)
        self.routes = {}          # (client, selector) -> (status, fields) or callable
        self.default_route = (GRANT_UNKNOWN, ["no valid contract holds that grant"])
        self.log_answer = OK      # a status, HOLD, or callable(record) -> status
        self.verify_answer = None  # HOLD: VERIFY and ROUTE are held
        self.revoked = []
        self.records = {}         # (direction, id) -> made: as the node tells resends from replays
        self.frames = []          # (type, fields) received, in order
        self.held = []            # (worker, type, id, payload)
        self.workers = []
        self.generation = 1
        self.running = False
        self.start()

    # Life.

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.running = True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def stop(self):
        self.running = False
        self.thread.join()
        self.disconnect()
        self.listener.close()
        self.selector.close()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def disconnect(self):
        with self.lock:
            for worker in self.workers:
                try:
                    self.selector.unregister(worker.connection)
                except (KeyError, ValueError):
                    pass
                worker.connection.close()
            self.workers.clear()
            self.held.clear()

    def run(self):
        while self.running:
            for key, _ in self.selector.select(0.02):
                with self.lock:
                    if key.data is None:
                        self.accept()
                    else:
                        self.read(key.data)

    def accept(self):
        connection, _ = self.listener.accept()
        connection.setblocking(False)
        worker = Worker(connection)
        self.workers.append(worker)
        self.selector.register(connection, selectors.EVENT_READ, worker)

    def read(self, worker):
        try:
            data = worker.connection.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            if worker in self.workers:
                self.workers.remove(worker)
                self.selector.unregister(worker.connection)
                worker.connection.close()
            return
        worker.incoming += data
        while len(worker.incoming) >= HEADER.size:
            length, _, kind, _, id = HEADER.unpack_from(worker.incoming)
            if len(worker.incoming) < HEADER.size + length:
                break
            payload = bytes(worker.incoming[HEADER.size:HEADER.size + length])
            del worker.incoming[:HEADER.size + length]
            self.take(worker, kind, id, fields(payload))

    # Frames.

    def take(self, worker, kind, id, values):
        self.frames.append((kind, values))
        if kind == HELLO:
            worker.send(frame(HELLO, OK, id, field("fsc-test") + field("00000001000000000002") + field(self.generation)))
            worker.send(self.revoked_frame())
        elif kind == LOG:
            self.log(worker, id, values)
        elif kind in (VERIFY, ROUTE):
            if self.verify_answer == HOLD:
                self.held.append((worker, kind, id, values))
            else:
                self.answer(worker, kind, id, values)

    def log(self, worker, id, values):
        status = self.log_answer(values) if callable(self.log_answer) else self.log_answer
        if status == HOLD:
            self.held.append((worker, LOG, id, values))
            return
        if status == OK:
            key, made = (number(values[0]), values[1]), number(values[4])
            if self.records.setdefault(key, made) != made:
                status = LOG_ID_INVALID
        worker.send(frame(LOG, status, id))

    def answer(self, worker, kind, id, values):
        if kind == VERIFY:
            found = self.verdicts.get(values[0].decode(), (ACCESS_TOKEN_INVALID, ["the access token is not known here"]))
        else:
            found = self.routes.get((values[0].decode(), values[2].decode()), self.default_route)
        status, payload = found(*values) if callable(found) else found
        worker.send(frame(kind, status, id, b"".join(field(value) for value in payload)))

    def revoked_frame(self):
        return frame(REVOKED, OK, 0, field(0) + b"".join(field(serial) for serial in self.revoked))

    # Told from the test.

    def release(self):
        """Answers what was held, now the ordinary way."""
        with self.lock:
            held, self.held = self.held, []
            self.verify_answer = None
            if self.log_answer == HOLD:
                self.log_answer = OK
            for worker, kind, id, values in held:
                if kind == LOG:
                    self.log(worker, id, values)
                else:
                    self.answer(worker, kind, id, values)

    def flush(self):
        with self.lock:
            self.generation += 1
            for worker in self.workers:
                worker.send(frame(FLUSH, OK, 0, field(self.generation)))

    def revoke(self, serials):
        with self.lock:
            self.revoked = list(serials)
            for worker in self.workers:
                worker.send(self.revoked_frame())

    def send_raw(self, data):
        with self.lock:
            for worker in self.workers:
                worker.send(data)

    def count(self, kind):
        with self.lock:
            return sum(1 for got, _ in self.frames if got == kind)

    def of(self, kind):
        with self.lock:
            return [values for got, values in self.frames if got == kind]

    def forget(self):
        """Empties what was received; answers stay as set."""
        with self.lock:
            self.frames.clear()
            self.records.clear()
