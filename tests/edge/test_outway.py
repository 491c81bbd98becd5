#!/usr/bin/env python3
"""The Outway: FSC Core 2.0.0, 4.6; FSC Logging 1.1.0, 3.4; decisions.md 1 to 8."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stage import *  # noqa: E402,F403

UUID7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


class Twins:
    """Several Inways behind one port: each with its own certificate, chosen by the TLS name."""

    def __init__(self, stage, address, names, tls12=False):
        self.seen = []         # (TLS name asked for, Host, path)
        self.connections = []  # (TLS name, session reused)
        contexts = {}
        for name, certificate_name in names.items():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*stage.pki.leaf(stage.folder / "twins" / name, PROVIDER, certificate_name))
            context.load_verify_locations(str(stage.pki.anchor))
            context.verify_mode = ssl.CERT_REQUIRED
            if tls12:
                context.maximum_version = ssl.TLSVersion.TLSv1_2
            contexts[name] = context
        self.first = next(iter(contexts.values()))

        def choose(connection, name, _):
            connection.asked = name
            connection.context = contexts.get(name, self.first)

        self.first.sni_callback = choose
        self.listener = socket.create_server(address, backlog=64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(plain,), daemon=True).start()

    def serve(self, plain):
        try:
            with self.first.wrap_socket(plain, server_side=True) as connection:
                name = getattr(connection, "asked", None)
                self.connections.append((name, connection.session_reused))
                reader = Reader(connection)
                while True:
                    request = reader.head()
                    reader.body(request)
                    self.seen.append((name, request["Host"], request.first))
                    body = name.encode()
                    close = "/close" in request.first
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n" % (
                        len(body), b"Connection: close\r\n" if close else b"") + body)
                    if close:
                        return
        except (EOFError, OSError):
            pass

    def stop(self):
        self.listener.close()


def coded(answer, status, code):
    equal(answer.status, status, "status")
    equal(answer["Fsc-Error-Code"], code, "Fsc-Error-Code")
    equal(answer.json["code"], code, "code")
    equal(answer.json["domain"], "ERROR_DOMAIN_OUTWAY", "domain")


def problem(answer, status):
    equal((answer.status, answer["Fsc-Error-Code"], answer["Content-Type"]), (status, None, "application/problem+json"))
    equal(answer.json["status"], status)


@test
def brings_a_request_to_the_service_and_the_answer_back(stage):
    answer = stage.call("POST", "/x?y=z", {"X-Own": "1"}, b"question")
    equal(answer.status, 200)
    equal(answer.body.decode(), hashlib.sha256(b"question").hexdigest())
    got = stage.service.last
    equal(got.first, "POST /x?y=z HTTP/1.1")
    equal(got.all("Fsc-Authorization"), ["Bearer token"])
    equal(got["Host"], f"{INWAY_NAME}:28443", "Host is the TLS name of the Inway with its port")
    assert UUID7.match(got["Fsc-Transaction-Id"])
    equal(answer.all("Fsc-Transaction-Id"), got.all("Fsc-Transaction-Id"), "FSC Logging 1.1.0, 3.4.1.1: in the answer as well")
    equal(got["Fsc-Grant-Hash"], None, "a header for the Outway stays there")


@test
def picks_the_grant_by_hash_or_else_by_host(stage):
    asked = []
    stage.consumer.frames.default_route = lambda *values: asked.append(values) or (frames.GRANT_UNKNOWN, ["unknown"])
    stage.call(headers={"Fsc-Grant-Hash": "$1$3$other"})
    stage.call(host="Brp.Service.00000001000000000002:9001")
    equal([(a.decode(), frames.number(b), c.decode()) for a, b, c in asked],
          [("app", 1, "$1$3$other"), ("app", 2, "Brp.Service.00000001000000000002")])
    equal(stage.call(headers={"Fsc-Grant-Hash": "$1$3$hash"}, host="nobody.test").status, 200)


@test
def knows_clients_by_their_own_port(stage):
    # decisions.md 7: a client has its own list of grants.
    stage.consumer.frames.routes[("other", "service.2")] = (frames.CLIENT_DENIED, ["this client may not use that grant"])
    problem(stage.call(address=(f"{NET}.3", 29002)), 403)
    equal(stage.call().status, 200)


@test
def refuses_what_the_node_refuses(stage):
    for status, http in ((frames.GRANT_UNKNOWN, 400), (frames.GRANT_NOT_NAMED, 400), (frames.CLIENT_DENIED, 403),
                         (frames.PEER_UNREACHABLE, 502), (frames.TOKEN_REFUSED, 502), (frames.PROTOCOL_UNSUPPORTED, 502)):
        stage.consumer.frames.routes[("app", f"s{status}")] = (status, ["why \\ it is so"])
        answer = stage.call(host=f"s{status}")
        problem(answer, http)
        equal(answer.json["detail"], "why \\ it is so")
    equal(stage.consumer.frames.count(frames.LOG), 0)


@test
def says_when_no_service_is_named(stage):
    problem(stage.call(raw=b"GET / HTTP/1.0\r\n\r\n"), 400)
    problem(stage.call(headers={"Fsc-Grant-Hash": ["$1$3$hash", "$1$3$hash"]}), 400)
    problem(stage.call(headers={"Fsc-Grant-Hash": "x" * 2000}), 400)
    equal(stage.consumer.frames.count(frames.ROUTE), 0)


@test
def takes_a_uuid7_of_the_client_and_refuses_another(stage):
    id = transaction()
    answer = stage.call(headers={"Fsc-Transaction-Id": id})
    equal((answer.status, answer.all("Fsc-Transaction-Id"), stage.service.last["Fsc-Transaction-Id"]), (200, [id], id))
    for bad in ("", "x", "0192f0c1-7b5e-4abc-8def-0123456789ab", [transaction(), transaction()]):
        answer = stage.call(headers={"Fsc-Transaction-Id": bad})
        equal(answer.status, 400)
        assert answer["Fsc-Error-Code"] in ("INVALID_LOG_RECORD_ID", "MISSING_LOG_RECORD_ID")


@test
def makes_a_different_transaction_id_for_each_request(stage):
    ids = {stage.call()["Fsc-Transaction-Id"] for _ in range(50)}
    equal(len(ids), 50)


@test
def logs_before_the_inway_is_touched(stage):
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    seen = []
    stage.consumer.frames.log_answer = lambda record: seen.append(stage.provider.frames.count(frames.VERIFY)) or frames.OK
    answer = stage.call(headers={"traceparent": parent})
    equal((answer.status, seen), (200, [0]))
    (record,) = stage.consumer.frames.of(frames.LOG)
    equal([frames.number(record[0]), record[1].decode(), record[2], record[3].decode()],
          [2, answer["Fsc-Transaction-Id"], b"T" * 300, parent])
    equal(stage.service.last["traceparent"], parent, "W3C Trace Context goes on")
    stage.consumer.frames.log_answer = frames.LOG_WRITE_ERROR
    coded(stage.call(), 500, "TRANSACTION_LOG_WRITE_ERROR")
    equal(len(stage.service.requests), 1)


@test
def does_not_log_a_traceparent_that_is_none(stage):
    for bad in ("rubbish", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"):
        equal(stage.call(headers={"traceparent": bad}).status, 200)
        equal(stage.service.last["traceparent"], bad, "passed on all the same")
    equal([record[3] for record in stage.consumer.frames.of(frames.LOG)], [b"", b"", b""])


@test
def tells_the_node_what_came_of_it(stage):
    # decisions.md 2: a record proves intent; the outcome says whether it was sent.
    stage.service.answer = lambda request: b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnever"
    id = stage.call()["Fsc-Transaction-Id"]
    stage.consumer.frames.routes[("app", "dead")] = frames.route(f"{NET}.2:28998", INWAY_NAME)
    dead = stage.call(host="dead")

    def outcome(id):
        (found,) = until(lambda: [v for v in stage.consumer.frames.of(frames.OUTCOME) if v[1].decode() == id], what="the outcome")
        return [frames.number(found[0])] + [frames.number(value) for value in found[2:]]

    equal(outcome(id), [2, 1, 404, 5])
    equal(outcome(dead["Fsc-Transaction-Id"]), [2, 0, 502, len(dead.body)])


@test
def says_when_the_other_organisation_cannot_be_reached(stage):
    stage.consumer.frames.routes[("app", "dead")] = frames.route(f"{NET}.2:28998", INWAY_NAME)
    problem(stage.call(host="dead"), 502)


@test
def verifies_the_name_and_the_chain_of_the_inway(stage):
    # FSC Core 2.0.0, 3.2: RFC 6125.
    twins = Twins(stage, (f"{NET}.5", 28443), {"right.fsc.test": "wrong.fsc.test"})
    stage.consumer.frames.routes[("app", "wrong")] = frames.route(f"{NET}.5:28443", "right.fsc.test")
    problem(stage.call(host="wrong"), 502)
    twins.stop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*stage.stranger)
    stage.consumer.frames.routes[("app", "stranger")] = frames.route(f"{NET}.5:28444", "x.test")
    with socket.create_server((f"{NET}.5", 28444)) as listener:
        def once():
            try:
                context.wrap_socket(listener.accept()[0], server_side=True).recv(1)
            except OSError:
                pass
        threading.Thread(target=once, daemon=True).start()
        problem(stage.call(host="stranger"), 502)
    equal(twins.seen, [], "requests that reached a server that could not prove its name")


@test
def keeps_two_inways_behind_one_port_apart(stage):
    # decisions.md 3.
    for tls12 in (False, True):
        address = (f"{NET}.6", 28443 + tls12)
        twins = Twins(stage, address, {"one.fsc.test": "one.fsc.test", "two.fsc.test": "two.fsc.test"}, tls12)
        for name in ("one", "two"):
            stage.consumer.frames.routes[("app", name)] = frames.route(f"{address[0]}:{address[1]}", f"{name}.fsc.test")
        stage.consumer.frames.flush()
        for i in range(20):
            name = ("one", "two")[i % 2]
            equal(stage.call(path=f"/{name}/{i}", host=name).body.decode(), f"{name}.fsc.test", "certificate that answered")
        for asked, host, line in twins.seen:
            equal(host.split(":")[0], asked)
            assert f"/{asked.split('.')[0]}/" in line
        equal(len(twins.connections), 2, "connections: kept open, one a name")
        twins.stop()


@test
def resumes_tls_sessions_per_name(stage):
    address = (f"{NET}.7", 28443)
    twins = Twins(stage, address, {"one.fsc.test": "one.fsc.test", "two.fsc.test": "two.fsc.test"})
    for name in ("one", "two"):
        stage.consumer.frames.routes[("app", name)] = frames.route(f"{address[0]}:{address[1]}", f"{name}.fsc.test")

    for _ in range(4):  # one after the other: a ticket of TLS 1.3 is for one use (RFC 8446, C.4)
        for name in ("one", "two"):
            equal(stage.call(path="/close", host=name).body.decode(), f"{name}.fsc.test")
    equal(twins.connections, [("one.fsc.test", False), ("two.fsc.test", False)] + [("one.fsc.test", True), ("two.fsc.test", True)] * 3)
    twins.stop()


@test
def asks_once_for_a_route_and_again_when_it_must(stage):
    for _ in range(5):
        equal(stage.call().status, 200)
    equal(stage.consumer.frames.count(frames.ROUTE), 1)
    stage.consumer.frames.flush()
    until(lambda: stage.call().status == 200 and stage.consumer.frames.count(frames.ROUTE) == 2, what="a new ROUTE after a flush")


@test
def uses_a_route_that_is_being_renewed_until_it_expires(stage):
    stage.consumer.frames.routes[("app", "service.2")] = frames.route(f"{NET}.2:28443", INWAY_NAME, use=0, expires=300)
    equal(stage.call().status, 200)
    stage.consumer.frames.verify_answer = frames.HOLD
    for _ in range(3):
        equal(stage.call().status, 200, "while the answer is awaited")
    equal(stage.consumer.frames.count(frames.ROUTE), 2, "one question under way")
    stage.consumer.frames.routes[("app", "service.2")] = (frames.CLIENT_DENIED, ["no more"])
    stage.consumer.frames.release()
    until(lambda: stage.call().status == 403, what="refusal after the renewal was refused")


@test
def asks_once_for_many_that_wait_for_the_same(stage):
    stage.consumer.frames.verify_answer = frames.HOLD
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(stage.call().status)) for _ in range(20)]
    for thread in threads:
        thread.start()
    until(lambda: stage.consumer.frames.count(frames.ROUTE) == 1)
    stage.consumer.frames.release()
    for thread in threads:
        thread.join()
    equal(answers, [200] * 20)
    equal(stage.consumer.frames.count(frames.ROUTE), 1)


@test
def refuses_connect(stage):
    # FSC Core 2.0.0, 4.6.1.4.1.
    for target in (b"a.test:443", b"10.0.0.1:443", b"/"):
        answer = stage.call(raw=b"CONNECT %s HTTP/1.1\r\nHost: a.test\r\n\r\n" % target)
        coded(answer, 405, "ERROR_CODE_METHOD_UNSUPPORTED")
        assert "GET" in answer["Allow"]


@test
def overwrites_what_a_client_may_not_say(stage):
    equal(stage.call(headers={"Fsc-Authorization": ["Bearer forged", "x"], "Fundament-Peer-Id": "1", "fundament_peer_id": "2",
                              "Fundament-X": "3"}).status, 200)
    got = stage.service.last
    equal(got.all("Fsc-Authorization"), ["Bearer token"])
    equal([header for header in got.headers if header[0].lower().startswith("fundament")],
          [("Fundament-Peer-Id", CONSUMER), ("Fundament-Service", "service"), ("Fundament-Grant-Hash", "$1$3$hash")])


@test
def has_no_place_for_errors_that_a_client_could_ask_for(stage):
    for path in ("//error", "//error?494", "/%2Ferror", "/./error", "//./error"):
        equal(stage.call(path=path).status, 200, path)
        equal(stage.service.last.first, f"GET {path} HTTP/1.1")


run()
