"""The stage of the edge's tests: certificates, two organisations' edges (real nginx with our module, configured by `fundament
edge`), a stand-in for each node, a service and clients. Tests are functions with a sentence; they print TAP.

    consumer (Outway)  client --http--> nginx --mTLS--> nginx --http--> service   provider (Inway)
"""
import base64
import hashlib
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "peers"))
import frames_server as frames  # noqa: E402

BUILD = pathlib.Path(os.environ.get("FUNDAMENT_BUILD", ROOT / "build" / "release"))
PROGRAM = os.environ.get("FUNDAMENT_PROGRAM", str(BUILD / "app" / "fundament"))
MODULE = os.environ.get("FUNDAMENT_MODULE", str(BUILD / "edge" / "ngx_http_fsc_module.so"))
# For a module built with sanitizers, which nginx itself is not: FUNDAMENT_PRELOAD=$(gcc -print-file-name=libasan.so).
PRELOAD = {"LD_PRELOAD": os.environ["FUNDAMENT_PRELOAD"], "ASAN_OPTIONS": "detect_leaks=0", "UBSAN_OPTIONS": "print_stacktrace=1"} \
    if "FUNDAMENT_PRELOAD" in os.environ else {}

NET = f"127.42.{os.getpid() % 250 + 1}"
CONSUMER, PROVIDER, THIRD = "00000001000000000003", "00000001000000000002", "00000001000000000004"
INWAY_NAME, MANAGER_NAME, PORTAL_NAME = "inway.register.fsc.test", "manager.register.fsc.test", "portal.register.fsc.test"

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def run(stage_class=None):
    """Runs the tests of the calling file, each with the stage, and prints TAP."""
    wanted = sys.argv[1:]
    chosen = [one for one in TESTS if not wanted or any(part in one.__name__ for part in wanted)]
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    with (stage_class or Stage)() as stage:
        for number, one in enumerate(chosen, 1):
            name = one.__name__
            try:
                stage.reset()
                one(stage)
                stage.check_edges()
                print(f"ok {number} - {name}", flush=True)
            except Exception:
                failed += 1
                print(f"not ok {number} - {name}", flush=True)
                for line in traceback.format_exc().splitlines() + stage.last_words():
                    print(f"#   {line}", flush=True)
    sys.exit(1 if failed else 0)


def until(condition, seconds=10, what="what was awaited"):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what} did not come in {seconds} s")


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: got {got!r}, wanted {wanted!r}"


def command(*words, text=None):
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


class Pki:
    """A trust anchor and leaves, by the openssl command."""

    def __init__(self, folder, name="TEST anchor"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.anchor = folder / "anchor.crt"
        command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", f"/CN={name}", "-keyout", str(folder / "anchor.key"), "-out", str(self.anchor))

    def leaf(self, path, oin, *domains):
        path.parent.mkdir(parents=True, exist_ok=True)
        key, request, certificate = (f"{path}.{suffix}" for suffix in ("key", "csr", "crt"))
        names = ",".join(f"DNS:{domain}" for domain in domains)
        command("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
                "-subj", f"/C=NL/O=Organisation {oin[-2:]}/serialNumber={oin}/CN={domains[0]}")
        command("openssl", "x509", "-req", "-in", request, "-CA", str(self.anchor), "-CAkey", str(self.folder / "anchor.key"),
                "-days", "20", "-out", certificate, "-extfile", "/dev/stdin",
                text=f"subjectAltName={names}\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:false\n")
        return certificate, key

    def crl(self, path, *revoked, seconds=3600):
        """Writes a revocation list that is in date for so many seconds (before now: out of date)."""
        work = self.folder / "ca"
        work.mkdir(exist_ok=True)
        now = time.time()
        stamp = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(moment)) for moment in (now - 7200, now + seconds)]
        (work / "index.txt").write_text("".join(
            f"R\t{stamp[1][2:]}\t{stamp[0][2:]}\t{self.serial(certificate)}\tunknown\t/CN=x\n" for certificate in revoked))
        (work / "number").write_text("01\n")
        (work / "ca.conf").write_text(f"[ca]\ndefault_ca = x\n[x]\ndatabase = {work}/index.txt\ncrlnumber = {work}/number\ndefault_md = sha256\n")
        command("openssl", "ca", "-gencrl", "-config", str(work / "ca.conf"), "-cert", str(self.anchor), "-keyfile", str(self.folder / "anchor.key"),
                "-crl_lastupdate", stamp[0], "-crl_nextupdate", stamp[1], "-out", str(path) + ".new")
        os.replace(str(path) + ".new", path)

    @staticmethod
    def serial(certificate):
        return command("openssl", "x509", "-in", certificate, "-noout", "-serial").strip().split("=")[1]

    @staticmethod
    def thumbprint(certificate):
        der = subprocess.run(["openssl", "x509", "-in", certificate, "-outform", "DER"], capture_output=True, check=True).stdout
        return Pki.thumbprint_of(der)

    @staticmethod
    def thumbprint_of(der):
        """x5t#S256, RFC 7515 4.1.8."""
        return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


