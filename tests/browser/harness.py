"""What the tests in a browser share: the packages they need, and counting what a browser's program prints."""
import os
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


class Count:
    """Numbers the tests of all runs of the browser in one row."""

    def __init__(self):
        self.number = self.failed = 0

    def line(self, good, name):
        self.number += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}", flush=True)

    def browser(self, program, *arguments):
        process = subprocess.Popen(["node", program, *arguments], cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   stdin=subprocess.DEVNULL)
        before = self.number
        for line in process.stdout:
            match = re.match(r"(ok|not ok) \d+ - (.*)", line)
            if match:
                self.line(match.group(1) == "ok", match.group(2))
            else:
                print(line if line.startswith("#") else f"# {line}", end="", flush=True)
        if process.wait() != 0 and self.number == before:
            self.line(False, "the browser runs")


def packages():
    """playwright-core and axe-core, exactly as in package-lock.json. Why not, when they cannot be had."""
    if (HERE / "node_modules" / "axe-core").exists() and (HERE / "node_modules" / "playwright-core").exists():
        return None
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE, capture_output=True, text=True)
    return None if done.returncode == 0 else "npm ci: " + (done.stderr.strip().splitlines() or ["failed"])[-1]


def missing():
    if not shutil.which("node") or not shutil.which("npm"):
        return "no node and npm"
    return packages() if pathlib.Path(CHROMIUM).exists() else f"no {CHROMIUM}"
