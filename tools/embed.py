#!/usr/bin/env python3
"""Embeds files into the program as one C table, so that a node is a single file without a search path.

    embed.py [--root FOLDER] [--depfile FILE] OUTPUT.c [NAME=PATH | PATTERN]...

NAME=PATH embeds one file under a name of choice. A PATTERN is relative to --root and may hold * and ?; what it
matches is embedded under its path relative to the root ("templates/page.mustache"). A pattern without * or ? must
exist. Folders, hidden files and backups (name~) are passed over. YAML ("openapi/node.yaml") is embedded as JSON, under
its name with .json: it is written for people, and served to programs.

The dependency file names the files and also the folders that were searched: a folder changes when a file comes or
goes, so the next build embeds a new file without being told. core/base/asset.h reads the table.
"""

import argparse
import glob
import json
import os
import sys

BYTES_PER_LINE = 72


def yaml_loader():
    """YAML as JSON has it: no dates, no "yes" and "no" as booleans, and no member twice."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node, deep=False):
            names = [self.construct_object(key, deep=True) for key, _ in node.value]
            for name in names:
                if not isinstance(name, str) or names.count(name) > 1:
                    raise yaml.constructor.ConstructorError(None, None, f"member {name!r} is there twice, or is no text", node.start_mark)
            return super().construct_mapping(node, deep=deep)

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers
                if tag != "tag:yaml.org,2002:timestamp" and (tag != "tag:yaml.org,2002:bool" or first in "tTfF")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}
    return lambda text: yaml.load(text, Loader=Loader)


def content(path):
    with open(path, "rb") as file:
        data = file.read()
    if not path.endswith(".yaml"):
        return data
    try:
        return json.dumps(yaml_loader()(data), ensure_ascii=False, separators=(",", ":")).encode()
    except Exception as fault:  # whatever is wrong with it, the build stops and says where
        sys.exit(f"embed.py: {path}: {fault}")


def c_literal(data):
    """Bytes as C string literals: octal escapes always have three digits, so that no following digit is swallowed."""
    plain = {byte for byte in range(0x20, 0x7F)} - {ord('"'), ord("\\"), ord("?")}
    lines = []
    for start in range(0, len(data), BYTES_PER_LINE):
        piece = data[start:start + BYTES_PER_LINE]
        lines.append('"' + "".join(chr(b) if b in plain else "\\%03o" % b for b in piece) + '"')
    return "\n        ".join(lines) if lines else '""'


def folders_of(root, pattern):
    """The folders that have to be looked into to expand a pattern; the last one above what is not there yet."""
    parts = os.path.dirname(pattern).split("/")
    found = []
    for n in range(len(parts)):
        here = [f for f in glob.glob(os.path.join(root, *parts[:n + 1])) if os.path.isdir(f)]
        if not here:
            return found or [root]
        found += here
    return found


def matches(root, pattern):
    paths = [p for p in glob.glob(os.path.join(root, pattern)) if os.path.isfile(p) and not p.endswith("~")]
    if not paths and not set("*?") & set(pattern):
        sys.exit(f"embed.py: {pattern}: no such file under {root}")
    return {embedded_name(os.path.relpath(path, root)): path for path in paths}


def embedded_name(name):
    return name[:-len(".yaml")] + ".json" if name.endswith(".yaml") else name


def collect(root, sources):
    """What to embed, name to path, and the folders that it was found in."""
    found, folders = {}, set()
    for source in sources:
        name, equals, path = source.partition("=")
        if equals:
            entries = {name: path}
        else:
            entries = matches(root, source)
            folders.update(folders_of(root, source))
        for name, path in entries.items():
            if found.setdefault(name, path) != path:
                sys.exit(f"embed.py: two files would be embedded as {name}: {found[name]} and {path}")
    return found, folders


def write_table(output, found):
    lines = ['#include "core/base/asset_table.h"', "", "const Asset asset_table[] = {"]
    for name in sorted(found, key=os.fsencode):
        data = content(found[name])
        lines.append(f"    {{{c_literal(os.fsencode(name))}, {len(data)},\n        {c_literal(data)}}},")
    lines += ["    {NULL, 0, NULL}};", f"const gsize asset_count = {len(found)};", ""]
    text = "\n".join(lines)
    if os.path.exists(output):
        with open(output, encoding="ascii") as file:
            if file.read() == text:
                return  # the old time stamp spares a compilation
    with open(output, "w", encoding="ascii") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=".")
    parser.add_argument("--depfile")
    parser.add_argument("output")
    parser.add_argument("sources", nargs="*", metavar="NAME=PATH | PATTERN")
    options = parser.parse_args()

    found, folders = collect(options.root, options.sources)
    write_table(options.output, found)
    if options.depfile:
        needed = sorted(found.values()) + sorted(folders)
        with open(options.depfile, "w", encoding="utf-8") as file:
            file.write(options.output + ": " + " ".join(p.replace(" ", "\\ ") for p in needed) + "\n")


if __name__ == "__main__":
    main()
