#!/usr/bin/env python3
"""What the edge counts and tells the node once a second (TRAFFIC and EDGE in core/node/frames.h)."""
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stage import *  # noqa: E402,F403

COUNTS = ("refused", "undelivered", "2xx", "3xx", "4xx", "5xx", "bytes in", "bytes out")
STATE = ("hits", "questions", "resends", "silent", "flushes", "connections")
INCOMING, OUTGOING = 1, 2


class Sums:
    """All that was told since the test began."""

    def __init__(self, node):
        self.rows, self.latency, self.state, self.refusals = {}, {}, dict.fromkeys(STATE, 0), {}
        for direction, peer, service, counts, latency in node.of(frames.TRAFFIC):
            key = (frames.number(direction), peer.decode(), service.decode())
            row = self.rows.setdefault(key, dict.fromkeys(COUNTS, 0))
            for name, count in zip(COUNTS, struct.unpack(f"<{len(counts) // 8}Q", counts)):
                row[name] += count
            self.latency[key] = self.latency.get(key, 0) + sum(struct.unpack(f"<{len(latency) // 4}I", latency))
        for _, _, counters, *refusals in node.of(frames.EDGE):
            for name, count in zip(STATE, struct.unpack(f"<{len(counters) // 8}Q", counters)):
                self.state[name] += count
            for status, code, count in zip(refusals[::3], refusals[1::3], refusals[2::3]):
                key = (frames.number(status), code.decode())
                self.refusals[key] = self.refusals.get(key, 0) + frames.number(count)

    def requests(self):
        return sum(sum(row[name] for name in COUNTS[:6]) for row in self.rows.values())


def told(edge, requests):
    """What was told once so many requests were."""
    return until(lambda: (lambda sums: sums if sums.requests() >= requests else None)(Sums(edge.frames)), what=f"numbers of {requests} requests")


def row(sums, key):
    return {name: count for name, count in sums.rows[key].items() if count and not name.startswith("bytes")}


@test
def counts_answers_by_class_peer_and_service(stage):
    for status in (200, 204, 302, 404, 500, 503):
        stage.service.answer = lambda request: b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status
        equal(stage.inway().status, status)
    sums = told(stage.provider, 6)
    equal(row(sums, (INCOMING, CONSUMER, "service")), {"2xx": 2, "3xx": 1, "4xx": 1, "5xx": 2})
    equal(sums.latency[(INCOMING, CONSUMER, "service")], 6)


@test
def counts_bytes_both_ways(stage):
    stage.service.answer = lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"x" * 50000
    equal(stage.inway("POST", body=b"y" * 20000).status, 200)
    counts = told(stage.provider, 1).rows[(INCOMING, CONSUMER, "service")]
    assert 20000 < counts["bytes in"] < 22000, counts
    assert 50000 < counts["bytes out"] < 52000, counts


@test
def counts_what_it_refuses_without_peer_and_service_when_they_are_not_known(stage):
    equal(stage.inway(headers={"Fsc-Authorization": None}).status, 401)
    equal(stage.inway(headers={"Fsc-Transaction-Id": None}).status, 400)
    sums = told(stage.provider, 2)
    equal(row(sums, (INCOMING, "", "")), {"refused": 1})
    equal(row(sums, (INCOMING, CONSUMER, "service")), {"refused": 1})
    until(lambda: Sums(stage.provider.frames).refusals == {(401, "ERROR_CODE_ACCESS_TOKEN_MISSING"): 1, (400, "MISSING_LOG_RECORD_ID"): 1},
          what="the refusals by code")


@test
def counts_what_did_not_arrive(stage):
    stage.consumer.frames.routes[("app", "dead")] = frames.route(f"{NET}.2:28998", INWAY_NAME, service="far")
    equal(stage.call(host="dead").status, 502)
    equal(row(told(stage.consumer, 1), (OUTGOING, PROVIDER, "far")), {"undelivered": 1})


@test
def a_route_without_the_name_of_its_service_is_fine(stage):
    # A node of the version before does not say it.
    equal(stage.call().status, 200)
    equal(row(told(stage.consumer, 1), (OUTGOING, PROVIDER, "")), {"2xx": 1})


@test
def counts_questions_and_what_it_knew_already(stage):
    for _ in range(5):
        equal(stage.inway().status, 200)
    told(stage.provider, 5)
    state = until(lambda: (lambda state: state if state["hits"] + state["questions"] >= 5 else None)(Sums(stage.provider.frames).state), what="its state")
    assert state["hits"] >= 4, state


@test
def numbers_are_kept_while_the_node_is_away(stage):
    with socket.create_connection(stage.outway_address) as connection:
        equal(stage.call(connection=connection).status, 200)
        stage.consumer.frames.disconnect()
        until(lambda: stage.call(connection=connection).status == 200)
    sums = told(stage.consumer, 2)
    equal(set(sums.rows), {(OUTGOING, PROVIDER, "")})
    until(lambda: Sums(stage.consumer.frames).state["connections"] >= 1, what="that it connected again")


run()
