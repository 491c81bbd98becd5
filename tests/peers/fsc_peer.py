"""Another organisation of the FSC group, as far as a Manager meets it: keys, contracts, signatures, and a Manager that answers.

A second implementation of the texts (FSC Core 2.0.0): nothing here comes from the program under test. Signatures are made by the openssl
command, hashes by hashlib, canonical JSON by fsc_jcs.py beside this file.

    consumer = Peer(folder, pki, "00000001000000000003", "consumer", "127.43.1.3")
    consumer.start()
    content = contract(connection(consumer, provider, "persons"))
    status, body, headers = consumer.call(provider, "POST", "/v1/contracts", consumer.submission(content))
"""
import base64
import hashlib
import http.client
import http.server
import json
import pathlib
import socket
import ssl
import subprocess
import threading
import time
import uuid

from fsc_jcs import canonical

GROUP = "fsc-test"
PORT = 8443
DAY = 86400


def openssl(*words, data=None):
    done = subprocess.run(["openssl", *map(str, words)], input=data, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {words[0]}: {done.stderr.decode()}")
    return done.stdout


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# --- FSC Core 2.0.0, 4.2.4 and 4.2.5 ---

HASH_TYPES = {"GRANT_TYPE_SERVICE_PUBLICATION": 2, "GRANT_TYPE_SERVICE_CONNECTION": 3, "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION": 4,
              "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION": 5}


def content_hash(content):
    return "$1$1$" + b64(hashlib.sha3_512(canonical(content).encode()).digest())


def grant_hash(content, number=0):
    data = content["grants"][number]["data"]
    return f"$1${HASH_TYPES[data['type']]}$" + b64(hashlib.sha3_512((content_hash(content) + canonical(data)).encode()).digest())


# --- contracts ---

def contract(*grants, **changes):
    now = int(time.time())
    content = {"fsc_version": "2.0.0", "iv": str(uuid.uuid4()), "group_id": GROUP, "validity": {"not_before": now - 10, "not_after": now + DAY},
               "grants": [{"data": grant} for grant in grants], "hash_algorithm": "HASH_ALGORITHM_SHA3_512", "created_at": now}
    content.update(changes)
    return content


def publication(directory, provider, name="persons", delegator=None, **more):
    grant = {"type": "GRANT_TYPE_SERVICE_PUBLICATION", "directory": {"peer_id": directory.oin},
             "service": {"peer_id": provider.oin, "name": name, "protocol": "PROTOCOL_TCP_HTTP_1.1"}, **more}
    if delegator:
        grant["type"] = "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION"
        grant["delegator"] = {"peer_id": delegator.oin}
    return grant


def connection(consumer, provider, name="persons", delegator=None, service_delegator=None, **more):
    grant = {"type": "GRANT_TYPE_SERVICE_CONNECTION",
             "outway": {"peer_id": consumer.oin, "identification": {"type": "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT",
                                                                    "public_key_thumbprint": consumer.public_key_thumbprint}},
             "service": {"type": "SERVICE_TYPE_SERVICE", "peer_id": provider.oin, "name": name}, **more}
    if delegator:
        grant["type"] = "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION"
        grant["delegator"] = {"peer_id": delegator.oin}
    if service_delegator:
        grant["service"]["type"] = "SERVICE_TYPE_DELEGATED_SERVICE"
        grant["service"]["delegator"] = {"peer_id": service_delegator.oin}
    return grant


# --- keys ---

class Pki:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.anchor, self.key = self.folder / "anchor.crt", self.folder / "anchor.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=TEST anchor",
                "-keyout", self.key, "-out", self.anchor)

    def intermediate(self, folder):
        """An authority under this one; its certificate is `anchor`, the chain above it ends at ours."""
        lower = Pki.__new__(Pki)
        lower.folder = pathlib.Path(folder)
        lower.folder.mkdir(parents=True)
        lower.anchor, lower.key = lower.folder / "intermediate.crt", lower.folder / "intermediate.key"
        request = openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", lower.key, "-subj", "/CN=TEST intermediate")
        openssl("x509", "-req", "-in", "/dev/stdin", "-CA", self.anchor, "-CAkey", self.key, "-days", "25", "-out", lower.anchor, "-extfile", self.extension_of_authority(),
                data=request)
        return lower

    def extension_of_authority(self):
        path = self.folder / "authority.ext"
        path.write_text("basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n")
        return path

    def leaf(self, path, oin, domain, kind="ec", organization=None, days=20):
        """path.key and path.crt; `oin` None leaves subject.serialNumber out."""
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        key, request, certificate = (path.with_suffix(suffix) for suffix in (".key", ".csr", ".crt"))
        new = ["-newkey", "rsa:2048"] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{'P-384' if kind == 'ec384' else 'P-256'}"]
        subject = f"/C=NL/O={organization or 'Organisation'}" + (f"/serialNumber={oin}" if oin else "") + f"/CN={domain}"
        openssl("req", *new, "-nodes", "-keyout", key, "-out", request, "-subj", subject)
        key.chmod(0o600)
        openssl("x509", "-req", "-in", request, "-CA", self.anchor, "-CAkey", self.key, "-days", str(days), "-out", certificate, "-extfile", "/dev/stdin",
                data=f"subjectAltName=DNS:{domain}\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:false\n".encode())
        return Identity(path)

    # --- what `openssl x509` cannot do: a period to the second, and revocation ---

    def authority(self, *words):
        home = self.folder / "authority"
        if not home.exists():
            home.mkdir()
            (home / "index").write_text("")
            (home / "openssl.cnf").write_text(f"[ca]\ndefault_ca=one\n[one]\ndatabase={home}/index\nnew_certs_dir={home}\nrand_serial=yes\nunique_subject=no\n"
                                              "default_md=sha256\npolicy=any\ncopy_extensions=none\n[any]\ncountryName=optional\norganizationName=optional\n"
                                              "serialNumber=optional\ncommonName=optional\n")
        return openssl("ca", "-batch", "-config", home / "openssl.cnf", "-cert", self.anchor, "-keyfile", self.key, *words)

    def leaf_between(self, path, oin, domain, begin, end):
        """As leaf(), valid from `begin` to `end`, seconds since 1970."""
        self.leaf(path, oin, domain)
        path = pathlib.Path(path)
        extensions = path.with_suffix(".ext")
        extensions.write_text(f"subjectAltName=DNS:{domain}\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:false\n")
        start, stop = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(moment)) for moment in (begin, end))
        self.authority("-in", path.with_suffix(".csr"), "-out", path.with_suffix(".crt"), "-notext", "-startdate", start, "-enddate", stop, "-extfile", extensions)
        return Identity(path)

    def revocations(self, path, *identities, days=7):
        """A revocation list with these certificates in it."""
        for identity in identities:
            self.authority("-revoke", identity.certificate)
        self.authority("-gencrl", "-crldays", str(days), "-out", path)
        return path


