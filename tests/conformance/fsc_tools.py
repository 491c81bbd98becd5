"""What the FSC conformance programs share besides the stage: judging answers, playing services and Inways, requests through Inway and Outway."""
import base64
import contextlib
import hashlib
import http.client
import http.server
import json
import os
import resource
import socket
import ssl
import threading
import time
import urllib.parse

from fsc_stage import PORT, until
from fsc_peer import Identity, b64, content_hash


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: got {got!r}, wanted {wanted!r}"


def created(reply):
    equal(reply[0], 201, reply[1])


ERRORS_SEEN = set()  # every Fsc-Error-Code that a Manager gave


def is_error(reply, status, code):
    """FSC Core 2.0.0, 4.4.5.2: body {message, domain, code} and the header Fsc-Error-Code; without a code in the tables: problem+json."""
    got, body, headers = reply
    equal(got, status, body)
    if code:
        ERRORS_SEEN.add((status, code))
        equal(headers["Fsc-Error-Code"], code)
        equal((body["code"], body["domain"]), (code, "ERROR_DOMAIN_MANAGER"))
        assert isinstance(body["message"], str) and body["message"] and set(body) == {"message", "domain", "code"}, body
    else:
        equal(headers["Fsc-Error-Code"], None)
        equal(headers["Content-Type"].split(";")[0], "application/problem+json")
        assert body.get("detail") or body.get("title"), body


def is_gateway_error(reply, status, code, domain):
    """FSC Core 2.0.0, 4.1.7: what an Inway or Outway itself refuses with."""
    got, body, headers = reply
    equal(got, status, body)
    equal(headers["Fsc-Error-Code"], code, body)
    fault = json.loads(body)
    equal((fault["code"], fault["domain"], set(fault)), (code, domain, {"message", "domain", "code"}))


def refused(reply, error):
    """RFC 6749, 5.2: what /token refuses with."""
    equal(reply[0], 400, reply[1])
    equal(reply[1]["error"], error, reply[1])


def listed(peer, node, content, **query):
    """The contract as GET /contracts gives it to this peer, or None."""
    words = urllib.parse.urlencode({"limit": 1000, **query})
    status, body, _ = peer.call(node, "GET", f"/v1/contracts?{words}")
    equal(status, 200, body)
    found = [one for one in body["contracts"] if one["content"] == content]
    return found[0] if found else None


def decide(node, content, word="accept"):
    """A person of the node's organisation accepts, rejects or revokes."""
    status, answer = node.admin("POST", f"/fsc/v1/contracts/{content_hash(content)}/{word}")
    equal(status, 200, answer)


def jwt_parts(token):
    """Header and claims."""
    return [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in token.split(".")[:2]]