class Message:
    """A parsed HTTP/1.1 message; headers in order as sent."""

    def __init__(self, first, headers, body, raw_head):
        self.first, self.headers, self.body, self.raw_head = first, headers, body, raw_head

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def __getitem__(self, name):
        values = self.all(name)
        return values[0] if values else None

    @property
    def status(self):
        return int(self.first.split()[1])

    @property
    def json(self):
        return json.loads(self.body)


class Reader:
    def __init__(self, connection):
        self.connection, self.buffer = connection, b""

    def more(self):
        data = self.connection.recv(1 << 18)
        if not data:
            raise EOFError("closed")
        self.buffer += data

    def until(self, mark):
        while mark not in self.buffer:
            self.more()
        head, _, self.buffer = self.buffer.partition(mark)
        return head

    def exactly(self, n):
        while len(self.buffer) < n:
            self.more()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def rest(self):
        try:
            while True:
                self.more()
        except (EOFError, OSError):
            data, self.buffer = self.buffer, b""
            return data

    def head(self):
        raw = self.until(b"\r\n\r\n")
        lines = raw.decode("latin-1").split("\r\n")
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        return Message(lines[0], headers, b"", raw)

    def body(self, message, to_close=False):
        if (message["Transfer-Encoding"] or "").lower() == "chunked":
            parts = []
            while True:
                size = int(self.until(b"\r\n").split(b";")[0], 16)
                data = self.exactly(size)
                if size == 0:
                    while self.until(b"\r\n"):
                        pass
                    return b"".join(parts)
                self.exactly(2)
                parts.append(data)
        if message["Content-Length"] is not None:
            return self.exactly(int(message["Content-Length"]))
        return self.rest() if to_close else b""


class Service:
    """What is behind an Inway. `answer(request)` gives bytes, or a list of bytes sent one by one; None hangs up, also in a list."""

    def __init__(self, address):
        self.listener = socket.create_server(address, backlog=512) if not isinstance(address, str) else self.local(address)
        self.requests = []
        self.connections = 0
        self.open = []
        self.blocked = False
        self.answer = self.echo
        self.stopped = False
        threading.Thread(target=self.accept, daemon=True).start()

    @staticmethod
    def local(path):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(512)
        return listener

    @staticmethod
    def echo(request):
        body = hashlib.sha256(request.body).hexdigest().encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def accept(self):
        while not self.stopped:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        reader = Reader(connection)
        try:
            while True:
                request = reader.head()
                if (request["Expect"] or "").lower() == "100-continue":
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                request.body = reader.body(request)
                self.requests.append(request)
                answer = self.answer(request)
                if answer is None:
                    connection.close()
                    return
                for part in answer if isinstance(answer, list) else [answer]:
                    if part is None:
                        connection.close()
                        return
                    self.send(connection, part)
        except (EOFError, OSError, ValueError):
            connection.close()

    def send(self, connection, data):
        """Sends all; `blocked` is set when the other side has taken nothing for a while."""
        view = memoryview(data)
        self.blocked = False
        while view:
            _, writable, _ = select.select([], [connection], [], 0.3)
            self.blocked = not writable
            if not writable:
                select.select([], [connection], [])
            view = view[connection.send(view[:1 << 16], socket.MSG_DONTWAIT):]

    def hang_up(self):
        """Ends every connection, as a service does that is replaced."""
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open.clear()

    def stop(self):
        self.stopped = True
        self.listener.close()

    @property
    def last(self):
        return self.requests[-1]


