"""Stands in for our own Outway, with the logbooks and the register of made-up organisations behind it, for tests of the portal.

Which organisation is asked stands in the Host header, as at a real Outway. Each does as it is told: answer, answer in pages, answer
late, refuse, break, or lie.

    peer = LogbookPeer("127.0.0.11:9099")
    peer.behaviour["00000001000000000003"] = "slow"
    peer.operations["00000001000000000003"] = [operation(...)]
    peer.start()
"""
import base64
import hashlib
import http.server
import json
import socketserver
import threading
import time

BEHAVIOURS = ("answer", "slow", "refuse", "broken", "hang_up", "no_json", "no_list", "huge")
HOSTILE = "\"><script>alert(1)</script><b onclick='x'>&amp;\u202e"


def rfc3339(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def identifier(text, digits):
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def operation(trace, span, name, at, activity=None, parent=None, categories=(), receiver=None, status="Unset"):
    """One record in the shape of the read extension. `trace` and `span` are words; the ids are made of them."""
    trace_id = identifier(trace, 32)
    attributes = {"dpl": {"core": {"dataSubjectIdType": "BSN"}}}
    if activity:
        attributes["dpl"]["core"]["processingActivityId"] = activity
    if categories:
        attributes["nl.fundament.data_categories"] = list(categories)
    if receiver:
        attributes["nl.fundament.receiver"] = receiver
    item = {"traceId": "-".join([trace_id[:8], trace_id[8:12], trace_id[12:16], trace_id[16:20], trace_id[20:]]),
            "spanId": identifier(span, 16), "status": status, "name": name, "startTime": rfc3339(at), "endTime": rfc3339(at + 1),
            "attributes": attributes}
    if parent:
        item["parentSpanId"] = identifier(parent, 16)
    return item


def activity(uri, name, purpose, decision=None, laws=(), english=None, valid_from=0):
    entry = {"id": uri, "name": name, "purpose": purpose, "legalBasis": [{"title": title, "url": url} for title, url in laws],
             "version": 1, "validFrom": rfc3339(valid_from), "active": True}
    if decision:
        entry["decision"] = decision
    if english:
        entry["translations"] = {"en": english}
    return entry


def claims(statement):
    """What the statement of the sign-in provider says; its signature is for a real logbook to check."""
    payload = statement["jws"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    peer = None

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle_request(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        service, _, oin = self.headers.get("Host", "").partition(".")
        self.peer.asked.append((oin, service, self.path, body))
        kind = self.peer.behaviour.get(oin, "answer")
        if kind == "slow":
            self.peer.stopping.wait(15)
        if kind in ("slow", "hang_up"):
            self.close_connection = True
        elif kind == "refuse":
            self.answer(403, {"title": "Forbidden", "status": 403}, "application/problem+json")
        elif kind == "broken":
            self.answer(500, {"title": "Internal Server Error", "status": 500}, "application/problem+json")
        elif kind == "no_json":
            self.answer(200, b"{\"dataProcessingOperations\": [")
        elif kind == "no_list":
            self.answer(200, {"dataProcessingOperations": "none", "processingActivities": 3, "periodStart": []})
        elif kind == "huge":
            self.answer(200, b"[" + b"0," * (3 << 20) + b"0]")
        else:
            self.answer(*self.peer.reply(oin, service, self.path, body))

    do_GET = do_POST = handle_request


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # a client that hangs up in the middle of an answer is what some tests are about


class LogbookPeer:
    def __init__(self, address, page_size=500):
        self.address, self.page_size = address, page_size
        self.behaviour, self.operations, self.activities, self.since = {}, {}, {}, {}
        self.persons = {"type": "RaadpleegMetBurgerservicenummer", "personen": []}
        self.asked = []
        self.stopping = threading.Event()
        self.server = None

    def reply(self, oin, service, path, body):
        if service == "brp-personen-bevragen":
            return 200, self.persons
        if path.endswith("/processing-activities"):
            return 200, {"processingActivities": self.activities.get(oin, [])}
        if path.endswith("/usage-period"):
            return 200, {"periodStart": rfc3339(self.since[oin])} if oin in self.since else {}
        return self.read(oin, json.loads(body))

    def read(self, oin, query):
        if claims(query["nl.fundament.statement"])["aud"] != oin:
            return 403, {"title": "Forbidden", "status": 403}
        found = sorted((item for item in self.operations.get(oin, []) if item["startTime"] >= query.get("startTime", "")),
                       key=lambda item: item["startTime"], reverse=True)
        if "traceId" in query:
            found = [item for item in found if item["traceId"].replace("-", "") == query["traceId"].replace("-", "")]
        first = int(query.get("cursor") or 0)
        answer = {"metadata": {"organizationName": oin}, "dataProcessingOperations": found[first:first + self.page_size]}
        if first + self.page_size < len(found):
            answer["pagination"] = {"nextCursor": str(first + self.page_size)}
        return 200, answer

    def start(self):
        host, port = self.address.rsplit(":", 1)
        self.server = Server((host, int(port)), type("BoundHandler", (Handler,), {"peer": self}))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.stopping.set()
        if self.server:
            self.server.shutdown()
            self.server.server_close()
