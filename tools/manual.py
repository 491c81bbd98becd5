#!/usr/bin/env python3
"""Writes the parts of the manual that the program knows better: docs/man/fundament-fsc.1 from the help of its commands, and docs/man/node.conf.5 from
`fundament config keys`.

    python3 tools/manual.py PROGRAM            says what is out of date, exit 1
    python3 tools/manual.py PROGRAM --write    brings it up to date
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "man"
DATE = ".Dd November 21, 2026"


def said(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=30).stdout


def roff(text):
    """Plain text as a line of roff: backslashes, a dot or quote in front, and dashes of options."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def sentences(text):
    """Each sentence on its own line, as mdoc wants it."""
    return [roff(line) for line in re.split(r"(?<=[.?!]) (?=[A-Z])", text) if line]


def unwrap(lines):
    return " ".join(line.strip() for line in lines)


class Help:
    """What --help of one command says: usage, text, options."""

    def __init__(self, text):
        head, _, tail = text.partition("\nOptions:\n")
        usage, _, body = head.partition("\n\n")
        self.usage = usage.removeprefix("usage: fundament ").removesuffix(" [options]")
        self.text = unwrap(body.splitlines())
        self.options = []
        for line in tail.splitlines():
            found = re.match(r"  (--\S+)(?: (\S+))?(?: {2,}(.*))?$", line)
            if found:
                self.options.append([found[1], found[2] or "", found[3] or ""])
            elif line.strip():
                self.options[-1][2] = (self.options[-1][2] + " " + line.strip()).strip()


def listed(program, component):
    """The lines of a component's help, those that stand in two put together."""
    return re.sub(r" *\n {6}", "      ", said(program, component, "--help")).splitlines()


def commands(program, component):
    """(name, arguments, help) of a component's commands, without the short names."""
    for line in listed(program, component):
        found = re.match(rf"  fundament {component} (\S+)(.*?) {{2,}}(\S.*)$", line)
        if found and not found[3].startswith("short for"):
            yield found[1], found[2].strip(), found[3]


def subcommands(text):
    return re.findall(r"^  ([a-z-]+) {2,}", text.partition("\nCommands:\n")[2], re.M)


def short_names(program, component):
    return re.findall(rf"  fundament {component} (\S+) .*short for (.*)$", "\n".join(listed(program, component)), re.M)


COMMON = {"--json", "--config", "--help"}


def command_section(program, component, words):
    text = said(program, component, *words, "--help")
    if "\nOptions:\n" not in text:
        return None
    page = Help(text)
    out = [".It Cm " + roff(page.usage), *sentences(page.text)]
    options = [option for option in page.options if option[0] not in COMMON]
    if options:
        out.append(".Bl -tag -width Ds")
        for name, value, help_text in options:
            out += [f".It Fl \\-{roff(name[2:])}" + (f" Ar {roff(value)}" if value else ""), *sentences(help_text[:1].upper() + help_text[1:] + ".")]
        out.append(".El")
    return out


def commands_page(program):
    out = []
    for name, arguments, help_text in commands(program, "fsc"):
        groups = [[name, word] for word in subcommands(said(program, "fsc", name, "--help"))] or [[name]]
        for words in groups:
            out += command_section(program, "fsc", words) or [f".It Cm {roff(' '.join(['fsc', *words, arguments]).strip())}",
                                                              *sentences(help_text[:1].upper() + help_text[1:] + ".")]
    return out


FSC_HEAD = r"""Dt FUNDAMENT-FSC 1
.Os
.Sh NAME
.Nm fundament-fsc
.Nd connections between organisations: contracts, Peers, services, diagnosis
.Sh SYNOPSIS
.Nm fundament
.Cm fsc
.Ar command
.Op Ar options
.Sh DESCRIPTION
These commands are for the people who run a node of a group of Federated Service Connectivity.
All but
.Cm init ,
.Cm states
and
.Cm doctor
talk to the running node over its administration socket, which only its own user can open; what they change is written to its audit log.
.Pp
Each command has
.Fl \-help ,
.Fl \-json
for programs, and
.Fl \-config Ar FILE
for a node.conf that is not the one of
.Ev FUNDAMENT_CONF .
.Pp
Hashes hold dollar signs: quote them.
A contract may also be named by the beginning of what comes after
.Li $1$1$ ,
at least six characters, as lists show it.
.Sh COMMANDS
.Bl -tag -width Ds""".splitlines()

