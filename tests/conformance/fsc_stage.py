"""The stage of the FSC conformance tests: one real node (`fundament serve` and `fundament edge`) that is provider and Directory, and other
organisations played by tests/peers/fsc_peer.py, all on loopback with mTLS."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "peers"), str(ROOT / "tests" / "scenario")]
from fsc_peer import GROUP, PORT, Peer, Pki  # noqa: E402

BUILD = pathlib.Path(os.environ.get("FUNDAMENT_BUILD", ROOT / "build" / "release"))
PROGRAM = os.environ.get("FUNDAMENT_PROGRAM", str(BUILD / "app" / "fundament"))
MODULE = os.environ.get("FUNDAMENT_MODULE", str(BUILD / "edge" / "ngx_http_fsc_module.so"))
NET = f"127.43.{os.getpid() % 250 + 1}"
ROLES = ("manager", "inway", "outway", "contract", "token")


def until(what, condition, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} s")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Node:
    """The node under test."""

    CONF = """
[node]
group = {group}
anchors = {anchor}
components = logboek fsc
store = {store}
[edge]
address = {address}
module = {module}
[fsc]
manager_address = https://{host}:{port}
inway_address = https://inway.{name}.fsc.test:8443
directory = {directory}
directory_address = {directory_address}
accept_publications = {accept}
[hosts]
{hosts}
"""

    def __init__(self, stage, oin, name, address, extra, directory=None, store=None):
        self.stage, self.oin, self.name, self.address = stage, oin, name, address
        self.host = f"manager.{name}.fsc.test"
        self.folder = stage.folder / name
        self.directory, self.extra, self.store = directory or self, extra, store or "sqlite:data/node.db"
        self.processes = {}
        for part in ("data", "run", "keys"):
            (self.folder / part).mkdir(parents=True, mode=0o700)
        for role in ROLES:
            stage.pki.leaf(self.folder / "keys" / role, oin, f"{role}.{name}.fsc.test", organization=f"Organisation {name}")

    @property
    def manager_address(self):
        return f"https://{self.host}:{PORT}"

    def configure(self):
        hosts = "\n".join(f"{one.host} = {one.address}" for one in self.stage.everybody())
        hosts += "\n" + "\n".join(f"inway.{one.name}.fsc.test = {one.address}" for one in self.stage.nodes) + "\n"
        hosts += "\n".join(f"{name} = {address}" for name, address in self.stage.hosts.items())
        text = self.CONF.format(group=GROUP, anchor=self.stage.pki.anchor, address=self.address, module=MODULE, host=self.host, port=PORT,
                                name=self.name, directory=self.directory.oin, directory_address=self.directory.manager_address,
                                accept="yes" if self.directory is self else "no", hosts=hosts, store=self.store)
        (self.folder / "node.conf").write_text(text + self.extra)

    def spawn(self, part):
        with open(self.folder / f"{part}.log", "ab") as log:
            self.processes[part] = subprocess.Popen([PROGRAM, part, "--config", str(self.folder / "node.conf")], stdin=subprocess.DEVNULL,
                                                    stdout=log, stderr=log, cwd=self.folder)

    def start(self):
        self.configure()
        self.spawn("serve")
        until("the node is ready", lambda: self.alive("serve") and self.admin("GET", "/health")[0] == 200)
        self.spawn("edge")
        until("the edge listens", lambda: self.alive("edge") and self.listens())
        return self

    def restart_serve(self, before=lambda: None):
        """Ends `serve`, calls `before`, and starts it again; the edge goes on."""
        process = self.processes.pop("serve")
        process.send_signal(signal.SIGTERM)
        process.wait(15)
        before()
        self.spawn("serve")
        until("the node is ready", lambda: self.alive("serve") and self.admin("GET", "/health")[0] == 200)

    def alive(self, part):
        if self.processes[part].poll() is not None:
            raise AssertionError(f"{part} ended:\n" + self.words(part))
        return True

    def words(self, part):
        return "\n".join((self.folder / f"{part}.log").read_text(errors="replace").splitlines()[-15:])

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex((self.address, PORT)) == 0

    def admin(self, method, path, body=None):
        client = UnixConnection(self.folder / "run" / "admin.sock")
        try:
            client.request(method, path, body=json.dumps(body).encode() if body is not None else None,
                           headers={"Content-Type": "application/json"} if body is not None else {})
            answer = client.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text[:1] in (b"{", b"[") else text.decode()
        except OSError:
            return 0, None
        finally:
            client.close()

    def command(self, *words):
        done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, cwd=self.folder, timeout=60,
                              env={**os.environ, "FUNDAMENT_CONF": str(self.folder / "node.conf")})
        return done.returncode, done.stdout, done.stderr

    def state(self, content_hash):
        status, answer = self.admin("GET", f"/fsc/v1/contracts/{content_hash}")
        return answer["state"] if status == 200 else None

    def stop(self, how=signal.SIGTERM):
        for part in ("edge", "serve"):
            process = self.processes.pop(part, None)
            if process and process.poll() is None:
                process.send_signal(how)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


class Stage:
    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="fsc-")
        self.folder = pathlib.Path(self.temporary.name)
        self.folder.chmod(0o755)
        self.pki = Pki(self.folder / "pki")
        self.peers, self.nodes, self.hosts = {}, [], {}
        self.database = None
        if os.environ.get("FUNDAMENT_TEST_POSTGRESQL"):  # the same tests with the other store
            from fsc_postgresql import Postgresql
            self.database = Postgresql()

    def peer(self, number, name):
        self.peers[name] = Peer(self.folder / "peers", self.pki, f"0000000100000000{number:04d}", name, f"{NET}.{number}")
        return self.peers[name]

    def node(self, number, name, extra="", **options):
        if self.database:
            options.setdefault("store", self.database.database(f"node_{name}"))
        node = Node(self, f"0000000100000000{number:04d}", name, f"{NET}.{number}", extra, **options)
        self.nodes.append(node)
        return node

    def everybody(self):
        return [*self.peers.values(), *self.nodes]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.stop()
        for peer in self.peers.values():
            peer.stop()
        if self.database:
            self.database.stop()
        self.temporary.cleanup()
