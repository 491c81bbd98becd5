#!/usr/bin/env python3
"""What goes by is not read, changed, stored or tried twice (decisions.md 4), through Outway and Inway together."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stage import *  # noqa: E402,F403

MEGABYTE = 1 << 20


def files_under(stage):
    return sorted(str(path) for edge in ("provider", "consumer") for path in (stage.folder / edge / "data").rglob("*") if path.is_file())


class Watch:
    """Looks at the temporary folders of nginx all the time; and at files nginx holds open after unlinking them."""

    def __init__(self, stage):
        self.stage, self.seen, self.stopped = stage, set(), False

    def __enter__(self):
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def look(self):
        while not self.stopped:
            self.seen.update(files_under(self.stage))
            for edge in (self.stage.provider, self.stage.consumer):
                for child in pathlib.Path(f"/proc/{edge.process.pid}/task/{edge.process.pid}/children").read_text().split():
                    for descriptor in pathlib.Path(f"/proc/{child}/fd").iterdir():
                        try:
                            target = os.readlink(descriptor)
                        except OSError:
                            continue
                        if str(self.stage.folder) in target and "edge.log" not in target:
                            self.seen.add(target)
            time.sleep(0.005)

    def __exit__(self, *_):
        self.stopped = True
        self.thread.join()


@test
def leaves_path_and_query_as_they_are(stage):
    # FSC Core 2.0.0, 4.6.1.2: the Outway MUST NOT alter the path.
    for path in ("/a%2Fb", "/a//b", "/a/./b", "/a/../b", "/a/b/..", "/%41", "/a;b=c", "/a?b=%20+&&c=?", "/?", "/a?", "/*",
                 "/%C3%A9", "/a%5Cb", "/a\\b", "/a|b", "/{x}", "/a?x=http://y/z", "/$1$3$x?$host", "//a", "/a%23b", "/a/%2e%2e/%2E", "/a/..", "///"):
        equal(stage.call(path=path).status, 200, path)
        equal(stage.service.last.first, f"GET {path} HTTP/1.1")


@test
def refuses_a_path_that_leaves_the_root_or_holds_a_nul(stage):
    for path in ("/../a", "/a/../../b", "/%2e%2e/a", "/a%00b"):
        answer = stage.call(path=path)
        equal((answer.status, answer["Content-Type"]), (400, "application/problem+json"), path)
    equal(stage.service.requests, [])


@test
def leaves_an_absolute_target_to_its_path(stage):
    equal(stage.call(path="http://service.2/a//b?c").status, 200)
    equal(stage.service.last.first, "GET /a//b?c HTTP/1.1")


@test
def passes_every_method_but_connect_and_trace(stage):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "QUERY"):
        equal(stage.call(method, body=b"x").status, 200, method)
        equal(stage.service.last.first.split()[0], method)


@test
def passes_request_headers(stage):
    more = {"X_Under_Score": "1", "X-Two": ["a", "b"], "X-Empty": "", "X-Utf8": "\xc3\xa9", "Cookie": "a=b", "Accept-Encoding": "gzip, br",
            "Authorization": "Basic x", "If-None-Match": '"x"', "Range": "bytes=0-1", "X-Accel-Redirect": "/x", "Via": "me", "Forwarded": "for=x",
            "Origin": "https://x.test", "X-Dot.Ted": "1", "Date": "yesterday", "User-Agent": "own/1"}
    equal(stage.call(headers=more).status, 200)
    for key, value in more.items():
        equal(stage.service.last.all(key), value if isinstance(value, list) else [value], key)


@test
def passes_response_headers(stage):
    # decisions.md 4: nginx would act on X-Accel-* and hide Server and Date.
    lines = ["X-Accel-Redirect: /etc/passwd", "X-Accel-Buffering: no", "X-Accel-Expires: 1", "X-Accel-Limit-Rate: 1", "X-Accel-Charset: x",
             "Server: own/1", "Date: Thu, 01 Jan 1970 00:00:00 GMT", "Expires: 0", "Cache-Control: max-age=5", "Set-Cookie: a=b; Path=/x",
             "Set-Cookie: c=d", "Vary: *", "Location: http://service.internal/x", "Refresh: 5; url=http://service.internal/", "ETag: \"e\"",
             "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT", "Content-Encoding: own", "X_Under: 1", "X-Pad: x", "Link: <a>; rel=b",
             "Status: 201", "WWW-Authenticate: Own x", "Accept-Ranges: none", "Content-Type: text/own; charset=x", "Fsc-Error-Code: OWN",
             "Fundament-Own: x"]
    stage.service.answer = lambda request: ("HTTP/1.1 200 Fine\r\n" + "\r\n".join(lines) + "\r\nContent-Length: 3\r\n\r\nown").encode()
    answer = stage.call()
    equal((answer.status, answer.body), (200, b"own"))
    for line in lines:
        key, value = line.split(": ", 1)
        assert value in answer.all(key), (line, answer.headers)
        equal(len(answer.all(key)), 2 if key == "Set-Cookie" else 1, key)


@test
def passes_every_status(stage):
    for status in (200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 412, 413, 414, 415,
                   416, 418, 421, 422, 425, 426, 428, 429, 431, 451, 494, 495, 499, 500, 501, 502, 503, 504, 505, 507, 511, 599):
        stage.service.answer = lambda request: b"HTTP/1.1 %d Own\r\nX-Own: 1\r\n%s\r\n" % (
            status, b"" if status in (204, 304) else b"Content-Length: 0\r\n")
        answer = stage.call()
        equal((answer.status, answer["X-Own"], answer["Fsc-Error-Code"]), (status, "1", None))


@test
def streams_a_large_request(stage):
    body = os.urandom(10 * MEGABYTE)
    with Watch(stage) as watch:
        answer = stage.call("POST", body=body)
    equal((answer.status, answer.body.decode()), (200, hashlib.sha256(body).hexdigest()))
    equal(watch.seen, set(), "temporary files")


@test
def streams_a_large_response(stage):
    body = os.urandom(64 * MEGABYTE)  # more than the sockets in between can hold
    stage.service.answer = lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with Watch(stage) as watch:
        with socket.create_connection(stage.outway_address) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost: service.2\r\n\r\n")
            # A client that does not read: when the service cannot send any more, what could be spilled has been.
            until(lambda: stage.service.blocked, what="a full pipe")
            reader = Reader(slow)
            answer = reader.head()
            equal(reader.body(answer) == body, True, "same bytes")
    equal(watch.seen, set(), "temporary files")


@test
def streams_while_the_client_still_sends(stage):
    started, original = threading.Event(), Reader.body

    def body(reader, message, to_close=False):
        if not message.first.startswith("POST"):
            return original(reader, message, to_close)
        reader.until(b"first")
        started.set()
        reader.until(b"0\r\n\r\n")
        return b"first"

    Reader.body = body
    try:
        with socket.create_connection(stage.outway_address) as client:
            client.sendall(b"POST / HTTP/1.1\r\nHost: service.2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            assert started.wait(5), "the first chunk reaches the service before the last is sent"
            client.sendall(b"0\r\n\r\n")
            equal(Reader(client).head().status, 200)
    finally:
        Reader.body = original


@test
def passes_chunked_bodies_both_ways(stage):
    stage.service.answer = lambda request: [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n"]
    answer = stage.call(raw=b"POST / HTTP/1.1\r\nHost: service.2\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n")
    equal((answer.status, answer.body, stage.service.last.body), (200, b"abcde", b"abc"))


@test
def passes_a_response_that_ends_with_the_connection(stage):
    def answer(request):
        return [b"HTTP/1.0 200 OK\r\n\r\nuntil the end", None]

    stage.service.answer = answer
    equal(stage.call().body, b"until the end")


@test
def asks_for_a_body_only_when_the_request_may_pass(stage):
    # Expect: 100-continue, RFC 9110 10.1.1.
    body = b"x" * 1000
    with socket.create_connection(stage.outway_address) as client:
        reader = Reader(client)
        client.sendall(b"POST / HTTP/1.1\r\nHost: service.2\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
        equal(reader.head().status, 100)
        client.sendall(body)
        answer = reader.head()
        equal((answer.status, reader.body(answer).decode()), (200, hashlib.sha256(body).hexdigest()))
    with socket.create_connection(stage.outway_address) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: nobody\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
        equal(Reader(client).head().status, 400)


@test
def passes_head(stage):
    stage.service.answer = lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n"
    answer = stage.call("HEAD")
    equal((answer.status, answer["Content-Length"], stage.service.last.first), (200, "12345", "HEAD / HTTP/1.1"))


@test
def never_sends_a_request_twice(stage):
    # decisions.md 4: proxy_next_upstream off. Also on a kept connection that ends just then.
    equal(stage.call().status, 200)
    for method in ("GET", "POST"):
        stage.service.requests.clear()
        stage.service.answer = lambda request: None
        equal(stage.call(method, body=b"x").status, 502)
        equal(len(stage.service.requests), 1, method)


@test
def cuts_the_answer_off_where_the_service_did(stage):
    stage.service.answer = lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", None]
    try:
        stage.call()
        raise AssertionError("an answer that is cut short must not look whole")
    except (EOFError, ConnectionError):
        pass


@test
def refuses_a_body_over_the_limit(stage):
    # The limit of these edges is the default, 1 GiB: told by the header, before a byte of it is sent.
    answer = stage.call(raw=b"POST / HTTP/1.1\r\nHost: service.2\r\nContent-Length: 1073741825\r\n\r\n")
    equal((answer.status, answer["Content-Type"]), (413, "application/problem+json"))


@test
def does_not_take_headers_apart_for_smuggling(stage):
    for raw in (b"GET / HTTP/1.1\r\nHost: service.2\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                b"GET / HTTP/1.1\r\nHost: service.2\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: service.2\r\nHost: service.2\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: service.2\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: service.2\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
                b"GET /\x01 HTTP/1.1\r\nHost: service.2\r\n\r\n", b"GET / HTTP/1.1\r\nHost: service.2\r\nX\x00Y: 1\r\n\r\n"):
        status = stage.call(raw=raw).status
        assert status in (400, 501), (raw, status)
    equal(stage.service.requests, [])


run()
