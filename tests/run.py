#!/usr/bin/env python3
"""Runs everything that proves Fundament works, and ends with `N passed, N failed, N skipped`.

Every test program prints TAP. The stages, in this order, are: the checks of the source, unit tests under the address and
undefined-behaviour sanitizers, the fuzz targets for a short while, and the tests against real processes (edge, conformance,
scenario, browser, demo), which use the release build. A program that prints no test, or ends badly without saying which
test failed, counts as failed.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests" / "conformance")]
sys.dont_write_bytecode = True
import check  # noqa: E402
import fsc_scenarios  # noqa: E402
DATA = ROOT.parent / "shared" / "data"
FUZZ_SECONDS = 8
PROGRAM_SECONDS = 900
SIDE_BY_SIDE = 3  # programs at once: most of their time they wait
FETCHES = {"scenario/test_package"}  # a chroot of Debian
LINE = re.compile(r"^(ok|not ok)\b\s*\d*\s*(?:-\s*)?(.*)$")

SANITIZER = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "G_SLICE": "always-malloc",
}


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.results = []  # (program, test, "passed" | "failed" | "skipped") of what printed TAP

    def add(self, name, passed, skipped=False, detail=""):
        if skipped:
            self.skipped += 1
            print(f"skipped  {name}  {detail}", flush=True)
        elif passed:
            self.passed += 1
        else:
            self.failed += 1
            self.failures.append(name)
            print(f"FAILED   {name}", flush=True)
            if detail:
                print("         " + "\n         ".join(detail.strip().splitlines()[-40:]), flush=True)


def run(command, timeout, env=None, cwd=ROOT):
    """Output and exit status; a program that does not end in time is ended, with all that it started."""
    process = subprocess.Popen(command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True)
    try:
        output, _ = process.communicate(timeout=timeout)
        return output, process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        output, _ = process.communicate()
        return output + f"\nended after {timeout} s without finishing", 124


def count_tap(tally, name, output, status):
    seen = failed = 0
    for line in output.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        seen += 1
        title = f"{name}: {match.group(2)}"
        skip = re.search(r"#\s*SKIP\s*(.*)", match.group(2), re.I)
        tally.results.append((name, match.group(2), "skipped" if skip else "passed" if match.group(1) == "ok" else "failed"))
        if skip:
            reason = re.search(r"skipped: .*", output)
            tally.add(title, True, skipped=True, detail=skip.group(1) or (reason.group(0) if reason else ""))
        else:
            failed += match.group(1) == "not ok"
            tally.add(title, match.group(1) == "ok", detail=output if match.group(1) == "not ok" and failed == 1 else "")
    if seen == 0:
        tally.add(f"{name}: prints its tests", False, detail=output)
    elif status != 0 and failed == 0:
        tally.add(f"{name}: ends well (exit {status})", False, detail=output)


def build(tally, name, options, env=None):
    folder = ROOT / "build" / name
    if not (folder / "build.ninja").exists():
        output, status = run(["meson", "setup", str(folder), *options], 300, env)
        if status != 0:
            tally.add(f"build/{name}: configures", False, detail=output)
            return None
    output, status = run(["ninja", "-C", str(folder), "-j2"], 1500, env)
    tally.add(f"build/{name}: compiles without a warning", status == 0, detail=output)
    return folder if status == 0 else None


def unit_tests(tally, wanted):
    folder = build(tally, "asan", ["-Db_sanitize=address,undefined", "-Db_lundef=false"])
    if not folder:
        return
    listed = json.loads(run(["meson", "introspect", "--tests", str(folder)], 60)[0])
    tests = [test for test in listed if wanted(test["name"])]

    def one(test):
        env = {**SANITIZER, **test["env"]}
        return test["name"], *run(test["cmd"], max(300, test["timeout"]), env)

    with ThreadPoolExecutor(2) as pool:
        for name, output, status in pool.map(one, tests):
            count_tap(tally, name, output, status)


def fuzz_targets(tally, wanted):
    if not wanted("fuzz"):
        return
    folder = build(tally, "clang", check.CLANG_OPTIONS, {"CC": "clang"})
    if not folder:
        return
    targets = sorted(path for path in (folder / "tests" / "fuzz").glob("fuzz-*") if path.is_file() and os.access(path, os.X_OK))

    def one(target):
        corpus = folder / "corpus" / target.name
        corpus.mkdir(parents=True, exist_ok=True)
        return target, *run([str(target), f"-max_total_time={FUZZ_SECONDS}", "-timeout=10", "-rss_limit_mb=2048",
                             f"-artifact_prefix={folder}/", str(corpus)], FUZZ_SECONDS + 60, SANITIZER)

    with ThreadPoolExecutor(2) as pool:
        for target, output, status in pool.map(one, targets):
            executed = re.search(r"Done (\d+) runs", output)
            tally.add(f"{target.name}: finds nothing in {FUZZ_SECONDS} s", status == 0 and executed is not None, detail=output)


def apart(command):
    """The command in a network of its own, so that several programs may use the same addresses at once; only root may make one."""
    return ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]


def can_part():
    return os.geteuid() == 0 and shutil.which("ip") and run(apart(["true"]), 20)[1] == 0


def fetch_packages():
    """What tests use of npm: fetched here, since a network of its own has no way out. A test that finds nothing says so itself."""
    for manifest in sorted((ROOT / "tests").glob("*/package.json")) + sorted((ROOT / "tests").glob("*/*/package.json")):
        folder = manifest.parent
        if "node_modules" not in folder.parts and not (folder / "node_modules").exists() and shutil.which("npm"):
            run(["npm", "ci", "--ignore-scripts", "--silent", "--no-audit", "--no-fund"], 500, cwd=folder)


def programs(tally, wanted):
    """Tests against real processes: executable files, each printing TAP. Those of the browser take most, and begin first; what
    fetches packages by itself has the network of the machine."""
    folders = ["browser", "scenario", "conformance", "edge"]
    names = [f"{folder}/{path.name}" for folder in folders for path in sorted((ROOT / "tests" / folder).glob("test*"))
             if path.is_file() and os.access(path, os.X_OK)]
    names = [name for name in names if wanted(name)]
    if not names and not wanted("demo"):
        return
    release = build(tally, "release", ["-Dbuildtype=release"])
    if not release:
        return
    bill_of_materials(tally, release)
    one_definition(tally, release)
    fetch_packages()
    env = {"FUNDAMENT_BUILD": str(release), "FUNDAMENT_DATA": str(DATA)}
    part = can_part()

    def one(name):
        command = [str(ROOT / "tests" / name)]
        started = time.monotonic()
        result = run(apart(command) if part and name not in FETCHES else command, PROGRAM_SECONDS, env)
        return name, time.monotonic() - started, *result

    with ThreadPoolExecutor(SIDE_BY_SIDE if part else 1) as pool:
        for name, took, output, status in pool.map(one, names):
            count_tap(tally, name, output, status)
            print(f"         {name} took {took:.0f} s", flush=True)
    if wanted("demo"):
        demo(tally, [], "demo --check")
        official = DATA / "brp" / "personen-mock-test-data.2024-06-11.json"
        if official.exists():
            demo(tally, ["--persons", str(official)], "demo --check --persons")
        else:
            tally.add("demo --check --persons", True, skipped=True, detail="skipped: no ../shared/data")


def one_definition(tally, release):
    """Two libraries with a function of one name link without a word, until both are wanted: then one stands for both."""
    archives = [str(path) for folder in ("core", "components") for path in sorted((release / folder).glob("*/*.a"))]
    names = [line.split()[-1] for line in run(["nm", "--defined-only", "--extern-only", *archives], 60)[0].splitlines() if " T " in line]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    tally.add("no two libraries define the same function", len(names) > 100 and not twice, detail=f"{len(names)} functions; twice: {twice}")


def bill_of_materials(tally, release):
    document = json.loads((release / "fundament.cdx.json").read_text())
    names = {component["name"] for component in document["components"]}
    wanted = {"libssl3", "libjansson4", "libglib2.0-0", "libsqlite3-0", "libmicrohttpd12"}
    tally.add("the bill of materials names the libraries that are linked", document["bomFormat"] == "CycloneDX" and wanted <= names,
              detail=f"missing: {sorted(wanted - names)}")


def demo(tally, options, name):
    output, status = run([sys.executable, "demo/demo.py", "--build", "build/release", "--check", *options], 600)
    count_tap(tally, name, re.sub(r"^(ok|FAILED)\s", lambda m: "ok " if m.group(1) == "ok" else "not ok ", output, flags=re.M),
              status)


def checks(tally, wanted):
    if wanted("check"):
        output, status = run([sys.executable, "tools/check.py"], 1200)
        count_tap(tally, "check", output, status)


def main():
    parser = argparse.ArgumentParser(prog="./run test")
    parser.add_argument("names", nargs="*", help="only what has one of these in its name")
    names = parser.parse_args().names

    def wanted(name):
        return not names or any(part in name for part in names)

    started = time.monotonic()
    tally = Tally()
    checks(tally, wanted)
    unit_tests(tally, wanted)
    fuzz_targets(tally, wanted)
    programs(tally, wanted)
    if any(fsc_scenarios.scenario_of(test) for _, test, _ in tally.results):
        print("\n".join(fsc_scenarios.table(tally.results)))
    for name in tally.failures:
        print(f"failed: {name}")
    print(f"in {time.monotonic() - started:.0f} s")
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
