#!/usr/bin/env python3
"""The node silent, slow, replaced or mistaken: decisions.md 1, 2, 5, 10 and 30."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stage import *  # noqa: E402,F403


def in_background(call, n=1):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(call())) for _ in range(n)]
    for thread in threads:
        thread.start()
    return answers, lambda: [thread.join() for thread in threads]


@test
def resends_a_record_that_is_not_confirmed(stage):
    # decisions.md 2: under the same id, so that the node takes it as one.
    stage.provider.frames.log_answer = frames.HOLD
    answers, join = in_background(stage.inway)
    records = until(lambda: (got := stage.provider.frames.of(frames.LOG)) and len(got) >= 2 and got, 3, "the record a second time")
    equal(records[0], records[1], "the same record, with the same time")
    equal(stage.service.requests, [])
    stage.provider.frames.release()
    join()
    equal(answers[0].status, 200)
    equal(len(stage.service.requests), 1)


@test
def refuses_after_two_seconds_of_silence(stage):
    for frames_of, call, domain in ((stage.provider.frames, stage.inway, "INWAY"), (stage.consumer.frames, stage.call, "OUTWAY")):
        frames_of.log_answer = frames.HOLD
        started = time.monotonic()
        answer = call()
        took = time.monotonic() - started
        equal((answer.status, answer["Fsc-Error-Code"]), (500, "TRANSACTION_LOG_WRITE_ERROR"))
        equal(answer.json["domain"], f"ERROR_DOMAIN_{domain}")
        assert 1.9 < took < 3, took
        frames_of.release()
    equal(stage.service.requests, [])
    equal((stage.inway().status, stage.call().status), (200, 200), "afterwards all is well")


@test
def ignores_an_answer_that_comes_too_late(stage):
    stage.provider.frames.log_answer = frames.HOLD
    equal(stage.inway().status, 500)
    stage.provider.frames.release()
    equal(stage.inway().status, 200)
    equal(len(stage.service.requests), 1)


@test
def sends_again_what_was_outstanding_when_the_socket_broke(stage):
    stage.provider.frames.log_answer = frames.HOLD
    answers, join = in_background(stage.inway, 5)
    until(lambda: stage.provider.frames.count(frames.LOG) >= 5)
    before = {record[1]: record for record in stage.provider.frames.of(frames.LOG)}
    stage.provider.frames.disconnect()
    stage.provider.frames.log_answer = frames.OK
    join()
    equal([answer.status for answer in answers], [200] * 5)
    after = {record[1]: record for record in stage.provider.frames.of(frames.LOG)}
    equal(after, before, "the same records")


@test
def holds_requests_while_the_node_is_replaced(stage):
    # decisions.md 30: up to 5 s.
    stage.provider.frames.stop()
    answers, join = in_background(stage.inway, 5)
    time.sleep(1)
    equal(answers, [])
    stage.provider.frames.start()
    join()
    equal([answer.status for answer in answers], [200] * 5)


@test
def gives_up_when_the_node_stays_away(stage):
    stage.provider.frames.stop()
    try:
        started = time.monotonic()
        answer = stage.inway()
        took = time.monotonic() - started
        equal((answer.status, answer["Content-Type"], answer["Retry-After"]), (503, "application/problem+json", "1"))
        assert 4.9 < took < 6, took
    finally:
        stage.provider.frames.start()
    until(lambda: stage.inway().status == 200)


@test
def asks_again_when_the_node_is_not_ready(stage):
    told = []

    def not_yet(*values):
        told.append(1)
        return (frames.NOT_READY, []) if len(told) == 1 else frames.verdict(f"{NET}.2:28000")

    stage.provider.frames.verdicts["soon"] = not_yet
    equal(stage.inway().status, 200, "which also awaits the flush before each test")
    answer = stage.inway(headers={"Fsc-Authorization": "soon"})
    equal((answer.status, len(told)), (200, 2))


@test
def loses_and_doubles_nothing_when_the_node_restarts_under_traffic(stage):
    stop = threading.Event()
    statuses = []

    def traffic():
        with socket.create_connection(stage.outway_address) as connection:
            while not stop.is_set():
                statuses.append(stage.call("POST", body=b"x", connection=connection).status)

    threads = [threading.Thread(target=traffic) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        time.sleep(0.3)
        for edge in (stage.provider, stage.consumer):
            edge.frames.disconnect()
        stage.provider.frames.stop()
        stage.provider.frames.start()
    time.sleep(0.3)
    stop.set()
    for thread in threads:
        thread.join()
    equal(set(statuses), {200})
    assert len(statuses) > 20, len(statuses)
    ids = [request["Fsc-Transaction-Id"] for request in stage.service.requests]
    equal(len(ids), len(statuses), "requests that reached the service")
    equal(len(set(ids)), len(ids), "ids")
    logged = {id.decode() for direction, id in stage.provider.frames.records if direction == 1}
    equal(set(ids) <= logged, True, "each has a record")


@test
def forgets_verdicts_at_once_when_told(stage):
    # decisions.md 1: not at their end of life.
    with stage.tls(stage.outway) as connection:
        equal(stage.inway(connection=connection).status, 200)
        stage.provider.frames.verdicts["token"] = (frames.ACCESS_TOKEN_INVALID, ["the contract was revoked"])
        equal(stage.inway(connection=connection).status, 200, "still known")
        stage.provider.frames.flush()
        until(lambda: stage.provider.frames.count(frames.VERIFY) == 1)
        answer = until(lambda: (got := stage.inway(connection=connection)).status != 200 and got, what="refusal")
        equal(answer["Fsc-Error-Code"], "ERROR_CODE_ACCESS_TOKEN_INVALID")


@test
def does_not_believe_a_verdict_from_before_a_flush(stage):
    stage.provider.frames.verify_answer = frames.HOLD
    answers, join = in_background(stage.inway)
    until(lambda: stage.provider.frames.count(frames.VERIFY) == 1)
    stage.provider.frames.flush()
    held = stage.provider.frames.held.pop()
    stage.provider.frames.answer(*held)  # as it was before the flush
    until(lambda: stage.provider.frames.count(frames.VERIFY) == 2, what="the question again")
    stage.provider.frames.verdicts["token"] = (frames.ACCESS_TOKEN_INVALID, ["revoked"])
    stage.provider.frames.release()
    join()
    equal(answers[0].status, 401)


@test
def checks_again_when_a_flush_comes_while_the_record_is_written(stage):
    stage.provider.frames.log_answer = frames.HOLD
    answers, join = in_background(stage.inway)
    until(lambda: stage.provider.frames.count(frames.LOG) >= 1)
    stage.provider.frames.verdicts["token"] = (frames.ACCESS_TOKEN_INVALID, ["revoked"])
    stage.provider.frames.flush()
    stage.provider.frames.release()
    join()
    equal((answers[0].status, stage.service.requests), (401, []))


@test
def forgets_everything_when_it_connects_anew(stage):
    equal(stage.inway().status, 200)
    stage.provider.frames.disconnect()
    until(lambda: stage.provider.frames.count(frames.HELLO) == 1)
    stage.provider.frames.verdicts["token"] = (frames.ACCESS_TOKEN_EXPIRED, [])
    equal(stage.inway().status, 401, "what the node said meanwhile was not heard")


@test
def asks_again_when_a_verdict_is_over(stage):
    stage.provider.frames.verdicts["token"] = frames.verdict(f"{NET}.2:28000", seconds=1)
    equal(stage.inway().status, 200)
    until(lambda: stage.inway().status == 200 and stage.provider.frames.count(frames.VERIFY) >= 2, 4, "a second VERIFY")


@test
def hangs_up_on_a_node_that_speaks_another_version(stage):
    hellos = stage.provider.frames.count(frames.HELLO)
    stage.provider.frames.send_raw(frames.frame(frames.FLUSH, payload=frames.field(1), version=9))
    until(lambda: stage.provider.frames.count(frames.HELLO) > hellos, what="a new connection")
    assert any("version 9" in line for line in stage.provider.words())
    equal(stage.inway().status, 200)


@test
def survives_frames_that_make_no_sense(stage):
    for junk in (frames.frame(frames.LOG, id=12345), frames.frame(99, id=1), frames.frame(frames.VERIFY, id=0, payload=b"\xff" * 7),
                 frames.frame(frames.REVOKED, payload=b"\x01"), frames.frame(frames.FLUSH), frames.HEADER.pack(0xffffffff, 1, 1, 0, 0)):
        stage.provider.frames.send_raw(junk)
        until(lambda: stage.inway().status == 200)
    stage.provider.frames.verdicts["odd"] = (frames.OK, ["too short"])
    equal(stage.inway(headers={"Fsc-Authorization": "odd"}).status, 500)


@test
def maps_every_status_of_the_frames_as_the_header_says(stage):
    import re
    table = re.findall(r'X\((\w+), (\d+), (\d+), "([A-Z_]*)"', (ROOT / "core" / "node" / "frames.h").read_text())
    assert len(table) >= 19
    for name, number, http, code in table:
        if name in ("OK", "NOT_READY"):
            continue
        stage.consumer.frames.routes[("app", name)] = stage.provider.frames.verdicts[name] = (int(number), [])
        for answer in (stage.inway(headers={"Fsc-Authorization": name}), stage.call(host=name)):
            equal((answer.status, answer["Fsc-Error-Code"] or ""), (int(http), code), name)
    stage.provider.frames.verdicts["strange"] = (77, [])
    equal(stage.inway(headers={"Fsc-Authorization": "strange"}).status, 500)


run()
