#!/usr/bin/env python3
"""The demo: someone has just moved house. `./run demo` keeps the country running to be tried; `--check` asserts each step and ends."""
import argparse
import os
import re
import signal
import sys
import time

from country import (AGENCY, DIRECTORY, LOG_SERVICE, MUNICIPALITY, OFFICE_PASSWORD, ORGANISATIONS, REGISTER, REGISTER_SERVICE, ROOT, Browser,
                     Country, Failed, OfficeBrowser, local_call, wait_for)

PERMIT = "127.0.0.13:9101"
ALLOWANCE = "127.0.0.14:9101"
SAMIRA = "999910000"  # of demo/persons.json: she moved to the Lange Kade this month
UUID7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


class Steps:
    """Each step is a method; its docstring is the line that is printed."""

    def __init__(self, country, official):
        self.country, self.official = country, official
        self.person = None
        self.trace = {}

    def check(self, condition, reason):
        if not condition:
            raise Failed(reason() if callable(reason) else str(reason))

    # --- the country ---

    def pki(self):
        """A test PKI is made: one trust anchor, for each organisation a certificate a role, with its OIN"""
        self.country.make()

    def nodes(self):
        """Four nodes and their edges start"""
        self.country.start()
        return ", ".join(f"{node.organisation.key} {node.ready_ms:.0f} ms" for node in self.country.nodes.values())

    def announce(self):
        """Every node has announced itself to the Directory"""
        def all_there():
            status, answer = self.country.manager_call(REGISTER, DIRECTORY, "GET", "/v1/peers?limit=100")
            return status == 200 and {peer["id"] for peer in answer["peers"]} >= {organisation.oin for organisation in ORGANISATIONS[1:]}
        wait_for("the Directory lists all peers", 20, all_there)

    def contracts(self):
        """The services are published and the connections agreed, by contracts that the Managers signed over the wire"""
        self.country.conclude()
        for organisation in ORGANISATIONS:
            wait_for(f"all contracts of {organisation.name} are valid", 30,
                     lambda: all(contract["state"] == "VALID" for contract in self.country.contracts(organisation)) and
                     self.country.contracts(organisation))
        counts = [len(self.country.contracts(organisation)) for organisation in ORGANISATIONS]
        self.check(sum(counts) == 2 * 10, lambda: f"expected 10 contracts, each at two peers; found {counts}")
        return "10 contracts, valid at both sides"

    # --- the life event ---

    def permit(self):
        """The person applies for a parking permit; the municipality asks the register through Outway and Inway, and decides"""
        self.country.start_apps()
        self.person = self.pick_person()
        status, answer, _ = wait_for("the municipality can reach the register", 20, lambda: self.first_answer(PERMIT, "/api/aanvragen",
                                     {"bsn": self.person["burgerservicenummer"], "kenteken": "AB-12-CD"}))
        self.check(status == 200 and "granted" in answer, lambda: f"{status}: {answer}")
        if not self.official:
            self.check(answer["granted"] is True, answer)
        self.trace["permit"] = answer["trace_id"]
        return answer["title"]

    def allowance(self):
        """The agency checks the allowance of the household, in a case of its own"""
        status, answer, _ = wait_for("the agency can reach the register", 20, lambda: self.first_answer(ALLOWANCE, "/api/controles",
                                     {"bsn": self.person["burgerservicenummer"]}))
        self.check(status == 200 and "household" in answer, lambda: f"{status}: {answer}")
        if not self.official:
            self.check(answer["household"] == 4, answer)
        self.trace["allowance"] = answer["trace_id"]

    @staticmethod
    def first_answer(address, path, body):
        """None while the first connection is still being set up (503), else the answer."""
        reply = local_call(address, "POST", path, body)
        return None if reply[0] == 503 else reply

    def transaction_log(self):
        """Both sides wrote the same transaction to their FSC log, and each shows it to the other only"""
        address = self.country[MUNICIPALITY].client_port()
        status, _, headers = self.ask_register(address)
        self.check(status == 200, status)
        transaction = headers.get("Fsc-Transaction-Id", "")
        self.check(UUID7.match(transaction), f"no UUIDv7 in the answer's Fsc-Transaction-Id: {transaction!r}")
        for callee, direction in ((REGISTER, "DIRECTION_INCOMING"), (MUNICIPALITY, "DIRECTION_OUTGOING")):
            caller = MUNICIPALITY if callee is REGISTER else REGISTER
            status, answer = self.country.manager_call(caller, callee, "GET", f"/v1/logs?transaction_ids={transaction}")
            self.check(status == 200 and len(answer["records"]) == 1, lambda: f"{callee.name}: {status} {answer}")
            record = answer["records"][0]
            self.check(record["direction"] == direction and record["service_name"] == REGISTER_SERVICE and
                       record["source"]["outway_peer_id"] == MUNICIPALITY.oin and
                       record["destination"]["service_peer_id"] == REGISTER.oin, record)
            status, answer = self.country.manager_call(AGENCY, callee, "GET", f"/v1/logs?transaction_ids={transaction}")
            self.check(status == 200 and answer["records"] == [], lambda: f"a third party sees it at {callee.name}: {answer}")

    # --- the person looks ---

    def sign_in(self):
        """The person signs in on the portal, with the test means"""
        self.browser = Browser(self.country)
        self.browser.open("/")
        self.check(self.browser.status == 200 and "test" in self.browser.text.lower(), lambda: f"{self.browser.status}")
        self.browser.open("/aanmelden")
        self.check(self.browser.status == 200, self.browser.status)
        self.browser.open("/aanmelden", {"csrf": self.browser.csrf(), "person": self.person["burgerservicenummer"]})
        self.check(self.browser.status == 200, lambda: f"{self.browser.status}: {self.browser.text[:300]}")

    def overview(self):
        """They see which organisations used their data, when, for what purpose, under which law, for which decision (Dutch)"""
        text = wait_for("the page shows both organisations", 10, lambda: self.shows("/gebruik", MUNICIPALITY.name, AGENCY.name, REGISTER.name))
        for part in ("arkeervergunning", "oeslag", "wet", "<svg", "<table"):
            self.check(part in text, f"the page does not show {part!r}")
        self.check(len(text.encode()) < 30 * 1024, f"{len(text.encode())} bytes is too large")
        self.check("<script" not in text, "there is a script")
        return f"{len(text.encode()) / 1024:.1f} KB"

    def shows(self, path, *parts):
        text = self.browser.open(path)
        return text if self.browser.status == 200 and all(part in text for part in parts) else None

    def chain(self):
        """They see the chain across organisations for one case"""
        text = self.browser.open(f"/gebruik/{self.trace['permit']}")
        self.check(self.browser.status == 200 and MUNICIPALITY.name in text and REGISTER.name in text, lambda: f"{self.browser.status}")

    def english(self):
        """The same page in English"""
        text = self.browser.open("/gebruik?lang=en")
        self.check('lang="en"' in text and "parking permit" in text.lower(), "the page is not in English")
        self.browser.open("/gebruik?lang=nl")

    def own_data(self):
        """They read the data itself, and take it along as JSON and as a print view"""
        text = self.browser.open("/gegevens")
        name = self.person["naam"]["geslachtsnaam"]
        self.check(self.browser.status == 200 and name in text, lambda: f"{self.browser.status}")
        data = self.browser.open("/gegevens.json")
        self.check(self.browser.status == 200 and data["personen"][0]["burgerservicenummer"] == self.person["burgerservicenummer"], str(data)[:200])
        used = self.browser.open("/gebruik.json")
        self.check(self.browser.status == 200 and used["organisations"], str(used)[:200])
        text = self.browser.open("/afdruk")
        self.check(self.browser.status == 200 and name in text, lambda: f"print view: {self.browser.status}")

    def gap(self):
        """An organisation that does not answer is shown as a gap, not hidden"""
        node = self.country[AGENCY]
        node.stop()
        try:
            text = self.browser.open("/gebruik")
            self.check(self.browser.status == 200 and AGENCY.name in text and "niet" in text, lambda: f"{self.browser.status}")
            used = self.browser.open("/gebruik.json")
            state = {item["oin"]: item["answered"] for item in used["organisations"]}
            self.check(state[AGENCY.oin] is False and state[REGISTER.oin] is True, state)
        finally:
            node.start()
        wait_for("the agency is back on the page", 20,
                 lambda: {item["oin"]: item["answered"] for item in self.browser.open("/gebruik.json")["organisations"]}[AGENCY.oin])

    # --- what must not work ---

    def without_contract(self):
        """A request without a contract is refused, at the Outway and at the Inway"""
        status, answer, headers = local_call(self.country[AGENCY].client_port(), "POST", "/logboek/v1/data-processing-operations", {},
                                             {"Host": f"{LOG_SERVICE}.{REGISTER.oin}"})
        self.check(status in (400, 403), lambda: f"Outway, a service without a contract: {status} {answer}")
        unknown = "$1$3$" + "A" * 86
        status, answer, headers = local_call(self.country[MUNICIPALITY].client_port(), "POST", "/haalcentraal/api/brp/personen", {},
                                             {"Fsc-Grant-Hash": unknown})
        self.check(status in (400, 403), lambda: f"Outway, unknown grant: {status} {answer}")
        status, answer = self.country.inway_call(AGENCY, REGISTER, "POST", "/haalcentraal/api/brp/personen", {})
        self.check(status == 401 and answer["code"] == "ERROR_CODE_ACCESS_TOKEN_MISSING" and answer["domain"] == "ERROR_DOMAIN_INWAY",
                   lambda: f"Inway without a token: {status} {answer}")

    def log_unwritable(self):
        """With the register's log made unwritable, no data flows; when it works again, data flows again"""
        import resource
        node = self.country[REGISTER]
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(node.serve.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        try:
            status, answer, _ = self.ask_register(self.country[MUNICIPALITY].client_port())
            self.check(status == 500 and isinstance(answer, dict) and answer.get("code") == "TRANSACTION_LOG_WRITE_ERROR" and "personen" not in answer,
                       lambda: f"{status} {answer}")
        finally:
            resource.prlimit(node.serve.pid, resource.RLIMIT_FSIZE, unlimited)
        wait_for("data flows again", 20, lambda: self.ask_register(self.country[MUNICIPALITY].client_port())[0] == 200)

    def ask_register(self, address):
        return local_call(address, "POST", "/haalcentraal/api/brp/personen",
                          {"type": "RaadpleegMetBurgerservicenummer", "burgerservicenummer": [self.person["burgerservicenummer"]],
                           "fields": ["leeftijd"]}, {"Host": f"{REGISTER_SERVICE}.{REGISTER.oin}"})

    def killed(self):
        """kill -9 of the register's node: after a restart nothing that was acknowledged is lost and the demo goes on"""
        before = self.browser.open("/gebruik.json")
        node = self.country[REGISTER]
        node.kill_serve()
        node.start_serve()
        wait_for("data flows again", 20, lambda: self.ask_register(self.country[MUNICIPALITY].client_port())[0] == 200)

        def all_there():
            after = self.browser.open("/gebruik.json")
            return spans(before) <= spans(after)
        wait_for("every record is still there", 20, all_there)

    def revoked(self):
        """A revoked contract ends the connection at once"""
        contracts = [contract for contract in self.country.contracts(AGENCY) if any(
            grant["data"]["type"] == "GRANT_TYPE_SERVICE_CONNECTION" and grant["data"]["outway"]["peer_id"] == AGENCY.oin for grant in contract["grants"])]
        self.check(len(contracts) == 1, contracts)
        self.country[REGISTER].command("fsc", "contract", "revoke", contracts[0]["hash"], "--yes")
        wait_for("the agency is refused", 10, lambda: self.ask_register(self.country[AGENCY].client_port())[0] in (400, 401, 403, 502))

    # --- the officers ---

    def waits_for_officer(self):
        """The contract at the register that no rule accepts: the municipality asks for the log service."""
        waiting = [contract for contract in self.country.contracts(REGISTER) if contract["state"] == "PROPOSED"]
        if not waiting:
            self.country[MUNICIPALITY].command("fsc", "connect", f"{LOG_SERVICE}.{REGISTER.oin}")
        return wait_for("a proposal waits at the register", 20,
                        lambda: [contract for contract in self.country.contracts(REGISTER) if contract["state"] == "PROPOSED"])[0]["hash"]

    def office_refuses(self):
        """A proposal waits for a person; without a certificate nobody gets in, and an officer who may only read cannot sign"""
        path = f"/contracten/{self.waits_for_officer()}"
        stranger = OfficeBrowser(self.country, REGISTER, None)
        stranger.open("/")
        self.check(stranger.status == 400, lambda: f"without a certificate: {stranger.status}")
        reader = OfficeBrowser(self.country, REGISTER, "lezer")
        text = reader.open(path)
        self.check(reader.status == 200 and MUNICIPALITY.name in text and "<svg" in text, lambda: f"{reader.status}")
        reader.open(f"{path}/accept", {"csrf": reader.csrf()})
        self.check(reader.status == 403, lambda: f"a reader signs: {reader.status}")

    def office_signs(self):
        """A signer accepts it on the page, over TLS with their own certificate; it is valid at both sides and in the audit log"""
        hash_ = self.waits_for_officer()
        signer = OfficeBrowser(self.country, REGISTER, "tekenaar")
        signer.open(f"/contracten/{hash_}/accept")
        self.check(signer.status == 200, lambda: f"{signer.status}")
        signer.open(f"/contracten/{hash_}/accept", {"csrf": signer.csrf()})
        self.check(signer.status == 200, lambda: f"{signer.status}")
        for organisation in (REGISTER, MUNICIPALITY):
            wait_for(f"it is valid at {organisation.name}", 20, lambda: any(contract["hash"] == hash_ and contract["state"] == "VALID"
                                                                            for contract in self.country.contracts(organisation)))
        log = signer.open("/audit.csv?wie=tekenaar&wat=fsc.contract.accept")
        self.check(signer.status == 200 and hash_ in log, lambda: f"{signer.status}: {log}")

    def no_bsn(self):
        """No BSN stands in any log line, journal, or store outside the register of persons"""
        number = self.person["burgerservicenummer"].encode()
        found = []
        for organisation in ORGANISATIONS:
            for path in sorted(self.country[organisation].folder.rglob("*")):
                in_register = organisation is REGISTER and path.name.startswith("node.db")
                if path.is_file() and not in_register and number in path.read_bytes():
                    found.append(str(path.relative_to(self.country.folder)))
        self.check(not found, f"found in {', '.join(found)}")

    def pick_person(self):
        import json
        with open(self.country.persons, encoding="utf-8") as source:
            people = json.load(source)
        if not self.official:
            return next(person for person in people if person["burgerservicenummer"] == SAMIRA)
        return next(person for person in people if len(person.get("kinderen", [])) > 0 and person.get("partners") and "overlijden" not in person
                    and person["naam"].get("geslachtsnaam") and "opschortingBijhouding" not in person
                    and all(child.get("burgerservicenummer") for child in person["kinderen"]))


def spans(used):
    return {operation["spanId"] for item in used["organisations"] for operation in item.get("operations", [])}


PREPARE = ["pki", "nodes", "announce", "contracts", "permit", "allowance"]
CHECKS = PREPARE + ["transaction_log", "sign_in", "overview", "chain", "english", "own_data", "without_contract", "log_unwritable", "gap", "killed",
                    "office_refuses", "office_signs", "revoked", "no_bsn"]


def run(steps, names):
    """Runs the steps, one line each; how many passed, and whether all did. After a failed step of the preparation nothing else makes sense."""
    passed = failed = 0
    for name in names:
        step = getattr(steps, name)
        line = " ".join(step.__doc__.split())
        started = time.monotonic()
        try:
            note = step()
            passed += 1
            print(f"ok      {line}{f' ({note})' if note else ''}", flush=True)
        except Exception as fault:  # every fault is a failed step, whatever its kind
            failed += 1
            print(f"FAILED  {line}\n        {type(fault).__name__}: {fault}", flush=True)
            if name in PREPARE:
                break
        if os.environ.get("FUNDAMENT_DEMO_TIMES"):
            print(f"        {time.monotonic() - started:.2f} s", flush=True)
    return passed, failed


GUIDE = """
Someone has just moved house. This is what you can do:

  1. Apply for a parking permit          http://{permit}/
  2. Have the allowance checked          http://{allowance}/
  3. See who used whose data, and why    {portal}/
     (sign in as the same person; the names are made up, and the certificate is the demo's own:
      {anchor})

  4. Look after the contracts            {office}/
     (with an officer's certificate: import {folder}/register/keys/officers/tekenaar.p12, password {password};
      lezer.p12 may only look, beheerder.p12 may also send again, tekenaar.p12 may also sign)

The portal's name is not known outside this demo. Start a browser with it:
  chromium --host-resolver-rules="MAP {host} 127.0.0.11" --ignore-certificate-errors --user-data-dir=/tmp/fundament {portal}/
  chromium --host-resolver-rules="MAP {office_host} 127.0.0.12" --ignore-certificate-errors --user-data-dir=/tmp/fundament-office {office}/

Everything is in {folder}; logs in */serve.log and */edge.log. Ctrl-C stops the country.
"""


def main():
    parser = argparse.ArgumentParser(prog="./run demo")
    parser.add_argument("--check", action="store_true", help="do all of it unattended, assert each step, and end")
    parser.add_argument("--persons", help="test persons in the personen-mock format (default: twenty of our own)")
    parser.add_argument("--folder", default=str(ROOT / "var" / "demo"), help="where the country keeps its state (default: var/demo)")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    build = ROOT / options.build
    try:
        country = Country(options.folder, build / "app" / "fundament", build / "edge" / "ngx_http_fsc_module.so", options.persons)
    except Failed as fault:
        print(f"demo: {fault}", file=sys.stderr)
        return 1
    steps = Steps(country, bool(options.persons))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        passed, failed = run(steps, CHECKS if options.check else PREPARE)
        if options.check:
            country.stop()
            print(f"{passed} passed, {failed} failed")
            return 1 if failed else 0
        if failed:
            return 1
        print(GUIDE.format(permit=PERMIT, allowance=ALLOWANCE, portal=country.portal, folder=country.folder,
                           host=DIRECTORY.host("portal"), office=country.office(REGISTER), office_host=REGISTER.host("beheer"),
                           password=OFFICE_PASSWORD, anchor=country.folder / "anchor" / "anchor.crt"), flush=True)
        while True:
            signal.pause()
    except KeyboardInterrupt:
        print("\nstopping", flush=True)
        return 0
    finally:
        country.stop()


if __name__ == "__main__":
    sys.exit(main())
