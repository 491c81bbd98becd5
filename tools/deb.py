#!/usr/bin/env python3
"""Builds the Debian package from the files that git knows, as a Debian maintainer would: dpkg-buildpackage in a copy of the source.

The result is build/package/fundament_VERSION_ARCH.deb. A version other than that of the newest entry in packaging/debian/changelog
gets an entry of its own in the copy: for tests of upgrades.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True


def files():
    """What git knows of, and what is new and not ignored: the source as it stands here. A source without git is taken whole."""
    if not (ROOT / ".git").exists():
        skipped = ("build", "var")
        return [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file() and path.relative_to(ROOT).parts[0] not in skipped]
    listed = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def copy_source(target):
    """Leaves files alone that did not change, so that a compiler cache and a second run have less to do."""
    shutil.rmtree(target, ignore_errors=True)
    for name in files():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, path)
    shutil.copytree(target / "packaging" / "debian", target / "debian")


def set_version(source, version):
    changelog = source / "debian" / "changelog"
    text = changelog.read_text(encoding="utf-8")
    if text.startswith(f"fundament ({version})"):
        return
    date = subprocess.run(["date", "-R"], check=True, capture_output=True, text=True).stdout.strip()
    entry = f"fundament ({version}) unstable; urgency=medium\n\n  * Built as this version.\n\n -- Fundament <fundament@example.org>  {date}\n\n"
    changelog.write_text(entry + text, encoding="utf-8")
    (source / "VERSION").write_text(version + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(prog="./run package")
    parser.add_argument("--version", default=(ROOT / "VERSION").read_text(encoding="utf-8").strip(), help="default: that of the source")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build" / "package", help="where the package goes")
    options = parser.parse_args()
    folder = options.folder.resolve()
    source = folder / "source"
    copy_source(source)
    set_version(source, options.version)
    environment = {**os.environ, "DEB_BUILD_OPTIONS": "nocheck noautodbgsym parallel=2", "LC_ALL": "C.UTF-8"}
    log = folder / "build.log"
    with open(log, "w", encoding="utf-8") as stream:
        status = subprocess.run(["dpkg-buildpackage", "-b", "-us", "-uc"], cwd=source, env=environment, stdout=stream,
                                stderr=subprocess.STDOUT, check=False).returncode
    if status != 0:
        print("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]), file=sys.stderr)
        return 1
    package, = folder.glob(f"fundament_{options.version}_*.deb")
    print(package)
    return 0


if __name__ == "__main__":
    sys.exit(main())
