#!/usr/bin/env python3
"""Checks of the source that need no running program. Prints TAP; `./run check` and `./run test` run it."""
import json
import os
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
number = failed = 0


def report(title, faults):
    global number, failed
    number += 1
    failed += bool(faults)
    print(f"{'not ok' if faults else 'ok'} {number} - {title}", flush=True)
    for fault in faults[:40]:
        print(f"# {fault}")


def run(command, **options):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", **options)
    return done.returncode, (done.stdout + done.stderr).strip().splitlines()


def tracked(*patterns):
    return [name for name in run(["git", "ls-files", *patterns])[1] if (ROOT / name).exists()]


def sources():
    return [name for name in tracked("*.c", "*.h") if not name.startswith("edge/")]


def formatting():
    status, lines = run(["clang-format", "--dry-run", "-Werror", *tracked("*.c", "*.h")])
    return [line for line in lines if "error:" in line] if status else []


def floors():
    return run([sys.executable, "tools/check-floors.py"])[1]


CLANG_OPTIONS = ["-Dfuzz=true", "-Db_sanitize=address,undefined", "-Db_lundef=false"]


def clang_build():
    """Configures and builds build/clang, fuzz targets and all; the database of its commands is what clang-tidy reads."""
    folder = ROOT / "build" / "clang"
    if not (folder / "build.ninja").exists():
        status, lines = run(["meson", "setup", str(folder), *CLANG_OPTIONS], env={**os.environ, "CC": "clang"})
        if status:
            return lines
    status, lines = run(["ninja", "-C", str(folder), "-j2"])
    return [line for line in lines if not line.startswith("[")][-40:] if status else []


def tidy():
    database = json.loads((ROOT / "build" / "clang" / "compile_commands.json").read_text())
    folder = ROOT / "build" / "clang"
    names = sorted({str((folder / entry["file"]).resolve().relative_to(ROOT)) for entry in database
                    if (folder / entry["file"]).resolve().is_relative_to(ROOT)})
    names = [name for name in names if name.startswith(("core/", "components/", "app/"))]

    def one(name):
        status, lines = run(["clang-tidy-14" if pathlib.Path("/usr/bin/clang-tidy-14").exists() else "clang-tidy", "-p", str(folder), "--quiet", name])
        return [line for line in lines if "error:" in line or "warning:" in line] if status else []

    with ThreadPoolExecutor(2) as pool:
        return [line for lines in pool.map(one, names) for line in lines]


def cppcheck():
    suppressions = ["--suppress=missingIncludeSystem", "--suppress=unusedFunction", "--suppress=unknownMacro", "--suppress=normalCheckLevelMaxBranches", "--suppress=varFuncNullUB"]
    status, lines = run(["cppcheck", "--quiet", "--error-exitcode=1", "--enable=warning,portability", "--inline-suppr", "--library=gtk", "--std=c11",
                         "-j2", "-I.", *suppressions, "core", "components", "app"])
    return lines if status else []


PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def phrase_table(path):
    """key -> text of one file of phrases; faults are strings."""
    table, faults = {}, []
    for line_number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        key, separator, text = line.partition("=")
        key = key.strip()
        if not separator or not key:
            faults.append(f"{path.relative_to(ROOT)}:{line_number}: not \"key = text\"")
        elif key in table:
            faults.append(f"{path.relative_to(ROOT)}:{line_number}: {key} is there twice")
        else:
            table[key] = text.strip()
    return table, faults


