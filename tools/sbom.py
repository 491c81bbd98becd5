#!/usr/bin/env python3
"""Writes a software bill of materials (CycloneDX 1.5, JSON): the program, and the libraries it was really linked with.

usage: sbom.py VERSION OUTPUT PROGRAM...
The versions are those of the Debian packages that own the libraries; without dpkg a library is listed by its file name.
"""
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import uuid


def linked(program):
    """Path of every library that the dynamic linker loads for `program`."""
    output = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return sorted({match.group(1) for match in re.finditer(r"=> (/\S+)", output)})


def package_of(path):
    """(package, version) or None. Merged /usr: dpkg may know the file under either name."""
    for name in (path, str(pathlib.Path(path).resolve()), path.removeprefix("/usr")):
        found = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
        if found.returncode == 0:
            package = found.stdout.split(": ")[0].split(",")[0]
            version = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True).stdout
            return package.split(":")[0], version
    return None


def component(path):
    known = package_of(path)
    name, version = known or (pathlib.Path(path).name, "unknown")
    entry = {"type": "library", "name": name, "version": version,
             "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()}],
             "properties": [{"name": "file", "value": pathlib.Path(path).name}]}
    if known:
        entry["purl"] = f"pkg:deb/debian/{name}@{version}?distro=debian-12"
        entry["bom-ref"] = entry["purl"] + "#" + pathlib.Path(path).name
    return entry


def main():
    version, output, programs = sys.argv[1], sys.argv[2], sys.argv[3:]
    libraries = sorted({path for program in programs for path in linked(program)})
    components = [component(path) for path in libraries]
    digest = hashlib.sha256("".join(entry["hashes"][0]["content"] for entry in components).encode()).digest()
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",  # the same libraries give the same document
        "metadata": {"component": {"type": "application", "bom-ref": "fundament", "name": "fundament", "version": version,
                                   "licenses": [{"license": {"id": "EUPL-1.2"}}]}},
        "components": components,
        "dependencies": [{"ref": "fundament", "dependsOn": [entry["bom-ref"] for entry in components if "bom-ref" in entry]}],
    }
    pathlib.Path(output).write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
