#!/usr/bin/env python3
"""Who is let in where (decisions.md 7): names and certificates on one port, the portal, the Manager, the log; and the command line."""
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from stage import *  # noqa: E402,F403


class ListenersStage(Stage):
    def prepare(self):
        run = self.folder / "provider" / "run"
        self.node = {name: Service(str(run / f"{name}.sock")) for name in ("manager", "portal", "log")}

    def ask(self, sni, host=None, certificate=None, method="GET", path="/", headers=None, body=b"", connection=None):
        own = connection is None
        connection = connection or self.tls(certificate, name=sni)
        try:
            return exchange(connection, method, path, {"Host": host or sni, **(headers or {})}, body)
        finally:
            if own:
                connection.close()


@test
def tells_three_servers_on_one_port_apart_by_name(stage):
    for name in ("manager", "portal"):
        stage.node[name].requests.clear()
    equal(stage.ask(MANAGER_NAME, certificate=stage.outway, path="/v1/peer").status, 200)
    equal(stage.ask(PORTAL_NAME, path="/inzage").status, 200)
    equal(stage.ask(INWAY_NAME, certificate=stage.outway).status, 401)
    equal([request.first for request in stage.node["manager"].requests], ["GET /v1/peer HTTP/1.1"])
    equal([request.first for request in stage.node["portal"].requests], ["GET /inzage HTTP/1.1"])


@test
def gives_no_tls_to_who_asks_for_a_name_that_is_not_here(stage):
    for name in ("other.fsc.test", None):
        try:
            stage.tls(stage.outway, name=name)
            raise AssertionError(f"TLS with {name}")
        except ssl.SSLError as error:
            assert "UNRECOGNIZED_NAME" in str(error) or "HANDSHAKE" in str(error).upper(), error


@test
def refuses_another_host_over_the_connection_of_one(stage):
    for sni, host in ((INWAY_NAME, "other.fsc.test"), (INWAY_NAME, MANAGER_NAME), (MANAGER_NAME, INWAY_NAME), (PORTAL_NAME, MANAGER_NAME),
                      (PORTAL_NAME, INWAY_NAME), (PORTAL_NAME, "other.fsc.test"), (MANAGER_NAME, PORTAL_NAME), (INWAY_NAME, PORTAL_NAME)):
        for service in stage.node.values():
            service.requests.clear()
        answer = stage.ask(sni, host, certificate=stage.outway if sni != PORTAL_NAME else None)
        assert answer.status in (421, 400), (sni, host, answer.first)
        equal([request for service in stage.node.values() for request in service.requests], [], f"{sni} {host}")


@test
def asks_the_manager_and_inway_for_a_certificate_of_the_group(stage):
    for name in (MANAGER_NAME, INWAY_NAME):
        for certificate, words in ((None, "required"), (stage.stranger, "not valid")):
            answer = stage.ask(name, certificate=certificate)
            equal((answer.status, answer["Content-Type"], answer["Fsc-Error-Code"]), (400, "application/problem+json", None))
            assert words in answer.json["title"], answer.json


@test
def gives_the_manager_the_certificate_and_nothing_forged(stage):
    equal(stage.ask(MANAGER_NAME, certificate=stage.outway, headers={"Fundament-Client-Certificate": "forged", "FUNDAMENT-Peer-Id": "x",
                    "Fundament_Client_Certificate": "y", "fundament-": "z", "fundamental": "kept"}).status, 200)
    got = stage.node["manager"].last
    (pem,) = got.all("Fundament-Client-Certificate")
    equal(urllib.parse.unquote(pem).strip(), command("openssl", "x509", "-in", stage.outway[0]).strip())
    equal([key for key, _ in got.headers if key.lower().startswith("fundament")],
          ["Fundament-Client-Certificate", "Fundament-Client-Address", "fundamental"])


@test
def refuses_a_revoked_certificate_at_the_manager(stage):
    with stage.tls(stage.outway, name=MANAGER_NAME) as connection:
        equal(stage.ask(MANAGER_NAME, connection=connection).status, 200)
        stage.provider.frames.revoke([Pki.serial(stage.outway[0])])
        until(lambda: stage.ask(MANAGER_NAME, connection=connection).status == 400, what="refusal")
        stage.provider.frames.revoke([])
        until(lambda: stage.ask(MANAGER_NAME, connection=connection).status == 200, what="acceptance")


