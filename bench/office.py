"""A Manager with any number of concluded contracts in its store, for `bench/token` and `bench/manager`.

The contracts are written straight into SQLite, as the node itself would have stored them: hashes are right; the signatures under the bulk are not, which
nobody looks at again once they are stored. The contracts that tokens are asked for belong to the one consumer that is played here."""
import hashlib
import http.client
import json
import os
import pathlib
import re
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "conformance")]
sys.dont_write_bytecode = True
from fsc_stage import GROUP, NET, PORT, Stage, until  # noqa: E402
from fsc_peer import b64  # noqa: E402

PROVIDER_NUMBER, CONSUMER_NUMBER = 2, 3
PROVIDER, CONSUMER = (f"0000000100000000{number:04d}" for number in (PROVIDER_NUMBER, CONSUMER_NUMBER))
SERVICE = "persons"
BULK_PEERS = 1000  # consumers of the bulk
YEAR = 365 * 86400
JWS_LENGTH = 560   # what an accept signature of the demo has


def text(value):
    """JCS, for values that hold nothing but ASCII strings and integers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def sha3(words):
    return b64(hashlib.sha3_512(words.encode()).digest())


def make(consumer, thumbprint, created):
    """The rows of one contract: content hash, iv, content, grant hash."""
    data = {"type": "GRANT_TYPE_SERVICE_CONNECTION",
            "outway": {"peer_id": consumer, "identification": {"type": "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT", "public_key_thumbprint": thumbprint}},
            "service": {"type": "SERVICE_TYPE_SERVICE", "peer_id": PROVIDER, "name": SERVICE}}
    iv = str(uuid.uuid4())
    content = text({"fsc_version": "2.0.0", "iv": iv, "group_id": GROUP, "validity": {"not_before": created, "not_after": created + YEAR},
                    "grants": [{"data": data}], "hash_algorithm": "HASH_ALGORITHM_SHA3_512", "created_at": created})
    digest = "$1$1$" + sha3(content)
    return digest, iv, content, "$1$3$" + sha3(digest + text(data))


def insert(path, first, contracts, db=None):
    """(consumer, public key thumbprint, created) each, with ids from `first` on. The grant hashes."""
    hashes = []
    db = db or sqlite3.connect(path)
    with db:
        now = int(time.time())
        db.executemany("INSERT OR IGNORE INTO fsc_certificates (thumbprint, peer_id, x5c, not_before, not_after, purpose) VALUES (?, ?, '[]', 0, ?, 'peer')",
                       [("bench-" + peer, peer, now + 100 * YEAR) for peer in {PROVIDER, *(consumer for consumer, _, _ in contracts)}])
        rows = {"contracts": [], "peers": [], "grants": [], "signatures": []}
        for number, (consumer, thumbprint, created) in enumerate(contracts, first):
            digest, iv, content, grant = make(consumer, thumbprint, created)
            hashes.append(grant)
            rows["contracts"].append((number, digest, iv, content, created, created + YEAR, created, created * 1000))
            rows["grants"].append((number, grant, SERVICE, PROVIDER, consumer))
            for peer in (consumer, PROVIDER):
                rows["peers"].append((number, peer, created))
                rows["signatures"].append((number, peer, created, "bench-" + peer, "x" * JWS_LENGTH, f"{number:064d}", created * 1000))
        db.executemany("INSERT INTO fsc_contracts (id, hash, iv, content, not_before, not_after, created_at, received_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                       rows["contracts"])
        db.executemany("INSERT INTO fsc_contract_peers (contract_id, peer_id, created_at) VALUES (?, ?, ?)", rows["peers"])
        db.executemany("INSERT INTO fsc_grants (contract_id, position, hash, type, service_name, service_peer_id, outway_peer_id) VALUES "
                       "(?, 0, ?, 'GRANT_TYPE_SERVICE_CONNECTION', ?, ?, ?)", rows["grants"])
        db.executemany("INSERT INTO fsc_signatures (contract_id, peer_id, type, signed_at, thumbprint, jws, digest, received_ms) VALUES "
                       "(?, ?, 'accept', ?, ?, ?, ?, ?)", rows["signatures"])
    return hashes


def bulk(path, wanted, say=lambda _: None):
    """Makes the store hold `wanted` contracts of others."""
    db = sqlite3.connect(path)
    have = db.execute("SELECT coalesce(max(id), 0) FROM fsc_contracts").fetchone()[0]
    # Nobody else has it open, and a store that was half made is made again: all in memory, written once.
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -4000000", "locking_mode = EXCLUSIVE"):
        db.execute(f"PRAGMA {pragma}").fetchall()
    now, thumbprint = int(time.time()), "0" * 64
    while have < wanted:
        n = min(20000, wanted - have)
        insert(path, have + 1, [(f"00000002{i % BULK_PEERS:012d}", thumbprint, now - YEAR // 2 + i // 100) for i in range(have, have + n)], db)
        have += n
        say(have)
    db.execute("PRAGMA locking_mode = NORMAL").fetchall()
    db.execute("PRAGMA journal_mode = WAL").fetchall()
    db.close()


def forget_own(path, bulk_size):
    """Takes out what an earlier run added for its own consumer."""
    with sqlite3.connect(path) as db:
        for table in ("fsc_signatures", "fsc_grants", "fsc_contract_peers"):
            db.execute(f"DELETE FROM {table} WHERE contract_id > ?", (bulk_size,))
        db.execute("DELETE FROM fsc_contracts WHERE id > ?", (bulk_size,))


class Office:
    """One Manager behind its edge, and one consumer."""

    def __init__(self, store=None):
        self.stage = Stage()
        self.consumer = self.stage.peer(CONSUMER_NUMBER, "consumer")
        self.node = self.stage.node(PROVIDER_NUMBER, "provider", f"[limits]\npeer_per_second = 0\n[service.{SERVICE}]\nupstream = 127.0.0.1:9\n",
                                    store=f"sqlite:{store}" if store else None)
        self.store = pathlib.Path(store) if store else self.node.folder / "data" / "node.db"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stage.__exit__()

    def migrate(self):
        """Starts and stops once, so that the tables are there."""
        self.node.configure()
        self.node.spawn("serve")
        until("the node is ready", lambda: self.node.alive("serve") and self.node.admin("GET", "/health")[0] == 200, 60)
        self.node.stop()

    def own_contracts(self, first, n):
        now = int(time.time())
        return insert(self.store, first, [(CONSUMER, self.consumer.public_key_thumbprint, now - n + i) for i in range(n)])

    def start(self):
        """The seconds until it answers."""
        self.node.configure()
        began = time.monotonic()
        self.node.spawn("serve")
        until("the node is ready", lambda: self.node.alive("serve") and self.node.admin("GET", "/health")[0] == 200, 300)
        took = time.monotonic() - began
        self.node.spawn("edge")
        until("the edge listens", lambda: self.node.alive("edge") and self.node.listens())
        return took

    def client(self):
        """A connection to the Manager that stays open."""
        context = ssl.create_default_context(cafile=str(self.stage.pki.anchor))
        context.load_cert_chain(self.consumer.tls.certificate, self.consumer.tls.key)
        client = http.client.HTTPSConnection(self.node.host, PORT, timeout=30, context=context)
        client._create_connection = lambda _, *rest: socket.create_connection((self.node.address, PORT), 30)
        return client

    def pid(self, part):
        return self.node.processes[part].pid


def ask(client, method, path, body=None, kind="application/x-www-form-urlencoded"):
    """The parsed answer and the seconds it took."""
    headers = {"Content-Type": kind} if body is not None else {}
    began = time.perf_counter()
    client.request(method, path, body=body, headers=headers)
    answer = client.getresponse()
    data = answer.read()
    took = time.perf_counter() - began
    if answer.status != 200:
        raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]!r}")
    return json.loads(data), took


def token_body(grant_hash):
    return f"grant_type=client_credentials&scope={grant_hash.replace('$', '%24')}&client_id={CONSUMER}"


def cpu_seconds(pid):
    """Of a process and its children, living ones."""
    hertz, used = os.sysconf("SC_CLK_TCK"), 0.0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            rest = stat.read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(stat.parent.name) == pid or int(rest[1]) == pid:
            used += (int(rest[11]) + int(rest[12])) / hertz
    return used


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def signing_us():
    """CPU microseconds of one ECDSA P-256 signature by OpenSSL, on this machine now."""
    done = subprocess.run(["openssl", "speed", "-seconds", "1", "ecdsap256"], capture_output=True, text=True, check=True)
    return 1e6 / float(re.search(r"nistp256\)\s+\S+s\s+\S+s\s+([\d.]+)", done.stdout).group(1))


def table(header, rows):
    """Markdown."""
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join("---" for _ in header) + "|"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])
