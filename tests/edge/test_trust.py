#!/usr/bin/env python3
"""Keys, anchors and revocation lists that change while the edge runs: no reload (decisions.md 5)."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stage import *  # noqa: E402,F403


class TrustStage(Stage):
    CONSUMER_CONF = Stage.CONSUMER_CONF.replace("[edge]", "crl = {pki}/crl.pem\n[edge]")
    PROVIDER_CONF = Stage.PROVIDER_CONF.replace("[edge]", "crl = {pki}/crl.pem\ncrl_grace = 1h\n[edge]").replace("{pki}/anchor.crt", "{pki}/anchors.pem")

    def make_lists(self):
        self.anchors, self.list = self.folder / "pki" / "anchors.pem", self.folder / "pki" / "crl.pem"
        self.anchors.write_text(self.pki.anchor.read_text())
        self.pki.crl(self.list)

    def trust(self, *anchors):
        new = self.anchors.with_suffix(".new")
        new.write_text("".join(pathlib.Path(anchor).read_text() for anchor in anchors))
        new.replace(self.anchors)

    def shown(self, name=INWAY_NAME):
        with self.tls(self.outway, name=name) as connection:
            return Pki.thumbprint_of(connection.getpeercert(True))


def refused(answer):
    return answer.status == 400 and "not valid" in answer.json["title"] and answer


@test
def shows_a_new_certificate_without_a_reload(stage):
    with stage.tls(stage.outway) as old:
        equal(stage.inway(connection=old).status, 200)
        before = stage.shown()
        stage.pki.leaf(stage.folder / "provider" / "keys" / "inway", PROVIDER, INWAY_NAME)
        until(lambda: stage.shown() != before, what="the new certificate")
        equal(stage.shown(), Pki.thumbprint(f"{stage.folder}/provider/keys/inway.crt"))
        equal(stage.inway(connection=old).status, 200, "an open connection goes on")
    equal(stage.provider.frames.count(frames.HELLO), 0, "no new worker")


@test
def keeps_the_old_certificate_when_the_new_key_does_not_fit(stage):
    before = stage.shown()
    certificate = stage.folder / "provider" / "keys" / "inway.crt"
    good = certificate.read_bytes()
    marks = len(stage.provider.words())
    certificate.write_bytes(pathlib.Path(stage.outway[0]).read_bytes())
    until(lambda: any("do not belong together" in line for line in stage.provider.words()[marks:]), what="a complaint")
    equal(stage.shown(), before)
    certificate.write_bytes(good)


@test
def uses_a_new_outway_key_without_a_reload(stage):
    equal(stage.call().status, 200)
    stage.outway = stage.pki.leaf(stage.folder / "consumer" / "keys" / "outway", CONSUMER, "outway.consumer.fsc.test")
    wanted = Pki.thumbprint(stage.outway[0]).encode()
    equal(stage.call().status, 200)
    assert wanted not in [values[1] for values in stage.provider.frames.of(frames.VERIFY)], "before the node says so, tokens are bound to the old one"
    stage.consumer.frames.flush()
    until(lambda: stage.call().status == 200 and wanted in [values[1] for values in stage.provider.frames.of(frames.VERIFY)],
          what="the new certificate at the Inway")


@test
def refuses_who_is_revoked_by_the_list_also_on_an_open_connection(stage):
    with stage.tls(stage.outway) as connection:
        equal(stage.inway(connection=connection).status, 200)
        stage.pki.crl(stage.list, stage.outway[0])
        until(lambda: refused(stage.inway(connection=connection)), what="refusal on the open connection")
    until(lambda: refused(stage.inway()), what="refusal of a new one")
    stage.pki.crl(stage.list)
    until(lambda: stage.inway().status == 200, what="acceptance")


@test
def speaks_no_more_with_an_inway_that_is_revoked(stage):
    equal(stage.call().status, 200)
    stage.pki.crl(stage.list, f"{stage.folder}/provider/keys/inway.crt")
    until(lambda: stage.call().status == 502, what="refusal")
    stage.pki.crl(stage.list)
    until(lambda: stage.call().status == 200, what="acceptance")


@test
def takes_an_authority_in_and_out_without_a_reload(stage):
    stranger = stage.folder / "stranger" / "anchor.crt"
    # An authority without a list cannot be checked for revocation: it has to bring one.
    assert refused(stage.inway(certificate=stage.stranger))
    stage.trust(stage.pki.anchor, stranger)
    other = object.__new__(Pki)
    other.folder, other.anchor = stage.folder / "stranger", stranger
    own_list = stage.list.read_text()
    other.crl(stage.folder / "stranger" / "crl.pem")
    stage.list.write_text(own_list + (stage.folder / "stranger" / "crl.pem").read_text())
    with until(lambda: (c := stage.tls(stage.stranger)) and (stage.inway(connection=c).status == 200 and c), what="acceptance") as connection:
        stage.trust(stage.pki.anchor)
        until(lambda: refused(stage.inway(connection=connection)), what="refusal on the open connection")
    assert refused(stage.inway(certificate=stage.stranger))
    equal(stage.inway().status, 200, "others notice nothing")
    stage.pki.crl(stage.list)


@test
def lets_a_list_count_for_its_grace_and_no_longer(stage):
    # decisions.md 5: an expired list refuses everyone; crl_grace of the provider here is an hour, of the consumer none.
    stage.pki.crl(stage.list, seconds=-60)
    until(lambda: stage.call().status == 502, what="refusal by the Outway, which has no grace")
    equal(stage.inway().status, 200, "grace")
    stage.provider.frames.revoke([Pki.serial(stage.outway[0])])
    until(lambda: stage.inway().status == 400, what="refusal by the node's own list, also in grace")
    stage.provider.frames.revoke([])
    until(lambda: stage.inway().status == 200)
    stage.pki.crl(stage.list, seconds=-3700)
    until(lambda: refused(stage.inway()), what="refusal after the grace")
    stage.pki.crl(stage.list)
    until(lambda: stage.call().status == 200, what="acceptance")


@test
def keeps_what_it_had_when_a_file_makes_no_sense(stage):
    good, marks = stage.list.read_text(), len(stage.provider.words())
    stage.list.write_text("rubbish")
    until(lambda: any("holds no revocation list" in line for line in stage.provider.words()[marks:]), what="a complaint")
    equal(stage.inway().status, 200)
    stage.list.write_text(good)
    until(lambda: stage.inway().status == 200)


run(TrustStage)
