"""A decision point as an organisation may run one beside its node: AuthZEN NL GOV 1.0.0, the Access Evaluation API, over TLS with a client certificate
asked for. A stand-in for tests, and only that: it decides what the test tells it to.

    point = DecisionPoint(stage_pki, folder, ("127.43.1.9", 8443), "pdp.fsc.test")
    point.decide = lambda question: {"decision": True}
"""
import contextlib
import http.server
import json
import pathlib
import socket
import ssl
import threading
import time


class DecisionPoint:
    def __init__(self, pki, folder, address, host):
        self.address, self.host = address, host
        self.identity = pki.leaf(pathlib.Path(folder) / "decision-point" / "tls", None, host, organization="Decision point")
        self.anchor = pki.anchor
        self.decide = lambda question: {"decision": False}
        self.asked = []      # (path, question, headers, subject of the client certificate)
        self.metadata = None  # the document at the well-known address; None: 404
        self.server, self.connections = None, []
        self.reset()

    @property
    def base(self):
        return f"https://{self.host}:{self.address[1]}"

    def reset(self):
        """Answers as the standard says, until one of these is set."""
        self.status, self.content_type, self.raw, self.request_id, self.delay = 200, "application/json", None, "same", 0

    def answer(self, handler, question):
        time.sleep(self.delay)
        body = self.raw if self.raw is not None else json.dumps(self.decide(question)).encode()
        handler.send_response(self.status)
        handler.send_header("Content-Type", self.content_type)
        handler.send_header("Content-Length", str(len(body)))
        if self.request_id and handler.headers["X-Request-ID"]:
            handler.send_header("X-Request-ID", handler.headers["X-Request-ID"] if self.request_id == "same" else self.request_id)
        handler.end_headers()
        handler.wfile.write(body)

    def start(self):
        point = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                found = self.path == "/.well-known/authzen-configuration" and point.metadata is not None
                body = json.dumps(point.metadata if found else {}).encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                subject = {part[0][0]: part[0][1] for part in (self.connection.getpeercert() or {}).get("subject", ())}
                point.asked.append((self.path, question, dict(self.headers), subject))
                point.answer(self, question)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def finish_request(self, request, client_address):
                request.settimeout(20)
                stream = context.wrap_socket(request, server_side=True)
                point.connections.append(stream)
                super().finish_request(stream, client_address)

            def handle_error(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.identity.certificate, self.identity.key)
        context.load_verify_locations(self.anchor)
        context.verify_mode = ssl.CERT_OPTIONAL
        self.server = Server(self.address, Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        while self.connections:  # those that the node keeps open, too
            with contextlib.suppress(OSError):
                self.connections.pop().shutdown(socket.SHUT_RDWR)