def phrases():
    """Every phrase that code and templates use exists in Dutch, none is left over, and translations have the same placeholders."""
    faults = []
    code = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in tracked("*.c", "*.h", "*.mustache"))
    quoted = set(re.findall(r'"([a-z0-9_.-]+)"', code))
    # Every name before a quote or a brace, whole and from each of its dots on: templates say t.KEY, l.COMPONENT.KEY.
    named = {part[at:] for part in set(re.findall(r'[a-z0-9_.-]+(?=["}])', code))
             for at in [0, *(match.end() for match in re.finditer(r"\.", part))]}
    for dutch_path in sorted((ROOT / "locale" / "nl").glob("*.txt")):
        component = dutch_path.stem
        dutch, found = phrase_table(dutch_path)
        faults += found
        prefixes = dynamic_prefixes(code, component)
        for key in dutch:
            plain = key.removesuffix(".one")
            # The frame of a page puts ".title", ".lede" or ".text" behind the name that it is given.
            stem = re.sub(r"\.(title|lede|text)$", "", plain)
            known = {f"{component}.{plain}", f"t.{plain}", f"l.{plain}"} & named or plain in quoted \
                or (stem != plain and {f"{component}.{stem}", stem} & quoted) or any(plain.startswith(prefix) for prefix in prefixes)
            if not known:
                faults.append(f"locale/nl/{component}.txt: {key} is not used")
        for used in sorted(set(re.findall(rf'"{re.escape(component)}\.([a-z0-9_.-]+)"', code))):
            if used not in dutch and f"{used}.one" not in dutch and not used.endswith("."):
                if re.search(rf'phrase\w*\([^;]*"{re.escape(component)}\.{re.escape(used)}"', code):
                    faults.append(f"locale/nl/{component}.txt: {used} is used but missing")
        for other in sorted((ROOT / "locale").iterdir()):
            path = other / dutch_path.name
            if other.name == "nl" or not path.exists():
                continue
            table, found = phrase_table(path)
            faults += found
            for key, text in table.items():
                if key not in dutch:
                    faults.append(f"{path.relative_to(ROOT)}: {key} is not in the Dutch table")
                elif set(PLACEHOLDER.findall(text)) != set(PLACEHOLDER.findall(dutch[key])):
                    faults.append(f"{path.relative_to(ROOT)}: {key} has other placeholders than the Dutch")
            if other.name == "en":
                faults += [f"{path.relative_to(ROOT)}: {key} is missing" for key in dutch if key not in table]
    return faults


def dynamic_prefixes(code, component):
    """Prefixes of keys that code puts together: phrases written as "component.prefix." or "component.prefix.%s..."."""
    return [match.rstrip("%s") for match in re.findall(rf'"{re.escape(component)}\.([a-z0-9_.-]+\.)(?:%s[^"]*)?"', code)]


def stylesheet():
    size = (ROOT / "static" / "fundament.css").stat().st_size
    return [f"static/fundament.css is {size} bytes, more than 12 KB"] if size > 12 * 1024 else []


def manual_pages():
    faults = []
    for name in tracked("docs/man/*"):
        faults += [line for line in run(["mandoc", "-T", "lint", "-W", "warning", name])[1]]
    return faults or ([] if tracked("docs/man/*") else ["there is no manual page"])


UNWANTED = re.compile(r"\bTODO\b(?! *\(#\d+)|\bFIXME\b|\bXXX\b")


def words():
    faults = []
    for name in tracked():
        if name in ("tools/check.py", "LICENSE"):
            continue
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        faults += [f"{name}:{number}: {line.strip()[:100]}" for number, line in enumerate(text.splitlines(), 1) if UNWANTED.search(line)]
    return faults


def configuration_document():
    """docs/configuration.md names every key that the program knows."""
    program = ROOT / "build" / "clang" / "app" / "fundament"
    status, lines = run([str(program), "config", "keys"], env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    if status:
        return lines
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    names = re.findall(r"^\[[a-z.*-]+\]\s+([a-z_]+)\s", "\n".join(lines), re.M)
    return [f"docs/configuration.md does not name {name}" for name in names if f"`{name}`" not in text] or ([] if names else ["no keys were printed"])


def main():
    report("the source is formatted (clang-format)", formatting())
    report("no file includes from a floor above its own", floors())
    report("it builds with clang without a warning", clang_build())
    report("clang-tidy finds nothing", tidy())
    report("cppcheck finds nothing", cppcheck())
    report("phrases: none missing, none unused, the same placeholders", phrases())
    report("the stylesheet is under 12 KB", stylesheet())
    report("the manual pages are well-formed", manual_pages())
    report("docs/configuration.md names every key", configuration_document())
    report("no unfinished business without a number in the source", words())
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
