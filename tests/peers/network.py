"""A network that fails: TCP between organisations goes through links that delay, hang, cut and lose. TLS passes through untouched, so
identities stay proven end to end.

    network = Network()
    link = network.link(("127.44.1.2", 8443), ("127.43.1.3", 8443))
    link.fail("lose")      # what is asked arrives and is processed; the answer never comes back
    link.heal()
    network.stop()
"""
import asyncio
import random
import threading

# What a link can do to those who use it.
FAULTS = ("refuse", "hang", "slow", "cut", "lose")
APPLICATION_DATA = 23  # RFC 8446, 5.1: the type of a TLS record that is encrypted


class Link:
    """One direction between two parties: who connects to `address` reaches `target`."""

    def __init__(self, network, address, target):
        self.network, self.address, self.target = network, address, target
        self.fault, self.random = None, random.Random(0)
        self.writers, self.server, self.counts = set(), None, {fault: 0 for fault in FAULTS}

    def fail(self, fault, seed=0):
        """From now on; connections that are there feel it too."""
        self.network.do(self._fail, fault, seed)

    def heal(self):
        """Also ends what hangs, as a network that comes back would reset it in time."""
        self.network.do(self._fail, None, 0)

    def _fail(self, fault, seed):
        self.fault, self.random = fault, random.Random(seed)
        if fault in (None, "refuse"):
            for writer in list(self.writers):
                writer.transport.abort()

    async def _serve(self, reader, writer):
        if self.fault:
            self.counts[self.fault] += 1
        if self.fault == "refuse":
            writer.transport.abort()
            return
        self.writers.add(writer)
        far = None
        try:
            far_reader, far = await asyncio.open_connection(*self.target)
            self.writers.add(far)
            state = {"asked": False, "left": self.random.randrange(1, 6000)}
            await asyncio.gather(self._pump(reader, far, state, True), self._pump(far_reader, writer, state, False))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for one in (writer, far):
                if one:
                    self.writers.discard(one)
                    one.transport.abort()

    async def _pump(self, reader, writer, state, asking):
        while data := await reader.read(65536):
            if asking and data[0] == APPLICATION_DATA:
                state["asked"] = True
            if self.fault == "hang":
                continue  # it goes nowhere
            if self.fault == "slow":
                await asyncio.sleep(self.random.uniform(0.01, 0.4))
            if self.fault == "cut":
                state["left"] -= len(data)
                if state["left"] <= 0:
                    break
            if self.fault == "lose" and not asking and state["asked"]:
                await asyncio.sleep(0.2)  # meanwhile the question is worked on
                break
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


class Network:
    def __init__(self):
        self.loop, self.links = asyncio.new_event_loop(), []
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def do(self, function, *arguments):
        async def call():
            return function(*arguments)
        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(10)

    def link(self, address, target):
        link = Link(self, address, target)

        async def listen():
            link.server = await asyncio.start_server(link._serve, *address)
        asyncio.run_coroutine_threadsafe(listen(), self.loop).result(10)
        self.links.append(link)
        return link

    def stop(self):
        for link in self.links:
            self.do(link._fail, "refuse", 0)
            self.do(link.server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