class Edge:
    """nginx, as `fundament edge` starts it; `wrapper` is a command that starts it in its turn."""

    wrapper = ()

    def __init__(self, folder, conf):
        self.folder = folder
        (folder / "run").mkdir(exist_ok=True)
        (folder / "node.conf").write_text(conf)
        self.frames = frames.FramesServer(str(folder / "run" / "frames.sock"))
        self.process = None

    def start(self, wait=True):
        self.log = open(self.folder / "edge.log", "a")
        self.process = subprocess.Popen([*self.wrapper, PROGRAM, "edge", "--config", str(self.folder / "node.conf")], stderr=self.log,
                                        stdout=self.log, stdin=subprocess.DEVNULL, env={**os.environ, **PRELOAD})
        if wait:
            until(lambda: self.frames.count(frames.HELLO) or self.process.poll() is not None, what="HELLO of the edge")
        assert self.process.poll() is None, self.words()

    def reload(self):
        command(PROGRAM, "edge", "--config", str(self.folder / "node.conf"), "--reload")

    def words(self):
        log = self.folder / "edge.log"
        return log.read_text().splitlines() if log.exists() else []

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.frames.stop()


class Stage:
    CONSUMER_CONF = """
[node]
group = fsc-test
anchors = {pki}/anchor.crt
log = {log}
components = logboek fsc
[edge]
address = {net}.3
module = {module}
[fsc]
manager_address = https://manager.consumer.fsc.test:28443
[client.app]
listen = {net}.3:29001
[client.other]
listen = {net}.3:29002
"""
    PROVIDER_CONF = """
[node]
group = fsc-test
anchors = {pki}/anchor.crt
log = {log}
components = logboek fsc inzage
[edge]
address = {net}.2
module = {module}
[fsc]
manager_address = https://{manager}:28443
inway_address = https://{inway}:28443
[inzage]
address = https://{portal}:28443
outway = {net}.2:29001
register = 00000001000000000002
[logboek]
listen = {net}.2:24318
"""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fundament-edge-"))
        self.pki = Pki(self.folder / "pki")
        names = {"net": NET, "pki": self.folder / "pki", "module": MODULE, "manager": MANAGER_NAME, "inway": INWAY_NAME,
                 "portal": PORTAL_NAME, "log": os.environ.get("FUNDAMENT_EDGE_LOG", "info")}
        provider, consumer = self.folder / "provider", self.folder / "consumer"
        for role, name in (("inway", INWAY_NAME), ("manager", MANAGER_NAME), ("portal", PORTAL_NAME)):
            self.pki.leaf(provider / "keys" / role, PROVIDER, name)
        self.pki.leaf(consumer / "keys" / "manager", CONSUMER, "manager.consumer.fsc.test")
        self.outway = self.pki.leaf(consumer / "keys" / "outway", CONSUMER, "outway.consumer.fsc.test")
        self.stranger = Pki(self.folder / "stranger", "TEST stranger").leaf(self.folder / "stranger" / "leaf", CONSUMER, "x.test")
        self.make_lists()
        self.provider = Edge(provider, self.PROVIDER_CONF.format(**names))
        self.consumer = Edge(consumer, self.CONSUMER_CONF.format(**names))
        self.service = Service((f"{NET}.2", 28000))
        self.inway_address = (f"{NET}.2", 28443)
        self.outway_address = (f"{NET}.3", 29001)
        self.prepare()
        self.reset()
        self.provider.start()
        self.consumer.start()
        return self

    def make_lists(self):
        """Revocation lists, for those that have them."""

    def prepare(self):
        """More, before the edges start."""

    def reset(self):
        for edge in (self.provider, self.consumer):
            edge.heard = len(edge.words())
            edge.frames.forget()
            edge.frames.verdicts.clear()
            edge.frames.routes.clear()
            edge.frames.log_answer = frames.OK
            edge.frames.verify_answer = None
            edge.frames.flush()
        self.service.answer = Service.echo
        self.service.requests.clear()
        self.provider.frames.verdicts["token"] = frames.verdict(f"{NET}.2:28000", peer=CONSUMER)
        self.consumer.frames.routes[("app", "service.2")] = frames.route(f"{NET}.2:28443", INWAY_NAME)
        self.consumer.frames.routes[("app", "$1$3$hash")] = frames.route(f"{NET}.2:28443", INWAY_NAME)

    def check_edges(self):
        for edge in (self.provider, self.consumer):
            assert edge.process.poll() is None, "the edge ended"
            bad = [line for line in edge.words()[edge.heard:] if "[alert]" in line or "[emerg]" in line or "signal 11" in line or "Sanitizer" in line or "runtime error" in line]
            assert not bad, bad

    def last_words(self):
        return [line for edge in (self.provider, self.consumer) for line in edge.words()[edge.heard:][-12:]]

    def __exit__(self, *_):
        self.service.stop()
        for edge in (self.provider, self.consumer):
            edge.stop()
        if not os.environ.get("FUNDAMENT_KEEP"):
            shutil.rmtree(self.folder)

    # Clients.

    def tls(self, certificate=None, name=INWAY_NAME, alpn=("http/1.1",), address=None):
        context = ssl.create_default_context(cafile=str(self.pki.anchor))
        context.set_alpn_protocols(list(alpn))
        if certificate is not None:
            context.load_cert_chain(*certificate)
        plain = socket.create_connection(address or self.inway_address, 10)
        if name is None:
            context.check_hostname = False
        return context.wrap_socket(plain, server_hostname=name)

    def inway(self, method="GET", path="/", headers=None, body=b"", certificate="outway", connection=None, host=INWAY_NAME, raw=None):
        """One request straight to the Inway."""
        given = {"Host": host, "Fsc-Authorization": "Bearer token", "Fsc-Transaction-Id": transaction()}
        given.update(headers or {})
        own = connection is None
        if own:
            connection = self.tls(self.outway if certificate == "outway" else certificate)
        try:
            return exchange(connection, method, path, given, body, raw)
        finally:
            if own:
                connection.close()

    def call(self, method="GET", path="/", headers=None, body=b"", host="service.2", connection=None, raw=None, address=None):
        """One request of an application through the Outway."""
        given = {"Host": host}
        given.update(headers or {})
        own = connection is None
        if own:
            connection = socket.create_connection(address or self.outway_address, 10)
        connection.settimeout(15)
        try:
            return exchange(connection, method, path, given, body, raw)
        finally:
            if own:
                connection.close()


def exchange(connection, method, path, headers, body, raw=None):
    if raw is None:
        lines = [f"{method} {path} HTTP/1.1"] + [f"{key}: {value}" for key, values in headers.items() if values is not None
                                                 for value in (values if isinstance(values, list) else [values])]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        raw = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
    sender = threading.Thread(target=send_all, args=(connection, raw), daemon=True)
    sender.start()
    if isinstance(connection, ssl.SSLSocket):
        sender.join()  # an SSL object is for one thread at a time
    reader = Reader(connection)
    answer = reader.head()
    while answer.status == 100:
        answer = reader.head()
    answer.body = b"" if method == "HEAD" or answer.status in (204, 304) else reader.body(answer, to_close=True)
    sender.join(10)
    return answer


def send_all(connection, data):
    try:
        connection.sendall(data)
    except OSError:
        pass


def transaction():
    """A fresh UUIDv7, RFC 9562 5.7."""
    value = int(time.time() * 1000) << 80 | 7 << 76 | 2 << 62 | int.from_bytes(os.urandom(9), "big") & ((1 << 62) - 1)
    value |= int.from_bytes(os.urandom(1), "big") << 64
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