class Identity:
    def __init__(self, path):
        self.key, self.certificate = path.with_suffix(".key"), path.with_suffix(".crt")
        self.der = ssl.PEM_cert_to_DER_cert(self.certificate.read_text())
        self.thumbprint = b64(hashlib.sha256(self.der).digest())
        public = openssl("x509", "-in", self.certificate, "-pubkey", "-noout")
        self.public_key_thumbprint = hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER", data=public)).hexdigest()
        self.rsa = b"rsaEncryption" in openssl("x509", "-in", self.certificate, "-noout", "-text")

    def sign(self, data, alg):
        digest = {"256": "-sha256", "384": "-sha384", "512": "-sha512"}[alg[2:]]
        raw = openssl("dgst", digest, "-sign", self.key, data=data)
        if alg.startswith("RS"):
            return raw
        size = {"256": 32, "384": 48, "512": 66}[alg[2:]]
        numbers, at = [], 3 if raw[1] & 0x80 else 2
        for _ in range(2):  # DER: SEQUENCE of two INTEGERs
            length = raw[at + 1]
            numbers.append(int.from_bytes(raw[at + 2:at + 2 + length], "big").to_bytes(size, "big"))
            at += 2 + length
        return b"".join(numbers)

    def jws(self, payload, alg=None, header=None):
        alg = alg or ("RS256" if self.rsa else "ES256")
        head = {"alg": alg, "x5t#S256": self.thumbprint, **(header or {})}
        signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(payload).encode())}"
        known = alg in ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
        return f"{signed}.{b64(self.sign(signed.encode(), alg) if known else b'x' * 64)}"

    def jwk(self):
        return {"kty": "RSA" if self.rsa else "EC", "use": "sig", "kid": self.thumbprint, "x5c": [base64.b64encode(self.der).decode()],
                "x5t#S256": self.thumbprint}


# --- a Peer and its Manager ---

