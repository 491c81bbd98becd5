"""A small country on loopback: four organisations, each with its own node, keys, store and edge. Used by the demo and by the scenario tests."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
GROUP = "fsc-demo"
MANAGEMENT_PORT = 8443
ROLES = ("manager", "inway", "outway", "contract", "token", "portal")
OFFICERS = {"lezer": ("Lia Lezer", "reader"), "beheerder": ("Bas Beheerder", "operator"), "tekenaar": ("Tom Tekenaar", "signer")}
OFFICE_PASSWORD = "fundament"  # of the demo's .p12 files: everything here is made up


class Organisation:
    def __init__(self, key, oin, name, address, apps=()):
        self.key, self.oin, self.name, self.address, self.apps = key, oin, name, address, apps

    def host(self, role):
        return f"{role}.{self.key}.fsc.test"


DIRECTORY = Organisation("directory", "00000001000000000001", "Fundament Demo Directory", "127.0.0.11")
REGISTER = Organisation("register", "00000001000000000002", "Register van Personen", "127.0.0.12")
MUNICIPALITY = Organisation("municipality", "00000001000000000003", "Gemeente Waterstad", "127.0.0.13", ("parkeervergunning",))
AGENCY = Organisation("agency", "00000001000000000004", "Dienst Toeslagen Voorbeeld", "127.0.0.14", ("toeslag",))
ORGANISATIONS = (DIRECTORY, REGISTER, MUNICIPALITY, AGENCY)

REGISTER_SERVICE = "brp-personen-bevragen"
LOG_SERVICE = "logboek-lezen"


class Failed(Exception):
    """A step of the country did not do what it should; the text says which and how."""


def may_use_443(address):
    """FALSE for an ordinary user; a port that somebody else uses is a reason to stop, not to take another."""
    for port in (MANAGEMENT_PORT, 443):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except PermissionError:
                return False
            except OSError as error:
                raise Failed(f"{address}:{port} is in use; is the demo running already? ({error.strerror})") from error
    return True


def wait_for(what, seconds, condition):
    """Waits until `condition` gives something true, and gives that."""
    until = time.monotonic() + seconds
    while True:
        outcome = condition()
        if outcome:
            return outcome
        if time.monotonic() > until:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Node:
    """One organisation's `fundament serve` and `fundament edge`, as processes."""

    def __init__(self, country, organisation):
        self.country, self.organisation = country, organisation
        self.folder = country.folder / organisation.key
        self.conf = self.folder / "node.conf"
        self.serve = self.edge = None
        self.ready_ms = None

    def client_port(self, number=1):
        return f"{self.organisation.address}:{9000 + number}"

    def otlp(self):
        return f"{self.organisation.address}:4318"

    def environment(self):
        return {**os.environ, "FUNDAMENT_CONF": str(self.conf)}

    def spawn(self, arguments, log, **options):
        with open(self.folder / log, "ab") as stream:
            return subprocess.Popen([str(self.country.program), *arguments], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                                    env=self.environment(), cwd=self.folder, **options)

    def start_serve(self, **options):
        started = time.monotonic()
        socket_path = self.folder / "run" / "admin.sock"
        self.serve = self.spawn(["serve", "--config", str(self.conf)], "serve.log", **options)
        wait_for(f"{self.organisation.name} is ready", 10, lambda: self.healthy(socket_path) or self.ended(self.serve, "serve.log"))
        self.ready_ms = (time.monotonic() - started) * 1000

    def start_edge(self):
        self.edge = self.spawn(["edge", "--config", str(self.conf)], "edge.log")
        wait_for(f"the edge of {self.organisation.name} listens", 10,
                 lambda: self.listens(self.country.data_port) or self.ended(self.edge, "edge.log"))

    def start(self):
        self.start_serve()
        self.start_edge()

    def listens(self, port):
        with socket.socket() as probe:
            return probe.connect_ex((self.organisation.address, port)) == 0

    def ended(self, process, log):
        if process.poll() is not None:
            tail = (self.folder / log).read_text(errors="replace").splitlines()[-8:]
            raise Failed(f"{self.organisation.name}: ended with status {process.returncode}\n    " + "\n    ".join(tail))
        return False

    @staticmethod
    def healthy(path):
        try:
            status, _ = unix_call(path, "GET", "/health")
            return status == 200
        except OSError:
            return False

    def command(self, *arguments, check=True):
        """`fundament fsc ...` of this node; its output."""
        done = subprocess.run([str(self.country.program), *arguments], env=self.environment(), cwd=self.folder, capture_output=True, text=True,
                              timeout=60)
        if check and done.returncode != 0:
            raise Failed(f"{self.organisation.name}: fundament {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def admin(self, method, path, body=None):
        return unix_call(self.folder / "run" / "admin.sock", method, path, body)

    def kill_serve(self):
        """As a power cut would: no warning."""
        self.serve.kill()
        self.serve.wait()

    def stop(self):
        for process, signal_number in ((self.edge, signal.SIGTERM), (self.serve, signal.SIGTERM)):
            if process and process.poll() is None:
                process.send_signal(signal_number)
        for process in (self.edge, self.serve):
            if process:
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.edge = self.serve = None


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def finish(connection, method, path, body=None, headers=None):
    """Status and body, JSON where it is that."""
    try:
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        kind = {"Content-Type": "application/json"} if isinstance(body, (dict, list)) else {}
        connection.request(method, path, body=data, headers={**kind, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read()
        connection.answer_headers = answer.headers
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text.decode("utf-8", "replace")
    finally:
        connection.close()


def unix_call(path, method, url, body=None):
    return finish(UnixConnection(path), method, url, body)


def local_call(address, method, path, body=None, headers=None):
    """Plain HTTP to HOST:PORT of this machine; status, body and the headers of the answer."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    status, answer = finish(connection, method, path, body, headers)
    return status, answer, connection.answer_headers


class TlsConnection(http.client.HTTPSConnection):
    """TLS to an address on loopback under another name, with or without a client certificate."""

    def __init__(self, address, port, name, context):
        super().__init__(name, port, timeout=30, context=context)
        self.address, self.context = address, context

    def connect(self):
        plain = socket.create_connection((self.address, self.port), self.timeout)
        self.sock = self.context.wrap_socket(plain, server_hostname=self.host)


class Country:
    def __init__(self, folder, program, module, persons=None, store=None):
        self.folder, self.program, self.module = pathlib.Path(folder).resolve(), pathlib.Path(program).resolve(), pathlib.Path(module).resolve()
        self.persons = pathlib.Path(persons).resolve() if persons else ROOT / "demo" / "persons.json"
        self.store = store or (lambda organisation: f"sqlite:{self.folder / organisation.key / 'data' / 'node.db'}")
        self.data_port = 443 if all(may_use_443(organisation.address) for organisation in ORGANISATIONS) else MANAGEMENT_PORT
        self.nodes = {organisation.key: Node(self, organisation) for organisation in ORGANISATIONS}
        self.apps = []

    def __getitem__(self, organisation):
        return self.nodes[organisation.key]

    @property
    def portal(self):
        return f"https://{DIRECTORY.host('portal')}" + ("" if self.data_port == 443 else f":{self.data_port}")

    # --- making it ---

    def pki(self, *arguments):
        done = subprocess.run([str(self.program), "pki", *arguments], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise Failed(f"fundament pki {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def make_officers(self, organisation):
        """The organisation's internal authority, and a certificate for each of its officers; what node.conf has to know of them."""
        keys = self.folder / organisation.key / "keys"
        internal = keys / "internal"
        password = keys / "officers" / "password"
        password.parent.mkdir(mode=0o700)
        password.write_text(OFFICE_PASSWORD)
        self.pki("create", "--folder", str(internal), "--name", f"internal {organisation.key}")
        self.pki("issue", "--folder", str(internal), "--out", str(keys), "--name", "office", "--oin", organisation.oin,
                 "--organization", organisation.name, "--domain", organisation.host("beheer"))
        sections = []
        for officer, (name, roles) in OFFICERS.items():
            printed = self.pki("officer", "--folder", str(internal), "--out", str(password.parent), "--name", officer, "--common-name", name,
                               "--organization", organisation.name, "--password-file", str(password))
            thumbprint = next(line for line in printed.splitlines() if line.startswith("thumbprint"))
            sections += ["", f"[officer.{officer}]", f"name = {name}", thumbprint, f"roles = {roles}"]
        return sections

    def office(self, organisation):
        """The address of the pages for officers."""
        return f"https://{organisation.host('beheer')}" + ("" if self.data_port == 443 else f":{self.data_port}")

    def make(self):
        """Keys and configuration for all, from nothing."""
        shutil.rmtree(self.folder, ignore_errors=True)
        anchor = self.folder / "anchor"
        anchor.mkdir(parents=True)
        self.pki("create", "--folder", str(anchor), "--name", GROUP)
        for organisation in ORGANISATIONS:
            keys = self.folder / organisation.key / "keys"
            for name in ("keys", "data", "run"):
                (self.folder / organisation.key / name).mkdir(parents=True, mode=0o700)
            for role in ROLES:
                if role == "portal" and organisation is not DIRECTORY:
                    continue
                self.pki("issue", "--folder", str(anchor), "--out", str(keys), "--name", role, "--oin", organisation.oin,
                         "--organization", organisation.name, "--domain", organisation.host(role))
            for name in ("anchor.crt", "crl.pem"):
                shutil.copy(anchor / name, keys / name)
            self[organisation].conf.write_text(self.configuration(organisation) + "\n".join(self.make_officers(organisation)) + "\n")

    def configuration(self, organisation):
        others = [other.oin for other in ORGANISATIONS if other is not organisation]
        inway = f"https://{organisation.host('inway')}:{self.data_port}"
        lines = [f"# {organisation.name}: one node of the demo", "[node]", f"group = {GROUP}", "data = data", "run = run", "keys = keys",
                 "anchors = keys/anchor.crt", "crl = keys/crl.pem", f"store = {self.store(organisation)}", "mode = test",
                 f"components = {self.components(organisation)}",
                 "", "[hosts]"]
        lines += [f"{other.host(role)} = {other.address}" for other in ORGANISATIONS for role in ROLES]
        lines += ["", "[edge]", f"address = {organisation.address}", f"module = {self.module}", "workers = 1",
                  "", "[fsc]", f"manager_address = https://{organisation.host('manager')}:{MANAGEMENT_PORT}", f"inway_address = {inway}",
                  f"directory = {DIRECTORY.oin}", f"directory_address = https://{DIRECTORY.host('manager')}:{MANAGEMENT_PORT}",
                  f"accept_publications = {'yes' if organisation is DIRECTORY else 'no'}",
                  *(["policy = policy.conf"] if organisation is REGISTER else []),
                  "", "[logboek]", f"listen = {self[organisation].otlp()}", f"statement_issuers = {DIRECTORY.oin}",
                  f"register = {ROOT / 'demo' / 'activities' / (organisation.key + '.json')}",
                  "", f"[service.{LOG_SERVICE}]", f"accept = {DIRECTORY.oin}",
                  f"title = Logboek van {organisation.name}", f"title_en = Log of {organisation.name}",
                  "description = Wie gebruikte welke gegevens van een persoon, wanneer en waarvoor. Alleen voor die persoon zelf, via een portaal.",
                  "description_en = Who used which data of a person, when and why. Only for that person, through a portal.",
                  "theme = GOVE JUST", "keywords = logboek inzage verwerking"]
        lines += ["", "[office]", f"address = {self.office(organisation)}", "anchors = keys/internal/anchor.crt", "crl = keys/internal/crl.pem"]
        lines += getattr(self, f"configure_{organisation.key}")(others)
        return "\n".join(lines) + "\n"

    @staticmethod
    def components(organisation):
        extra = {"directory": " inzage", "register": " brp"}
        return "logboek fsc" + extra.get(organisation.key, "")

    def configure_directory(self, _):
        return ["", "[client.inzage]", f"listen = {self[DIRECTORY].client_port()}", f"grants = {REGISTER_SERVICE}.{REGISTER.oin} {LOG_SERVICE}.*",
                "", "[inzage]", f"address = {self.portal if self.data_port != 443 else self.portal + ':443'}",
                f"outway = {self[DIRECTORY].client_port()}", f"register = {REGISTER.oin}", f"test_persons = {self.persons}",
                f"activity = {activity(DIRECTORY, 'inzage')}",
                "", "[catalogue]", f"address = {self.portal}", "contact_name = Beheer van de gids", "contact_email = gids@example.com"]

    def configure_register(self, _):
        (self[REGISTER].folder / "policy.conf").write_text(f"""# What the register accepts by itself; everything else waits for a person.
[policy]
version = demo

[rule.consumers]
decide = accept
grant = connection
service = {REGISTER_SERVICE}
consumer = {DIRECTORY.oin} {MUNICIPALITY.oin} {AGENCY.oin}
max_validity = 366d
max_grants = 1
""")
        return ["", f"[service.{REGISTER_SERVICE}]",
                "title = Personen bevragen", "title_en = Ask about persons",
                "description = Gegevens van personen uit het register: naam, geboorte, adres en familie. U vraagt per persoon en krijgt alleen de "
                "gegevens die u noemt. Elke vraag staat in het logboek.",
                "description_en = Data about persons from the register: name, birth, address and family. You ask for one person at a time and "
                "get only the data that you name. Every question is in the log.",
                "contact_name = Loket van het register", "contact_email = loket@example.com", "access_rights = restricted",
                "theme = GOVE SOCI", "keywords = personen adres geboorte familie",
                "documentation = https://brp-api.github.io/Haal-Centraal-BRP-bevragen/",
                "", "[brp]", f"persons = {self.persons}",
                f"activity = {activity(REGISTER, 'verstrekken')}"]

    def configure_municipality(self, _):
        return ["", "[client.vergunningen]", f"listen = {self[MUNICIPALITY].client_port()}", f"grants = {REGISTER_SERVICE}.{REGISTER.oin}"]

    def configure_agency(self, _):
        return ["", "[client.toeslagen]", f"listen = {self[AGENCY].client_port()}", f"grants = {REGISTER_SERVICE}.{REGISTER.oin}"]

    # --- running it ---

    def start(self):
        for node in self.nodes.values():
            node.start()

    def conclude(self):
        """Publishes the services and concludes the contracts, over the wire."""
        self[REGISTER].command("fsc", "publish", REGISTER_SERVICE)
        for organisation in (REGISTER, MUNICIPALITY, AGENCY):
            self[organisation].command("fsc", "publish", LOG_SERVICE)
        for organisation in (REGISTER, MUNICIPALITY, AGENCY):
            wait_for(f"the Directory lists {LOG_SERVICE} of {organisation.name}", 20, lambda: self.listed(LOG_SERVICE, organisation.oin))
        for consumer in (DIRECTORY, MUNICIPALITY, AGENCY):
            self[consumer].command("fsc", "connect", f"{REGISTER_SERVICE}.{REGISTER.oin}")
        for provider in (REGISTER, MUNICIPALITY, AGENCY):
            self[DIRECTORY].command("fsc", "connect", f"{LOG_SERVICE}.{provider.oin}")

    def listed(self, service, oin):
        status, answer = self.manager_call(REGISTER, DIRECTORY, "GET", f"/v1/services?service_name={service}&limit=100")
        return status == 200 and any(item["data"]["peer"]["id"] == oin and item["data"]["name"] == service for item in answer["services"])

    def contracts(self, organisation):
        return self[organisation].admin("GET", "/fsc/v1/contracts")[1]["contracts"]

    def start_apps(self):
        common = ["--register", REGISTER.oin, "--persons", str(self.persons)]
        self.start_app("parkeervergunning", MUNICIPALITY, "127.0.0.13:9101",
                       [*common, "--activity", activity(MUNICIPALITY, "parkeervergunning"), "--portal", self.portal])
        self.start_app("toeslag", AGENCY, "127.0.0.14:9101", [*common, "--activity", activity(AGENCY, "toeslagcontrole")])

    def start_app(self, name, organisation, listen, options):
        node = self[organisation]
        with open(node.folder / f"{name}.log", "ab") as stream:
            process = subprocess.Popen(["python3", str(ROOT / "demo" / "apps" / f"{name}.py"), "--listen", listen, "--outway", node.client_port(),
                                        "--logboek", node.otlp(), *options], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                                       env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        self.apps.append(process)
        host, port = listen.split(":")

        def listens():
            if process.poll() is not None:
                raise Failed(f"{name} ended: " + (node.folder / f"{name}.log").read_text()[-500:])
            with socket.socket() as probe:
                return probe.connect_ex((host, int(port))) == 0
        wait_for(f"{name} listens", 10, listens)

    def stop(self):
        for process in self.apps:
            process.terminate()
            process.wait()
        self.apps = []
        for node in self.nodes.values():
            node.stop()

    # --- calling it from outside ---

    def tls(self, organisation=None, role="manager"):
        context = ssl.create_default_context(cafile=str(self.folder / "anchor" / "anchor.crt"))
        if organisation:
            keys = self.folder / organisation.key / "keys"
            context.load_cert_chain(keys / f"{role}.crt", keys / f"{role}.key")
        return context

    def manager_call(self, caller, callee, method, path, body=None, headers=None):
        """As the Manager of `caller` to that of `callee`, over mTLS."""
        connection = TlsConnection(callee.address, MANAGEMENT_PORT, callee.host("manager"), self.tls(caller))
        return finish(connection, method, path, body, headers)

    def inway_call(self, caller, callee, method, path, body=None, headers=None):
        """Straight to the Inway of `callee` with the Outway certificate of `caller`: what a dishonest Outway could do."""
        connection = TlsConnection(callee.address, self.data_port, callee.host("inway"), self.tls(caller, "outway"))
        return finish(connection, method, path, body, headers)


def activity(organisation, name):
    """The URI of a processing activity in the organisation's register; the same in demo/activities/*.json."""
    return f"https://{organisation.host('manager')}/logboek/v1/processing-activities/{name}"


class Browser:
    """A citizen's browser, as far as the checks need it: cookies, forms, redirects."""

    def __init__(self, country, language="nl"):
        self.country, self.language, self.cookies = country, language, {}
        self.status = self.text = self.location = None

    def connection(self):
        return TlsConnection(DIRECTORY.address, self.country.data_port, DIRECTORY.host("portal"), self.country.tls())

    def open(self, path, form=None):
        connection = self.connection()
        headers = {"Accept-Language": self.language, "Accept": "text/html"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form is not None:
            import urllib.parse
            body = urllib.parse.urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.status, self.text = finish(connection, "GET" if form is None else "POST", path, body, headers)
        self.headers = connection.answer_headers
        for cookie in self.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        if self.status == 303:
            return self.open(self.headers["Location"])
        return self.text

    def csrf(self):
        import re
        found = re.search(r'name="csrf" value="([^"]+)"', self.text)
        return found.group(1) if found else ""


class OfficeBrowser(Browser):
    """An officer's browser, with the officer's certificate; without one when `officer` is None."""

    def __init__(self, country, organisation, officer, language="nl"):
        super().__init__(country, language)
        self.organisation = organisation
        keys = country.folder / organisation.key / "keys"
        self.context = ssl.create_default_context(cafile=str(keys / "internal" / "anchor.crt"))
        if officer:
            self.context.load_cert_chain(keys / "officers" / f"{officer}.crt", keys / "officers" / f"{officer}.key")

    def connection(self):
        return TlsConnection(self.organisation.address, self.country.data_port, self.organisation.host("beheer"), self.context)
