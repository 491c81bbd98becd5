"""Tests against running processes, told in the Test Anything Protocol."""
import contextlib
import traceback


class Tap:
    def __init__(self):
        self.number = self.failed = 0

    @contextlib.contextmanager
    def test(self, name):
        """The body is one test; whatever it raises is why it failed, and the next test goes on."""
        self.number += 1
        try:
            yield
        except Exception as fault:  # every fault is a failed test, whatever its kind
            self.failed += 1
            place = traceback.extract_tb(fault.__traceback__)[-1]
            print(f"not ok {self.number} - {name}", flush=True)
            print(f"# {type(fault).__name__}: {fault} (line {place.lineno} of {place.name})", flush=True)
        else:
            print(f"ok {self.number} - {name}", flush=True)

    def skip(self, name, reason):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {reason}", flush=True)

    def end(self):
        """Prints the plan; the exit status."""
        print(f"1..{self.number}", flush=True)
        return 1 if self.failed else 0
