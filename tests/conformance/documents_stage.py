"""What the tests of documents share: the packages of npm, and requests over the sockets of a node, with headers."""
import http.client
import json
import os
import pathlib
import subprocess

from fsc_stage import UnixConnection

HERE = pathlib.Path(__file__).resolve().parent / "documents"
ROOT = HERE.parents[2]
DATA = pathlib.Path(os.environ.get("FUNDAMENT_DATA", ROOT.parent / "shared" / "data"))


def packages():
    """The packages of package-lock.json. Why not, when they cannot be had."""
    if (HERE / "node_modules" / "rdf-validate-shacl").exists() and (HERE / "node_modules" / ".bin" / "spectral").exists():
        return None
    try:
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--silent", "--no-audit", "--no-fund"], cwd=HERE, capture_output=True, text=True, timeout=500)
    except OSError:
        return "no npm"
    return None if done.returncode == 0 else "npm cannot fetch the packages here"


class Answer:
    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data

    @property
    def text(self):
        return self.data.decode()

    @property
    def json(self):
        return json.loads(self.data)

    @property
    def media(self):
        return (self.headers["Content-Type"] or "").split(";")[0]


def ask(node, door, method, path, body=None, headers=None):
    """A request to the socket of one listener, as the edge would pass it on."""
    client = UnixConnection(node.folder / "run" / f"{door}.sock")
    try:
        client.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            client.putheader(name, value)
        if body is not None:
            client.putheader("Content-Length", str(len(body)))
        client.endheaders(body)
        answer = client.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    except http.client.HTTPException as fault:
        raise AssertionError(f"{method} {path}: {fault}") from fault
    finally:
        client.close()
