#!/usr/bin/env python3
"""Checks that no file includes from a floor above its own (README, "The floors"). Prints each fault; exit 1 when there is one."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORE = ["base", "format", "crypto", "store", "net", "node"]
COMPONENTS = ["logboek", "fsc", "brp", "machtigen", "toegang", "openbaar", "inzage"]
EDGE_SHARES = "core/node/frames.h"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def floor(folder):
    """Height of a folder, or None when it is on no floor."""
    parts = folder.split("/")
    if parts[0] == "core" and len(parts) > 1 and parts[1] in CORE:
        return CORE.index(parts[1])
    if parts[0] == "components" and len(parts) > 1 and parts[1] in COMPONENTS:
        return len(CORE) + COMPONENTS.index(parts[1])
    if parts[0] == "app":
        return len(CORE) + len(COMPONENTS)
    return None


def fault(path, included):
    here, there = "/".join(path.split("/")[:2]), "/".join(included.split("/")[:2])
    if path.startswith("app/"):
        here = "app"
    if path.startswith("edge/"):
        # nginx modules include their own headers by name alone
        own = (ROOT / "edge" / included).exists()
        return None if own or included.startswith("edge/") or included == EDGE_SHARES else "edge/ shares only " + EDGE_SHARES
    if "/" not in included:
        return "write the include from the root of the project"
    if not (ROOT / included).exists():
        return "no such file"
    if here == there:
        return None
    if floor(there) is None:
        return "is on no floor that may be included"
    if floor(there) > floor(here):
        return f"{there} stands above {here}"
    if there.startswith("components/") and included != f"{there}/{there.split('/')[1]}.h":
        return f"only {there}/{there.split('/')[1]}.h is public"
    return None


def main():
    faults = []
    for top in ("core", "components", "app", "edge"):
        for path in sorted((ROOT / top).rglob("*.[ch]")):
            name = str(path.relative_to(ROOT))
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                reason = match and fault(name, match.group(1))
                if reason:
                    faults.append(f"{name}:{number}: {match.group(1)}: {reason}")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
