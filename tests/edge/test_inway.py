#!/usr/bin/env python3
"""The Inway: FSC Core 2.0.0, 4.7; FSC Logging 1.1.0, 3.3."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stage import *  # noqa: E402,F403


def coded(answer, status, code):
    equal(answer.status, status, "status")
    equal(answer["Fsc-Error-Code"], code, "Fsc-Error-Code")
    equal(answer["Content-Type"], "application/json", "type")
    equal(sorted(answer.json), ["code", "domain", "message"], "members")
    equal(answer.json["code"], code, "code")
    equal(answer.json["domain"], "ERROR_DOMAIN_INWAY", "domain")


def problem(answer, status):
    equal(answer.status, status, "status")
    equal(answer["Fsc-Error-Code"], None, "Fsc-Error-Code")
    equal(answer["Content-Type"], "application/problem+json", "type")
    equal(answer.json["status"], status, "status in the body")


@test
def forwards_a_request_with_a_valid_token(stage):
    id = transaction()
    answer = stage.inway("POST", "/a/b?c=d", {"Fsc-Transaction-Id": id, "X-Own": "1"}, b"hello")
    equal(answer.status, 200, "status")
    got = stage.service.last
    equal(got.first, "POST /a/b?c=d HTTP/1.1", "request line")
    equal(got.body, b"hello", "body")
    # FSC Core 2.0.0, 4.7.1.3 and FSC Logging 1.1.0, 3.3.1.1: both headers go on.
    equal(got["Fsc-Authorization"], "Bearer token")
    equal(got["Fsc-Transaction-Id"], id)
    equal(got["Host"], INWAY_NAME)
    equal(got["X-Own"], "1")
    equal(got.all("Fundament-Peer-Id"), [CONSUMER])
    equal(got.all("Fundament-Service"), ["service"])
    equal(got.all("Fundament-Grant-Hash"), ["$1$3$hash"])


@test
def takes_the_token_with_and_without_bearer(stage):
    for value in ("Bearer token", "bearer token", "token", "Bearer  token"):
        equal(stage.inway(headers={"Fsc-Authorization": value}).status, 200, value)
        equal(stage.service.last["Fsc-Authorization"], value)


@test
def asks_for_a_verdict_on_token_and_certificate_once(stage):
    for _ in range(5):
        equal(stage.inway().status, 200)
    asked = stage.provider.frames.of(frames.VERIFY)
    equal(asked, [[b"token", Pki.thumbprint(stage.outway[0]).encode()]], "VERIFY")


@test
def refuses_a_missing_token(stage):
    # FSC Core 2.0.0, 4.7.2.2.1: WWW-Authenticate MUST be set to Bearer.
    for value in (None, "", "Bearer", "Bearer "):
        answer = stage.inway(headers={"Fsc-Authorization": value})
        coded(answer, 401, "ERROR_CODE_ACCESS_TOKEN_MISSING")
        equal(answer["WWW-Authenticate"], "Bearer")
    equal(stage.service.requests, [])


@test
def refuses_what_the_node_refuses(stage):
    for status, http, code in ((frames.ACCESS_TOKEN_INVALID, 401, "ERROR_CODE_ACCESS_TOKEN_INVALID"),
                               (frames.ACCESS_TOKEN_EXPIRED, 401, "ERROR_CODE_ACCESS_TOKEN_EXPIRED"),
                               (frames.WRONG_GROUP_ID, 403, "ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN"),
                               (frames.SERVICE_NOT_FOUND, 404, "ERROR_CODE_SERVICE_NOT_FOUND"),
                               (frames.SERVICE_UNREACHABLE, 502, "ERROR_CODE_SERVICE_UNREACHABLE")):
        stage.provider.frames.verdicts[f"t{status}"] = (status, ['because "so"'])
        answer = stage.inway(headers={"Fsc-Authorization": f"Bearer t{status}"})
        coded(answer, http, code)
        equal(answer.json["message"], 'because "so"')
        equal(answer["WWW-Authenticate"], "Bearer" if http == 401 else None)
    equal(stage.service.requests, [])
    equal(stage.provider.frames.count(frames.LOG), 0, "records of refused requests")


@test
def asks_again_after_a_refusal(stage):
    stage.provider.frames.verdicts["late"] = (frames.ACCESS_TOKEN_INVALID, ["no"])
    equal(stage.inway(headers={"Fsc-Authorization": "late"}).status, 401)
    stage.provider.frames.verdicts["late"] = frames.verdict(f"{NET}.2:28000")
    equal(stage.inway(headers={"Fsc-Authorization": "late"}).status, 200)


@test
def refuses_two_tokens(stage):
    coded(stage.inway(headers={"Fsc-Authorization": ["token", "other"]}), 401, "ERROR_CODE_ACCESS_TOKEN_INVALID")


@test
def refuses_a_missing_transaction_id(stage):
    coded(stage.inway(headers={"Fsc-Transaction-Id": None}), 400, "MISSING_LOG_RECORD_ID")
    coded(stage.inway(headers={"Fsc-Transaction-Id": ""}), 400, "MISSING_LOG_RECORD_ID")


@test
def refuses_a_transaction_id_that_is_no_uuid7(stage):
    for id in ("x", "0192f0c1-7b5e-4abc-8def-0123456789ab", "0192f0c1-7b5e-7abc-cdef-0123456789ab", transaction() + "0",
               transaction().replace("-", ""), [transaction(), transaction()]):
        coded(stage.inway(headers={"Fsc-Transaction-Id": id}), 400, "INVALID_LOG_RECORD_ID")
    equal(stage.service.requests, [])


@test
def finds_faults_in_the_same_order_every_time(stage):
    # Token before transaction id; certificate before both.
    coded(stage.inway(headers={"Fsc-Authorization": None, "Fsc-Transaction-Id": None}), 401, "ERROR_CODE_ACCESS_TOKEN_MISSING")
    coded(stage.inway(headers={"Fsc-Authorization": "bad", "Fsc-Transaction-Id": "x"}), 401, "ERROR_CODE_ACCESS_TOKEN_INVALID")
    problem(stage.inway(headers={"Fsc-Authorization": None}, certificate=None), 400)


@test
def refuses_a_client_without_certificate_or_of_a_stranger(stage):
    # FSC Core 2.0.0, 4.7.1.1.
    problem(stage.inway(certificate=None), 400)
    problem(stage.inway(certificate=stage.stranger), 400)
    equal(stage.provider.frames.count(frames.VERIFY), 0)


@test
def refuses_a_revoked_certificate_on_an_open_connection(stage):
    with stage.tls(stage.outway) as connection:
        equal(stage.inway(connection=connection).status, 200)
        stage.provider.frames.revoke([Pki.serial(stage.outway[0])])
        answer = until(lambda: (got := stage.inway(connection=connection)).status != 200 and got, what="refusal")
        problem(answer, 400)
        stage.provider.frames.revoke([])
        until(lambda: stage.inway(connection=connection).status == 200, what="acceptance")


@test
def logs_before_the_service_is_touched(stage):
    # FSC Logging 1.1.0, 3.3.1.1: denied when the record could not be written.
    id = transaction()
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    seen = []
    stage.provider.frames.log_answer = lambda record: seen.append(len(stage.service.requests)) or frames.OK
    equal(stage.inway(headers={"Fsc-Transaction-Id": id.upper(), "traceparent": parent}).status, 200)
    equal(seen, [0], "requests that the service had seen when the record was asked for")
    (record,) = stage.provider.frames.of(frames.LOG)
    equal([frames.number(record[0]), record[1].decode(), record[2], record[3].decode()], [1, id, b"T" * 300, parent], "record")
    assert abs(frames.number(record[4]) / 1e6 - time.time()) < 60
    equal(stage.service.last["traceparent"], parent)
    stage.provider.frames.log_answer = frames.LOG_WRITE_ERROR
    coded(stage.inway(), 500, "TRANSACTION_LOG_WRITE_ERROR")
    equal(len(stage.service.requests), 1)


@test
def refuses_a_replayed_transaction_id(stage):
    id = transaction()
    equal(stage.inway(headers={"Fsc-Transaction-Id": id}).status, 200)
    coded(stage.inway(headers={"Fsc-Transaction-Id": id}), 400, "INVALID_LOG_RECORD_ID")
    coded(stage.inway(headers={"Fsc-Transaction-Id": id.upper()}), 400, "INVALID_LOG_RECORD_ID")
    equal(len(stage.service.requests), 1)


@test
def says_when_the_service_cannot_be_reached(stage):
    stage.provider.frames.verdicts["dead"] = frames.verdict(f"{NET}.2:28999")
    coded(stage.inway(headers={"Fsc-Authorization": "dead"}), 502, "ERROR_CODE_SERVICE_UNREACHABLE")
    stage.provider.frames.verdicts["gone"] = frames.verdict(f"unix:{stage.folder}/none.sock")
    coded(stage.inway(headers={"Fsc-Authorization": "gone"}), 502, "ERROR_CODE_SERVICE_UNREACHABLE")
    stage.service.answer = lambda request: None
    coded(stage.inway(), 502, "ERROR_CODE_SERVICE_UNREACHABLE")
    stage.service.answer = lambda request: b"rubbish\r\n\r\n"
    coded(stage.inway(), 502, "ERROR_CODE_SERVICE_UNREACHABLE")


@test
def forwards_to_a_unix_socket(stage):
    local = Service(f"{stage.folder}/service.sock")
    stage.provider.frames.verdicts["local"] = frames.verdict(f"unix:{stage.folder}/service.sock")
    equal(stage.inway(headers={"Fsc-Authorization": "local"}).status, 200)
    equal(len(local.requests), 1)
    local.stop()


@test
def passes_the_errors_of_a_service_unaltered(stage):
    # FSC Core 2.0.0, 4.7.2.2.
    for status in (400, 401, 403, 404, 405, 413, 429, 500, 502, 503, 504):
        stage.service.answer = lambda request: (b"HTTP/1.1 %d Own words\r\nContent-Type: text/x-own\r\nFsc-Error-Code: THEIRS\r\n"
                                                b"Content-Length: 3\r\n\r\nown" % status)
        answer = stage.inway()
        equal((answer.status, answer.body, answer["Content-Type"], answer["Fsc-Error-Code"]),
              (status, b"own", "text/x-own", "THEIRS"))


@test
def refuses_connect_and_trace(stage):
    for raw in (b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n", b"TRACE / HTTP/1.1\r\nHost: a.test\r\n\r\n",
                b"CONNECT / HTTP/1.1\r\nHost: %s\r\n\r\n" % INWAY_NAME.encode()):
        with stage.tls(stage.outway) as connection:
            answer = exchange(connection, "X", "/", {}, b"", raw)
            assert answer.status in (405, 421), answer.first
    equal(stage.service.requests, [])


@test
def speaks_http2_when_the_client_offers_it(stage):
    words = ["curl", "-sS", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "--cacert", str(stage.pki.anchor),
             "--cert", stage.outway[0], "--key", stage.outway[1], "--resolve", f"{INWAY_NAME}:28443:{NET}.2",
             "-H", "Fsc-Authorization: Bearer token", "-d", "@-", f"https://{INWAY_NAME}:28443/x?y=1"]
    for expected, more in (("2 400", []), ("2 200", ["-H", f"Fsc-Transaction-Id: {transaction()}"])):
        equal(command(*words, *more, text="body " * 30000), expected)
    equal(stage.service.last.first, "POST /x?y=1 HTTP/1.1")
    equal(len(stage.service.last.body), 150000)
    equal(stage.service.last["Host"], f"{INWAY_NAME}:28443")


@test
def writes_the_errors_that_nginx_makes(stage):
    problem(stage.inway(headers={"X-Long": "x" * 20000}), 431)
    problem(stage.inway(path="/" + "x" * 20000), 414)
    problem(stage.inway(raw=b"GET / HTTP/1.1\r\nHost: %s\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
                        % INWAY_NAME.encode()), 400)
    problem(stage.inway(raw=b"rubbish\r\n\r\n"), 400)
    problem(stage.inway(raw=b"POST / HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: zip\r\n\r\n" % INWAY_NAME.encode()), 501)
    with socket.create_connection(stage.inway_address) as plain:
        problem(exchange(plain, "GET", "/", {"Host": INWAY_NAME}, b""), 400)


@test
def answers_head_without_a_body(stage):
    answer = stage.inway("HEAD", headers={"Fsc-Authorization": None})
    equal(answer.status, 401)
    equal(answer["Fsc-Error-Code"], "ERROR_CODE_ACCESS_TOKEN_MISSING")
    stage.service.answer = lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    answer = stage.inway("HEAD")
    equal((answer.status, answer["Content-Length"]), (200, "5"))


@test
def keeps_the_connection_after_a_refusal(stage):
    with stage.tls(stage.outway) as connection:
        coded(stage.inway("POST", connection=connection, headers={"Fsc-Authorization": "bad"}, body=b"x" * 1000), 401,
              "ERROR_CODE_ACCESS_TOKEN_INVALID")
        equal(stage.inway(connection=connection).status, 200)


run()
