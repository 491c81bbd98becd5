"""Clients of an Outway that ask without pause, and a node of which a second `serve` stands by."""
import http.client
import pathlib
import signal
import sys
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "conformance")]
from fsc_stage import Node, until  # noqa: E402


class Load:
    """Each client has a connection of its own that is kept, and asks again when it is answered."""

    def __init__(self, address, host, clients=4):
        self.address, self.host, self.failures, self.transactions, self.going = address, host, [], [], True
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    @property
    def done(self):
        return len(self.transactions)

    def run(self):
        client = http.client.HTTPConnection(*self.address, timeout=30)
        while self.going:
            try:
                client.request("GET", "/x", headers={"Host": self.host})
                answer = client.getresponse()
                text = answer.read()
                if answer.status == 200:
                    self.transactions.append(answer.headers["Fsc-Transaction-Id"])
                else:
                    self.failures.append((time.time(), answer.status, text[:200]))
            except (OSError, http.client.HTTPException) as fault:
                self.failures.append((time.time(), "connection", repr(fault)))
                client.close()

    def more(self, count=100):
        wanted = self.done + count
        until("requests go on", lambda: self.done >= wanted or self.failures, 30)

    def stop(self):
        self.going = False
        for thread in self.threads:
            thread.join(30)


class StandbyNode(Node):
    CONF = Node.CONF.replace("anchors = {anchor}", "anchors = {anchor}\nstandby = yes")
    standby = None

    def spawn_standby(self):
        first = self.processes.pop("serve")
        mark = (self.folder / "serve.log").stat().st_size
        self.spawn("serve")
        until("the second one stands by", lambda: self.alive("serve") and b"standing by" in (self.folder / "serve.log").read_bytes()[mark:])
        self.standby, self.processes["serve"] = self.processes["serve"], first

    def take_over(self, how):
        """The one that serves ends; the one that stood by is the node."""
        first = self.processes["serve"]
        first.send_signal(how)
        first.wait(15)
        self.processes["serve"], self.standby = self.standby, None
        until("the other one serves", lambda: self.alive("serve") and self.admin("GET", "/health")[0] == 200)

    def stop(self, how=signal.SIGTERM):
        if self.standby:
            self.standby.kill()
            self.standby.wait()
            self.standby = None
        super().stop(how)