def together(*calls):
    """What the calls give, made at the same time."""
    results = [None] * len(calls)

    def run(at):
        results[at] = calls[at]()
    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def uuid7(when=None):
    number = int((when or time.time()) * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xf << 76) | 7 << 76
    number = number & ~(3 << 62) | 2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Backend:
    """An HTTP server that remembers what it was asked: a service, or with `context` the Inway of another organisation. `meanwhile(path, headers)` runs
    while the request waits for its answer."""

    def __init__(self, address, context=None):
        backend = self
        self.requests, self.meanwhile, self.answer, self.connections, self.callers = [], None, (200, b"ok", {}), [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                backend.requests.append((self.path, dict(self.headers)))
                if context:  # the thumbprint of the client certificate
                    backend.callers.append(b64(hashlib.sha256(self.connection.getpeercert(True)).digest()))
                if backend.meanwhile:
                    backend.meanwhile(self.path, self.headers)
                status, body, headers = backend.answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = serve

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def finish_request(self, request, client_address):
                request.settimeout(30)
                stream = context.wrap_socket(request, server_side=True) if context else request
                backend.connections.append(stream)
                try:
                    super().finish_request(stream, client_address)
                finally:
                    stream.close()

            def handle_error(self, *_):
                pass

        self.server = Server(address, Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        while self.connections:  # those that are kept open, too
            with contextlib.suppress(OSError):
                self.connections.pop().shutdown(socket.SHUT_RDWR)


def server_context(stage, identity):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    context.load_verify_locations(stage.pki.anchor)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def through_inway(stage, node, identity, token, transaction="new", path="/x?y=1", method="GET", headers=None, host=None):
    """Status, body and headers of a request straight to the Inway with this client certificate."""
    context = ssl.create_default_context(cafile=str(stage.pki.anchor))
    if identity:
        context.load_cert_chain(identity.certificate, identity.key)
    client = http.client.HTTPSConnection(host or f"inway.{node.name}.fsc.test", PORT, timeout=30, context=context)
    client._create_connection = lambda *_: socket.create_connection((node.address, PORT), 30)
    send = dict(headers or {})
    if token is not None:
        send["Fsc-Authorization"] = token
    if transaction is not None:
        send["Fsc-Transaction-Id"] = uuid7() if transaction == "new" else transaction
    try:
        client.request(method, path, headers=send)
        answer = client.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        client.close()


def through_outway(address, host=None, grant=None, path="/x?y=1", method="GET", headers=None, body=None):
    client = http.client.HTTPConnection(*address, timeout=30)
    send = {"Host": host or "localhost", **(headers or {})}
    if grant:
        send["Fsc-Grant-Hash"] = grant
    try:
        client.request(method, path, headers=send, body=body)
        answer = client.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        client.close()


def log_record(peer, node, transaction):
    """What GET /logs of this node gives this peer about one transaction, as soon as it is indexed."""
    def found():
        status, body, _ = peer.call(node, "GET", f"/v1/logs?transaction_ids={transaction}")
        equal(status, 200, body)
        return body["records"]
    return until("the record is indexed", found)


@contextlib.contextmanager
def broken_log(node):
    """The node's files may not grow: its log cannot be written."""
    process = node.processes["serve"].pid
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class Party:
    """A node in the role of a consumer: what a connection grant says of its Outway."""

    def __init__(self, node):
        self.oin = node.oin
        self.outway = Identity(node.folder / "keys" / "outway")
        self.public_key_thumbprint = self.outway.public_key_thumbprint


class TokenMaker:
    """POST /token of the provider that a test plays: tokens on any grant hash, or refusals."""

    def __init__(self, peer, node, address):
        self.peer, self.outway, self.address = peer, Identity(node.folder / "keys" / "outway"), address
        self.node, self.asked, self.changes, self.life, self.delay, self.refusal = node, 0, {}, 300, 0, None
        peer.answers[("POST", "/v1/token")] = self.answer

    def answer(self, body):
        form = dict(urllib.parse.parse_qsl(body))
        self.asked += 1
        time.sleep(self.delay)
        if self.refusal:
            return self.refusal
        now = int(time.time())
        claims = {"gth": form["scope"], "gid": "fsc-test", "sub": form["client_id"], "iss": self.peer.oin, "svc": "theirs", "aud": self.address,
                  "exp": now + self.life, "nbf": now, "cnf": {"x5t#S256": self.outway.thumbprint}, "add": {}, **self.changes}
        return 200, {"access_token": self.peer.signer.jws(claims), "token_type": "bearer"}


def agreed(node, provider, name):
    """A valid connection of the node to a service of the provider, made by the node; content and grant hash."""
    status, answer = node.admin("POST", "/fsc/v1/connections", {"service": name, "peer_id": provider.oin})
    equal(status, 201, answer)

    def arrived():
        contents = [json.loads(one[2])["content"] for one in provider.received("POST", "/v1/contracts")]
        return [content for content in contents if content_hash(content) == answer["hash"]]
    content = until("the proposal arrives", arrived)[0]
    created(provider.place(node, content, "accept"))
    return content, answer["grant_hash"]