class Peer:
    def __init__(self, folder, pki, oin, name, address):
        self.folder, self.pki, self.oin, self.name, self.address = pathlib.Path(folder), pki, oin, name, address
        self.host = f"manager.{name}.fsc.test"
        self.tls = pki.leaf(self.folder / name / "tls", oin, self.host, organization=f"Organisation {name}")
        self.signer = pki.leaf(self.folder / name / "signer", oin, self.host, organization=f"Organisation {name}")
        self.public_key_thumbprint = self.tls.public_key_thumbprint
        self.published = [self.signer]
        self.requests = []  # (method, path, body as text, headers)
        self.callers = []   # of each of those: the thumbprint of the client certificate
        self.answers = {}   # (method, path prefix) -> function(handler body) -> (status, object)
        self.misbehave = None  # function(handler) -> True when it has answered, or not, in its own way
        self.server = None
        self.clock_offset = 0  # seconds, of the Date of answers
        self.connections = []

    @property
    def manager_address(self):
        return f"https://{self.host}:{PORT}"

    # --- as a client ---

    def call(self, target, method, path, body=None, headers=None, identity=None, announce=True):
        """Status, body (parsed when it is JSON) and headers."""
        context = ssl.create_default_context(cafile=str(self.pki.anchor))
        identity = identity or self.tls
        context.load_cert_chain(identity.certificate, identity.key)
        client = http.client.HTTPSConnection(target.host, PORT, timeout=30, context=context)
        client._create_connection = lambda _, *rest: socket.create_connection((target.address, PORT), 30)
        send = {"Fsc-Manager-Address": self.manager_address} if announce and method in ("POST", "PUT") else {}
        data = body
        if isinstance(body, (dict, list)):
            data = json.dumps(body).encode()
            send["Content-Type"] = "application/json"
        send.update(headers or {})
        try:
            client.request(method, path, body=data, headers=send)
            answer = client.getresponse()
            text = answer.read()
            try:
                parsed = json.loads(text)
            except ValueError:
                parsed = text.decode("utf-8", "replace")
            return answer.status, parsed, answer.headers
        finally:
            client.close()

    def signature(self, content, kind="accept", identity=None, alg=None, **changes):
        payload = {"contract_content_hash": content_hash(content), "type": kind, "signed_at": int(time.time()), **changes}
        return (identity or self.signer).jws(payload, alg)

    def submission(self, content, kind="accept", **options):
        return {"content": content, "signature": self.signature(content, kind, **options)}

    def submit(self, target, content, **options):
        return self.call(target, "POST", "/v1/contracts", self.submission(content, **options))

    def place(self, target, content, kind, path_hash=None, path_kind=None, **options):
        path = f"/v1/contracts/{path_hash or content_hash(content)}/{path_kind or kind}"
        return self.call(target, "PUT", path, self.submission(content, kind, **options))

    def ask_token(self, target, scope, client_id=None, grant_type="client_credentials", identity=None):
        import urllib.parse
        form = {"grant_type": grant_type, "scope": scope, "client_id": client_id if client_id is not None else self.oin}
        body = urllib.parse.urlencode({name: value for name, value in form.items() if value != ""})
        return self.call(target, "POST", "/v1/token", body.encode(), {"Content-Type": "application/x-www-form-urlencoded"}, identity)

    # --- as a Manager ---

    def start(self):
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode()
                peer.callers.append(b64(hashlib.sha256(self.connection.getpeercert(True)).digest()))
                peer.requests.append((self.command, self.path, body, dict(self.headers)))
                if peer.misbehave and peer.misbehave(self):
                    return
                status, answer = peer.answer(self.command, self.path, body)
                data = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = serve

            def date_time_string(self, timestamp=None):
                return super().date_time_string((timestamp or time.time()) + peer.clock_offset)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def finish_request(self, request, client_address):
                request.settimeout(20)
                wrapped = context.wrap_socket(request, server_side=True)
                peer.connections.append(wrapped)
                try:
                    super().finish_request(wrapped, client_address)
                finally:
                    wrapped.close()

            def handle_error(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.tls.certificate, self.tls.key)
        context.load_verify_locations(self.pki.anchor)
        context.verify_mode = ssl.CERT_REQUIRED
        self.server = Server((self.address, PORT), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        while self.connections:  # those that clients kept open, too
            try:
                self.connections.pop().shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def answer(self, method, path, body):
        for (wanted, prefix), make in self.answers.items():
            if wanted == method and path.startswith(prefix):
                return make(body)
        if path == "/v1/.well-known/jwks.json":
            return 200, {"keys": [identity.jwk() for identity in self.published]}
        if path == "/v1/peer":
            return 200, {"peer_id": self.oin, "peer_name": f"Organisation {self.name}", "fsc_version": "2.0.0", "enabled_extensions": {}}
        if method == "PUT" and path == "/v1/announce":
            return 200, None
        return (201, None) if method in ("POST", "PUT") else (404, None)

    def received(self, method, prefix):
        return [request for request in list(self.requests) if request[0] == method and request[1].startswith(prefix)]
