"""The 84 scenarios of the official FSC test suite (Logius-standaarden/fsc-test-suite, edition of 13 January 2026) and how a run ended for each.

Ids are the suite's, titles are ours. A scenario is shown by the one test whose name begins with its id and a colon. `python3
tests/conformance/fsc_scenarios.py` prints which program has it; tests/run.py prints the results after a run.
"""
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent

SUBMIT = ("a connection is accepted", "a publication is accepted", "a publication for another Peer is accepted", "a connection for another Peer is accepted",
          "a connection to a service published for another Peer is accepted", "a connection for another Peer to such a service is accepted",
          "a submitter without a role in the contract is refused", "a publication beside another kind of grant is refused",
          "a contract for another group is refused", "an unknown hash algorithm is refused", "a signature made with RSA is taken",
          "a signature made with ECDSA is taken")
SIGN = ("the signature is placed and can be read back", "a Peer without a role is refused", "what is no JWS is refused", "a signature over another contract is refused",
        "a signature of another type is refused", "another hash in the path is refused", "an algorithm that is not on the list is refused")
TOKEN = ("a token on a valid contract", "no token without a valid contract", "no token on a revoked contract", "a malformed grant hash is refused",
         "another grant_type is refused", "the token names the Peer on whose behalf the Outway asks", "the token names the Peer for whom the service is published",
         "a missing client_id is refused", "the client_id of another is refused", "the token carries the properties of a connection",
         "the token carries the properties of a delegated connection")


def numbered(prefix, titles):
    return [(f"{prefix}-{number}", title) for number, title in enumerate(titles, 1)]


SCENARIOS = {
    "Manager": [
        *numbered("Manager-SubmitContract", SUBMIT),
        *numbered("Manager-AcceptContract", (*SIGN, "an accept made with RSA is placed", "an accept made with ECDSA is placed")),
        *numbered("Manager-RejectContract", SIGN),
        *numbered("Manager-RevokeContract", SIGN),
        *numbered("Manager-Contracts", ("a contract is listed for a Peer in it", "a contract is not listed for others")),
        *numbered("Manager-Services", ("a published service is listed", "a service published for another Peer is listed", "a listed service shows its properties",
                                       "also when it is published for another Peer")),
        *numbered("Manager-GetToken", TOKEN),
        ("Manager-PeerInfo-1", "the Manager says whose it is"),
        ("Manager-Peers-1", "Peers that announced themselves are listed"),
        ("Manager-TransactionLogRecord-1", "a Peer reads the log records in which it takes part"),
        ("Manager-Port-1", "the Manager answers on 443 or 8443"),
        ("Manager-JSONWebKeySet-1", "the keys under signatures and tokens can be had"),
    ],
    "Inway": [
        *numbered("Inway-Incoming-Request", ("a valid token opens the service", "without a token: denied", "a token bound to another certificate: denied",
                                             "a certificate of no trust anchor: denied", "the token reaches the service", "an expired token: denied")),
        *numbered("Inway-TransactionLog", ("the record is written before the service is asked", "the service gets the TransactionID", "without a TransactionID: rejected",
                                           "the source names the delegator", "the destination names the delegator",
                                           "the log fails: an error, the service is not asked")),
        ("Inway-Port-1", "the Inway answers on 443 or 8443"),
    ],
    "Outway": [
        *numbered("Outway-IncomingRequest", ("the request reaches the Inway and the answer comes back", "no token can be had: an error, nothing is sent",
                                             "the Inway is unreachable: an error")),
        *numbered("Outway-TransactionLog", ("the record is written before the Inway is asked", "the Inway gets the TransactionID", "the source names the delegator",
                                            "the destination names the delegator", "the log fails: an error, nothing is sent")),
    ],
    "Integration": [
        *numbered("Integration-ConsumeService", ("a connection is used", "without a contract: rejected")),
        ("Integration-ConsumeServiceAsDelegatee-1", "a connection for another Peer is used"),
        *numbered("Integration-ConsumeDelegatedService", ("a service published for another Peer is used", "also on behalf of a third Peer")),
        ("Integration-TransactionLog-1", "both sides have a record under one TransactionID"),
    ],
}


def scenario_of(test):
    """The scenario id that the name of a test begins with, or None."""
    found = re.match(r"((?:Manager|Inway|Outway|Integration)-[A-Za-z-]+-\d+): ", test)
    return found.group(1) if found else None


def table(results):
    """Lines of text; `results` holds (program, test, "passed" | "failed" | "skipped") of every test that ran."""
    by_id = {}
    for program, test, result in results:
        if scenario_of(test):
            by_id.setdefault(scenario_of(test), []).append((program, test, result))
    lines, totals = ["", "FSC Core 2.0.0 and Logging 1.1.0: the scenarios of the official test suite", f"{'scenario':<41} {'result':<8} what, and the program that shows it"], []
    for component, scenarios in SCENARIOS.items():
        passed = 0
        for identity, title in scenarios:
            shown = by_id.get(identity, [])
            result = "no test" if not shown else "twice" if len(shown) > 1 else shown[0][2]
            passed += result == "passed"
            lines.append(f"{identity:<41} {result:<8} {title} ({', '.join(sorted({one[0] for one in shown})) or 'none ran'})")
        totals.append((component, passed, len(scenarios)))
    totals.append(("together", sum(one[1] for one in totals), sum(one[2] for one in totals)))
    beyond = sum(1 for program, test, result in results if "test_fsc_" in program and not scenario_of(test) and result == "passed")
    lines += [""] + [f"{component:<12} {passed:>3} of {count:>3} passed" for component, passed, count in totals]
    return lines + [f"beyond the suite {beyond} tests of test_fsc_* passed"]


def sources():
    """Program name -> its text, of the FSC conformance programs."""
    return {path.name: path.read_text() for path in sorted(FOLDER.glob("test_fsc_*")) if path.is_file()}


if __name__ == "__main__":
    for name, scenarios in SCENARIOS.items():
        print(f"{name}: {len(scenarios)}")
        for scenario, what in scenarios:
            print(f"  {scenario:<41} {what}")