FSC_TAIL = r"""Sh THE DOCTOR
.Cm fsc doctor
goes through its steps in their order and stops at the first that is wrong; what comes after it is shown as not tested.
It looks at this node (configuration, clock, keys, certificates, revocation list, serve, store, journal, edge), then at the Manager of the other Peer
(address, name, TCP, TLS, certificate, name in it, Peer ID, revocation, clocks, FSC version, group), then at what is agreed (contract, grant, access
token and its claims), then at the Inway, with
.Fl \-call
at the service, and at last at what waits to be delivered.
The token is really asked for; it is never printed.
Without
.Fl \-call
no request reaches the service and nothing is logged.
.Sh EXIT STATUS
0 when it went well, 1 for an error
.Pq one line on standard error ,
2 for wrong usage.
.Cm fsc doctor
gives 1 when anything is wrong, and
.Cm fsc connect \-\-wait
when the contract did not become valid in time.
.Sh EXAMPLES
Connect to a service, and see who signs:
.Pp
.Dl fundament fsc connect persons.00000001000000000002 \-\-wait \-\-valid\-for 90d
.Pp
Find out why it does not work:
.Pp
.Dl fundament fsc doctor persons.00000001000000000002
.Pp
All valid contracts, for a spreadsheet:
.Pp
.Dl fundament fsc contract list \-\-state valid \-\-csv
.Sh SEE ALSO
.Xr fundament 1 ,
.Xr node.conf 5
.Sh STANDARDS
FSC Core 2.0.0 and FSC Logging 1.1.0, Digikoppeling REST API 3.0.1.""".splitlines()

CONF_HEAD = r"""Dt NODE.CONF 5
.Os
.Sh NAME
.Nm node.conf
.Nd configuration of a node of Fundament
.Sh DESCRIPTION
Sections in square brackets, in them lines
.Dq key = value .
A hash sign begins a comment, at the beginning of a line or after white space.
Lists are words with spaces between them; times have a unit s, m, h or d, sizes KiB, MiB or GiB; relative paths begin at the folder of the file.
.Pp
Everything is checked before the node starts, and every mistake is reported with its line:
.Cm fundament config check .
.Sh KEYS
.Bl -tag -width Ds""".splitlines()

CONF_TAIL = r"""Sh SEE ALSO
.Xr fundament 1 ,
.Xr fundament-fsc 1""".splitlines()


def fsc_page(program):
    short = [".Sh SHORT NAMES", ".Bl -tag -width Ds"]
    for name, full in short_names(program, "fsc"):
        short += [f".It Cm {roff('fsc ' + name)}", f"Is {roff('fsc ' + full)}."]
    return "\n".join([DATE, "." + FSC_HEAD[0], *FSC_HEAD[1:], *commands_page(program), ".El", *short, ".El", "." + FSC_TAIL[0], *FSC_TAIL[1:]]) + "\n"


def conf_page(program):
    out = []
    for line in said(program, "config", "keys").splitlines():
        found = re.match(r"(\[\S+\]) (\S+) +(.*)$", line)
        out += [f".It {roff(found[1])} Cm {roff(found[2])}", roff(found[3][:1].upper() + found[3][1:]) + "."]
    return "\n".join([DATE, "." + CONF_HEAD[0], *CONF_HEAD[1:], *out, ".El", "." + CONF_TAIL[0], *CONF_TAIL[1:]]) + "\n"


def main():
    program, write = sys.argv[1], "--write" in sys.argv
    status = 0
    for name, make in (("fundament-fsc.1", fsc_page), ("node.conf.5", conf_page)):
        text, path = make(program), FOLDER / name
        if path.exists() and path.read_text() == text:
            continue
        if write:
            path.write_text(text)
        else:
            print(f"docs/man/{name} is out of date: python3 tools/manual.py PROGRAM --write")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
