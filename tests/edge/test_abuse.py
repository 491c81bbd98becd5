#!/usr/bin/env python3
"""Who means harm, or is merely very slow: limits hold, and others are not slowed."""
import os
import resource
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stage import *  # noqa: E402,F403

IDLE = 10000  # TLS connections on which nothing moves
CONNECTIONS = 4000  # that the edge may hold here: fewer than there are idle ones
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
PATIENCE = 5  # seconds in which others must be answered
HEADERS = f"Host: {INWAY_NAME}\r\nFsc-Authorization: Bearer token\r\n"


class AbuseStage(Stage):
    def prepare(self):
        # The edge takes as many connections as it may hold files: here fewer than there will be idle ones.
        self.provider.wrapper = ("prlimit", f"--nofile={CONNECTIONS}:{CONNECTIONS}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(HARD, IDLE + CONNECTIONS), HARD))

    def open(self, count):
        return [self.tls(self.outway) for _ in range(count)]

    def others(self):
        """Somebody else asks something at both doors, on a new connection, and is answered in time."""
        started = time.monotonic()
        equal(self.inway().status, 200, "at the Inway")
        equal(self.call().status, 200, "at the Outway")
        took = time.monotonic() - started
        assert took < PATIENCE, f"others waited {took:.1f} s"

    def memory(self):
        """Bytes of the provider's edge that are its own: the anonymous memory of all its processes."""
        total = 0
        for process in family(self.provider.process.pid):
            text = pathlib.Path(f"/proc/{process}/status").read_text()
            total += 1024 * int(next(line.split()[1] for line in text.splitlines() if line.startswith("RssAnon")))
        return total


def family(pid):
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [one for child in children for one in family(int(child))]


def send(connection, text):
    try:
        connection.sendall(text if isinstance(text, bytes) else text.encode())
        return True
    except OSError:
        return False


def closed(connection):
    connection.settimeout(0)
    try:
        return connection.recv(1 << 16) == b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


@test
def ten_thousand_idle_tls_connections_keep_nobody_out(stage):
    before = stage.memory()
    context = ssl.create_default_context(cafile=str(stage.pki.anchor))
    context.load_cert_chain(*stage.outway)
    idle = []
    for number in range(IDLE):
        idle.append(context.wrap_socket(socket.create_connection(stage.inway_address, 10), server_hostname=INWAY_NAME))
        if number % 2500 == 2499:
            stage.others()
    held = sum(1 for connection in idle if not closed(connection))
    assert 0 < held <= CONNECTIONS, f"{held} are held; the oldest idle ones make room for new ones"
    each = (stage.memory() - before) / held
    assert each < 100_000, f"{each:.0f} bytes for each idle connection"
    stage.others()
    for connection in idle:
        connection.close()


@test
def who_sends_headers_drop_by_drop_delays_nobody_and_is_cut_off(stage):
    slow = stage.open(200)
    for connection in slow:
        send(connection, f"GET / HTTP/1.1\r\n{HEADERS}X-Slow: ")
    for _ in range(5):
        stage.others()
        assert all(send(connection, "x") for connection in slow), "nobody is cut off before the time"
        time.sleep(0.1)
    # client_header_timeout counts from the first byte: a byte now and then does not help.
    started = time.monotonic()

    def all_cut():
        for connection in slow:
            send(connection, "x")
        time.sleep(0.5)
        return all(closed(connection) for connection in slow)
    until(all_cut, 30, "the end of slow requests")
    assert time.monotonic() - started < 25
    stage.others()


@test
def who_sends_a_body_drop_by_drop_delays_nobody(stage):
    slow = stage.open(200)
    for connection in slow:
        send(connection, f"POST / HTTP/1.1\r\n{HEADERS}Fsc-Transaction-Id: {transaction()}\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(5):
        for connection in slow:
            assert send(connection, "x")
        stage.others()
    for connection in slow:
        connection.close()


@test
def who_reads_an_answer_drop_by_drop_delays_nobody_and_costs_little(stage):
    body = b"x" * 10_000_000
    stage.service.answer = lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body \
        if b"/big" in request.first.encode() else Service.echo(request)
    before = stage.memory()
    slow = stage.open(40)
    for connection in slow:
        send(connection, f"GET /big HTTP/1.1\r\n{HEADERS}Fsc-Transaction-Id: {transaction()}\r\n\r\n")
    for _ in range(5):
        for connection in slow:
            assert len(connection.recv(1)) == 1
        stage.others()
    grown = (stage.memory() - before) / len(slow)
    assert grown < 1_000_000, f"{grown:.0f} bytes are held for an answer of {len(body)}"
    for connection in slow:
        connection.close()


@test
def a_service_that_answers_drop_by_drop_delays_no_other_request(stage):
    stop = threading.Event()

    def drops(request):
        def parts():
            yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
            while not stop.wait(1):
                yield b"x"
            yield None
        return Parts(parts()) if "/slow" in request.first else Service.echo(request)
    stage.service.answer = drops
    slow = stage.open(50)
    for connection in slow:
        send(connection, f"GET /slow HTTP/1.1\r\n{HEADERS}Fsc-Transaction-Id: {transaction()}\r\n\r\n")
    until(lambda: len(stage.service.requests) == len(slow), what="all slow requests at the service")
    for _ in range(5):
        stage.others()
    stop.set()
    for connection in slow:
        connection.close()


@test
def a_stream_of_events_goes_on_event_by_event(stage):
    more, stop = threading.Semaphore(0), threading.Event()

    def events(request):
        def parts():
            yield b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
            while not stop.is_set():
                yield b"9\r\ndata: a\n\n\r\n"
                more.acquire()
        return Parts(parts())
    stage.service.answer = events
    with socket.create_connection(stage.outway_address, 10) as connection:
        send(connection, "GET /events HTTP/1.1\r\nHost: service.2\r\n\r\n")
        reader = Reader(connection)
        equal(reader.head()["Content-Type"], "text/event-stream; charset=utf-8")
        for _ in range(3):
            equal(int(reader.until(b"\r\n"), 16), 9)
            equal(reader.exactly(11), b"data: a\n\n\r\n")
            more.release()
    stop.set()
    more.release()


class Parts(list):
    """Parts of an answer that come when they come."""

    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def __iter__(self):
        return self.parts


@test
def floods_of_headers_are_refused_with_431(stage):
    for headers in ("X-Big: " + "x" * 17000 + "\r\n",  # one that is longer than a buffer
                    "".join(f"X-Many-{number}: {'y' * 100}\r\n" for number in range(2000))):  # more than all buffers
        answer = stage.inway(raw=f"GET / HTTP/1.1\r\n{HEADERS}{headers}\r\n".encode())
        equal(answer.status, 431)
        equal(answer["Content-Type"], "application/problem+json")
    equal(stage.inway(raw=f"GET /{'p' * 17000} HTTP/1.1\r\n{HEADERS}\r\n".encode()).status, 414)
    equal(len(stage.service.requests), 0)
    floods = stage.open(50)
    for connection in floods:
        send(connection, f"GET / HTTP/1.1\r\n{HEADERS}" + "X: " + "z" * 60000)
    stage.others()
    for connection in floods:
        connection.close()


@test
def a_thousand_requests_sent_without_waiting_are_answered_in_order(stage):
    with stage.tls(stage.outway) as connection:
        ids = [transaction() for _ in range(1000)]
        for start in range(0, len(ids), 50):
            part = ids[start:start + 50]
            connection.sendall("".join(f"GET /{id} HTTP/1.1\r\n{HEADERS}Fsc-Transaction-Id: {id}\r\n\r\n" for id in part).encode())
            reader = Reader(connection)
            for _ in part:
                answer = reader.head()
                equal(answer.status, 200)
                reader.body(answer)
            assert not reader.buffer
    equal([request["Fsc-Transaction-Id"] for request in stage.service.requests], ids)


@test
def requests_smuggled_behind_two_lengths_are_refused(stage):
    # RFC 9112, 6.3: a message with both, or with two that differ, may hide another one.
    hidden = f"GET /hidden HTTP/1.1\r\n{HEADERS}Fsc-Transaction-Id: {transaction()}\r\n\r\n"
    chunked = "0\r\n\r\n" + hidden
    for lengths, body in ((f"Content-Length: {len(chunked)}\r\nTransfer-Encoding: chunked\r\n", chunked),
                          (f"Content-Length: 0\r\nContent-Length: {len(hidden)}\r\n", hidden),
                          ("Content-Length: +0\r\n", hidden), ("Content-Length: -1\r\n", hidden),
                          ("Transfer-Encoding: chunked, identity\r\n", chunked), ("Transfer-Encoding: x\r\n", chunked)):
        stage.service.requests.clear()
        with stage.tls(stage.outway) as connection:
            send(connection, f"POST / HTTP/1.1\r\n{HEADERS}Fsc-Transaction-Id: {transaction()}\r\n{lengths}\r\n{body}")
            answer = Reader(connection).head()
        assert answer.status in (400, 501), f"{lengths!r} is answered {answer.status}"
        assert not any("hidden" in request.first for request in stage.service.requests), lengths


def frame(kind, flags, stream, payload=b""):
    """RFC 9113, 4.1."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name, value):
    """RFC 7541, 6.2.2: a header that goes into no table, not compressed."""
    def text(words):
        assert len(words) < 127
        return bytes([len(words)]) + words.encode()
    return b"\x00" + text(name) + text(value)


@test
def http2_streams_that_are_reset_at_once_by_the_thousand_slow_nobody(stage):
    # The "rapid reset" attack: each stream is asked for and given up in one breath.
    head = literal(":method", "GET") + literal(":scheme", "https") + literal(":path", "/") + literal(":authority", INWAY_NAME)
    with stage.tls(stage.outway, alpn=("h2",)) as connection:
        equal(connection.selected_alpn_protocol(), "h2")
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0))
        alive = True
        for start in range(1, 20001, 200):
            burst = b"".join(frame(1, 5, stream, head) + frame(3, 0, stream, (8).to_bytes(4, "big")) for stream in range(start, start + 200, 2))
            alive = alive and send(connection, burst)
        stage.others()
    equal(len([request for request in stage.service.requests if "Fsc-Authorization" not in dict(request.headers)]), 0)


@test
def http2_headers_that_never_end_are_not_kept(stage):
    # CONTINUATION frames without END_HEADERS: neither memory nor the time of others goes to them.
    before = stage.memory()
    with stage.tls(stage.outway, alpn=("h2",)) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0) + frame(1, 1, 1, literal(":method", "GET")))
        piece = frame(9, 0, 1, b"".join(literal(f"x-{number}", "y" * 100) for number in range(100)))
        sent = 0
        while sent < 2000 and send(connection, piece):
            sent += 1
            if sent % 500 == 0:
                stage.others()
        grown = stage.memory() - before
    assert grown < 5_000_000, f"{grown} bytes are held after {sent} pieces of headers"
    equal(len([request for request in stage.service.requests if request["x-1"]]), 0)


run(AbuseStage)
