"""One node by itself, without others to speak with: for what concerns the node alone (backup, retention, disk, package)."""
import json
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "demo"), str(ROOT / "tests" / "scenario")]
from country import Failed, unix_call, wait_for  # noqa: E402

OIN = "00000001000000000007"
ROLES = ("manager", "inway", "outway", "contract", "token")
ACTIVITY = "https://manager.solo.test:8443/logboek/v1/processing-activities/backup"

# Keys of the node whose lines are given by the caller, by section.
CONFIGURATION = {
    "node": ["group = solo", "data = data", "run = run", "keys = keys", "anchors = keys/anchor.crt", "crl = keys/crl.pem", "components = logboek fsc"],
    "fsc": ["manager_address = https://manager.solo.test:8443", "inway_address = https://inway.solo.test:8443"],
    "edge": ["address = 127.0.0.21"],
    "logboek": ["listen = 127.0.0.21:4318"],
}


def configuration(**more):
    """The text of node.conf; `more` adds lines to sections."""
    sections = {name: lines + more.pop(name, []) for name, lines in CONFIGURATION.items()}
    return "\n".join("\n".join([f"[{name}]", *lines, ""]) for name, lines in {**sections, **more}.items())


def span(number):
    now = time.time_ns()
    attributes = [("dpl.core.processing_activity_id", ACTIVITY), ("dpl.core.data_subject_id", f"person-{number % 100000}"),
                  ("dpl.core.data_subject_id_type", "SOLO")]
    return {"traceId": secrets.token_hex(16), "spanId": secrets.token_hex(8), "parentSpanId": "", "name": f"act {number}", "kind": 1,
            "startTimeUnixNano": str(now), "endTimeUnixNano": str(now), "status": {},
            "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes]}


class Solo:
    def __init__(self, folder, program, module=None):
        self.folder, self.program, self.module = pathlib.Path(folder), pathlib.Path(program), module
        self.conf = self.folder / "node.conf"
        self.serve = None

    def make(self, **more):
        """Keys and configuration, from nothing."""
        keys = self.folder / "keys"
        keys.mkdir(parents=True, mode=0o700)
        self.run("pki", "create", "--folder", str(keys), "--name", "solo")
        for role in ROLES:
            self.run("pki", "issue", "--folder", str(keys), "--out", str(keys), "--name", role, "--oin", OIN, "--organization", "Solo",
                     "--domain", f"{role}.solo.test")
        self.conf.write_text(configuration(**more))

    def run(self, *arguments, check=True, **options):
        done = subprocess.run([str(self.program), *arguments], capture_output=True, text=True, timeout=120, cwd=self.folder,
                              env={**os.environ, "FUNDAMENT_CONF": str(self.conf)}, **options)
        if check and done.returncode != 0:
            raise Failed(f"fundament {' '.join(arguments)}: {done.stderr.strip()}")
        return done

    def start(self, **options):
        with open(self.folder / "serve.log", "ab") as log:
            self.serve = subprocess.Popen([str(self.program), "serve", "--config", str(self.conf)], stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log, cwd=self.folder, **options)
        wait_for("the node is ready", 20, self.ready)

    def ready(self):
        if self.serve.poll() is not None:
            raise Failed("the node ended: " + self.log()[-600:])
        try:
            return self.admin("GET", "/health")[0] == 200
        except OSError:
            return False

    def log(self):
        return (self.folder / "serve.log").read_text(errors="replace")

    def stop(self, number=signal.SIGTERM):
        if self.serve and self.serve.poll() is None:
            self.serve.send_signal(number)
        if self.serve:
            self.serve.wait(timeout=30)
        self.serve = None

    def admin(self, method, path, body=None):
        return unix_call(self.folder / "run" / "admin.sock", method, path, body)

    def metrics(self):
        """Name (with labels) to value."""
        found = {}
        for line in self.admin("GET", "/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                found[name] = float(value)
        return found

    def write(self, count, first=0):
        """Writes records; TRUE when all of them were acknowledged."""
        body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "solo"}}]},
                                   "scopeSpans": [{"spans": [span(first + n) for n in range(count)]}]}]}
        try:
            status, answer = unix_call(self.folder / "run" / "log.sock", "POST", "/v1/traces", body)
        except OSError:
            return False
        rejected = isinstance(answer, dict) and answer.get("partialSuccess", {}).get("rejectedSpans", 0)
        if rejected and int(rejected):
            raise Failed(f"a record was rejected: {json.dumps(answer)[:300]}")
        return status == 200

    def status(self):
        return self.admin("GET", "/logboek/v1/status")[1]

    def indexed(self):
        """Waits until all that is on disk is indexed; how many that is."""
        def done():
            status = self.status()
            return status if status["journalLast"] == status["indexed"] else None
        return wait_for("the index has caught up", 20, done)["indexed"]