@test
def shows_the_portal_without_a_certificate_and_with_hsts(stage):
    answer = stage.ask(PORTAL_NAME, headers={"Fundament-Client-Address": "1.2.3.4", "Fundament-Session": "x"})
    equal((answer.status, answer["Strict-Transport-Security"]), (200, "max-age=63072000"))
    equal([value for key, value in stage.node["portal"].last.headers if key.lower().startswith("fundament")], ["127.0.0.1"])
    equal(command("curl", "-sS", "-o", "/dev/null", "-w", "%{http_version} %{ssl_verify_result}", "--cacert", str(stage.pki.anchor),
                  "--resolve", f"{PORTAL_NAME}:28443:{NET}.2", f"https://{PORTAL_NAME}:28443/"), "2 0")


@test
def speaks_only_tls_that_keeps_the_past_secret(stage):
    # Digikoppeling REST API 3.0.1: TLS 1.2 or higher, forward secrecy.
    def works(*options):
        done = subprocess.run(["openssl", "s_client", "-connect", f"{NET}.2:28443", "-servername", PORTAL_NAME, *options],
                              input="", capture_output=True, text=True)
        return done.returncode == 0 and "Cipher is (NONE)" not in done.stdout

    equal((works("-tls1_3"), works("-tls1_2")), (True, True))
    equal((works("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), works("-tls1_2", "-cipher", "AES128-GCM-SHA256:AES256-SHA")), (False, False))


@test
def takes_the_log_of_applications_on_loopback(stage):
    with socket.create_connection((f"{NET}.2", 24318)) as connection:
        equal(exchange(connection, "POST", "/v1/logs", {"Host": "x", "Fundament-Peer-Id": "x"}, b"{}").status, 200)
    got = stage.node["log"].last
    equal((got.first, got.body, got["Fundament-Peer-Id"]), ("POST /v1/logs HTTP/1.1", b"{}", None))


@test
def limits_bodies_by_listener(stage):
    answer = stage.ask(MANAGER_NAME, certificate=stage.outway, method="POST", headers={"Content-Length": str((1 << 20) + 1)})
    equal((answer.status, answer["Content-Type"]), (413, "application/problem+json"))
    with socket.create_connection((f"{NET}.2", 24318)) as connection:
        equal(exchange(connection, "POST", "/", {"Host": "x", "Content-Length": str((8 << 20) + 1)}, b"").status, 413)


@test
def speaks_to_people_in_a_page(stage):
    answer = stage.ask(PORTAL_NAME, method="POST", headers={"Content-Length": str((1 << 20) + 1)})
    equal((answer.status, answer["Content-Type"], answer["Strict-Transport-Security"]), (413, "text/html; charset=utf-8", "max-age=63072000"))
    assert b"<html lang=\"nl\">" in answer.body and b"lang=\"en\"" in answer.body


@test
def holds_requests_for_the_node_while_it_is_replaced(stage):
    # decisions.md 30.
    stage.provider.frames.stop()
    answers = []
    threads = [threading.Thread(target=lambda name=name, certificate=certificate: answers.append(stage.ask(name, certificate=certificate).status))
               for name, certificate in ((MANAGER_NAME, stage.outway), (PORTAL_NAME, None))]
    for thread in threads:
        thread.start()
    time.sleep(0.7)
    equal(answers, [])
    stage.provider.frames.start()
    for thread in threads:
        thread.join()
    equal(answers, [200, 200])


@test
def waits_at_a_door_of_the_node_that_is_closed_for_a_moment(stage):
    # decisions.md 30: a node that ends closes its sockets before it says so, and leaves them behind when it is killed.
    path = stage.folder / "provider" / "run" / "portal.sock"
    aside = path.with_suffix(".aside")
    answers = []
    stage.node["portal"].hang_up()
    path.rename(aside)
    try:
        thread = threading.Thread(target=lambda: answers.append(stage.ask(PORTAL_NAME)))
        thread.start()
        time.sleep(0.5)
        equal(answers, [])
    finally:
        aside.rename(path)
    thread.join()
    equal(answers[0].status, 200)


@test
def gives_up_on_a_door_that_stays_closed(stage):
    path = stage.folder / "provider" / "run" / "portal.sock"
    stage.node["portal"].hang_up()
    path.rename(path.with_suffix(".aside"))
    try:
        started = time.monotonic()
        answer = stage.ask(PORTAL_NAME)
        equal((answer.status, answer["Content-Type"], answer["Retry-After"]), (503, "text/html; charset=utf-8", "1"))
        assert time.monotonic() - started > 4.9
    finally:
        path.with_suffix(".aside").rename(path)


@test
def does_not_say_which_nginx_it_is(stage):
    answer = stage.ask(PORTAL_NAME, method="POST", headers={"Content-Length": str((1 << 20) + 1)})
    equal(answer["Server"], "nginx")


@test
def keeps_its_listeners_over_a_reload(stage):
    hellos = stage.provider.frames.count(frames.HELLO)
    stage.provider.reload()
    until(lambda: stage.provider.frames.count(frames.HELLO) > hellos, what="a new worker")
    equal(stage.ask(PORTAL_NAME).status, 200)
    equal(stage.inway().status, 200)


@test
def says_what_is_wrong_with_node_conf(stage):
    good = "[fsc]\nmanager_address = https://manager.consumer.fsc.test:8443\n"

    def edge(conf, *options):
        path = stage.folder / "wrong.conf"
        keys = "consumer" if conf.endswith(good) else "none"
        path.write_text(f"[node]\ngroup = x\ncomponents = logboek fsc\nanchors = {stage.pki.anchor}\nkeys = {stage.folder}/{keys}/keys\n" + conf)
        done = subprocess.run([PROGRAM, "edge", "--config", str(path), *options], capture_output=True, text=True)
        return done.returncode, done.stderr

    manager = "[fsc]\nmanager_address = https://m.test:8443\n"
    for conf, words in ((manager, "[edge] address"), (manager + "[edge]\naddress = here\n", "no IP address"),
                        ("[edge]\naddress = 127.0.0.1\n" + manager, "manager.crt cannot be read"),
                        ("[edge]\naddress = 127.0.0.1\n[fsc]\nmanager_address = http://m.test\n", "https"),
                        ("[edge]\naddress = 127.0.0.1\n[logboek]\nlisten = 192.0.2.1:4318\n" + good, "not a loopback address"),
                        ("[edge]\naddress = 127.0.0.1\n[client.a]\nlisten = 0.0.0.0:9001\n" + good, "not a loopback address")):
        status, said = edge(conf, "--print")
        equal(status, 1, conf)
        assert words in said, said
        equal(len(said.strip().splitlines()), 1, said)
    equal(edge("[edge]\naddress = 127.0.0.1\n" + good, "--reload")[0], 1)
    equal(edge("[edge]\naddress = 127.0.0.1\n" + good, "--nonsense")[0], 2)


@test
def listens_only_for_components_that_are_on(stage):
    path = stage.folder / "provider" / "off.conf"
    text = (stage.folder / "provider" / "node.conf").read_text()
    path.write_text(text.replace("components = logboek fsc inzage", "components = logboek fsc"))
    printed = command(PROGRAM, "edge", "--config", str(path), "--print")
    equal(("/portal.crt" in printed, "/manager.crt" in printed), (False, True))


@test
def a_directory_without_citizens_pages_has_a_portal_for_its_catalogue(stage):
    path = stage.folder / "provider" / "catalogue.conf"
    text = (stage.folder / "provider" / "node.conf").read_text()

    def edge(conf):
        path.write_text(conf)
        return subprocess.run([PROGRAM, "edge", "--config", str(path), "--print"], capture_output=True, text=True)

    catalogue = f"[catalogue]\naddress = https://{PORTAL_NAME}:28443\n"
    alone = edge(text.replace("components = logboek fsc inzage", "components = logboek fsc") + catalogue)
    equal(alone.returncode, 0, alone.stderr)
    equal((alone.stdout.count("/portal.crt"), alone.stdout.count(f'server_name "{PORTAL_NAME}"')), (1, 1))
    equal(edge(text.replace("components = logboek fsc inzage", "components = logboek") + catalogue).stdout.count("/portal.crt"), 0)
    equal(edge(text + catalogue).stdout.count("/portal.crt"), 1)  # both at the same address: one portal
    for other in (f"https://{PORTAL_NAME}:28444", "https://elsewhere.register.fsc.test:28443"):
        differs = edge(text + f"[catalogue]\naddress = {other}\n")
        equal(differs.returncode, 1, other)
        assert "[catalogue] address: is not where the portal" in differs.stderr, differs.stderr


run(ListenersStage)
