#!/usr/bin/env python3
"""Makes docs/fsc-vectors.json: contracts of every shape with their canonical form and hashes, texts that must be refused, and a signature.

    tools/fsc-vectors.py          writes the file
    tools/fsc-vectors.py --check  fails when the file is not what this program makes

Everything is computed by tests/peers/fsc_jcs.py and hashlib; nothing comes from the program that the vectors are for. The signature is made once with a key
that is thrown away: it is kept for as long as it is over the right contract and verifies.
"""
import base64
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests" / "peers")]
from fsc_jcs import canonical  # noqa: E402
from fsc_peer import HASH_TYPES, b64, openssl  # noqa: E402

PATH = ROOT / "docs" / "fsc-vectors.json"
DIRECTORY, PROVIDER, CONSUMER, DELEGATOR, OWNER = (f"0000000100000000{number:04d}" for number in (1, 2, 3, 4, 5))
THUMBPRINT = hashlib.sha256(b"the public key of an Outway").hexdigest()
SIGNED_AT = 1790000100


def publication(delegator=None, protocol="PROTOCOL_TCP_HTTP_1.1", **more):
    grant = {"type": "GRANT_TYPE_SERVICE_PUBLICATION", "directory": {"peer_id": DIRECTORY}, "service": {"peer_id": PROVIDER, "name": "persons", "protocol": protocol}, **more}
    if delegator:
        grant = {**grant, "type": "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION", "delegator": {"peer_id": delegator}}
    return grant


def connection(delegator=None, owner=None, domain=None, **more):
    identification = {"type": "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT", "public_key_thumbprint": THUMBPRINT}
    if domain:
        identification = {"type": "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME", "domain_name": domain}
    service = {"type": "SERVICE_TYPE_SERVICE", "peer_id": PROVIDER, "name": "persons"}
    if owner:
        service = {**service, "type": "SERVICE_TYPE_DELEGATED_SERVICE", "delegator": {"peer_id": owner}}
    grant = {"type": "GRANT_TYPE_SERVICE_CONNECTION", "outway": {"peer_id": CONSUMER, "identification": identification}, "service": service, **more}
    if delegator:
        grant = {**grant, "type": "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION", "delegator": {"peer_id": delegator}}
    return grant


def contract(number, *grants):
    return {"fsc_version": "2.0.0", "iv": f"01a00000-0000-7000-8000-{number:012d}", "group_id": "fsc.example/test", "validity": {"not_before": 1790000000, "not_after": 1821536000},
            "grants": [{"data": grant} for grant in grants], "hash_algorithm": "HASH_ALGORITHM_SHA3_512", "created_at": 1790000000}


SHAPES = (
    ("publication", publication()),
    ("publication of a service that speaks HTTP/2", publication(protocol="PROTOCOL_TCP_HTTP_2")),
    ("publication with properties", publication(properties={"contact": {"mail": "desk@example.nl"}, "tags": ["b", "a"]})),
    ("delegated publication", publication(DELEGATOR)),
    ("connection", connection()),
    ("connection by domain name", connection(domain="outway.example.nl")),
    ("connection with properties", connection(properties={"purpose": "test"})),
    ("connection with empty properties", connection(properties={})),
    ("connection to a delegated service", connection(owner=OWNER)),
    ("delegated connection", connection(DELEGATOR)),
    ("delegated connection to a delegated service", connection(DELEGATOR, OWNER)),
    ("two connections, in this order", connection(), connection(properties={"n": 2})),
    ("the same two connections in the other order", connection(properties={"n": 2}), connection()),
    ("a publication and a delegated one", publication(), publication(DELEGATOR)),
    ("numbers", connection(properties={"integers": [0, -1, 9007199254740991, -9007199254740991], "reals": [-0.0, 1.0, 0.1, 1e20, 1e21, 1e-6, 1e-7, 5e-324, 1.7976931348623157e308,
                                                                                                          333333333.3333333, 4.5, 0.002]})),
    ("names in the order of UTF-16", connection(properties={"\U0001f600": 1, "\ufb33": 2, "\u20ac": 3, "1": 4, "\u0080": 5, "\u00f6": 6, "\r": 7, "": 8, "B": 9, "a": 10, "ab": 11})),
    ("strings with what is escaped and what is not", connection(properties={"s": "\u0001\b\t\n\f\r\"\\/\u007f\u2028\U0001d11e<>&'"})),
    ("no normalization of Unicode", connection(properties={"\u00e9": "e\u0301", "e\u0301": "\u00e9"})),
)

REFUSED = (
    ("a name twice", '{"a": 1, "a": 1}'), ("a name twice, spelt differently", '{"a": 1, "\\u0061": 2}'), ("an integer beyond 2^53-1", '{"a": 9007199254740992}'),
    ("a number beyond every double", '{"a": 1e400}'), ("a lone surrogate", '{"a": "\\ud800"}'), ("a noncharacter", '{"a": "\\uffff"}'), ("a leading zero", '{"a": 01}'),
    ("no number", '{"a": NaN}'), ("a comma too many", '{"a": 1,}'), ("a control character that is not escaped", '{"a": "\t"}'), ("a NUL", '{"a": "\\u0000"}'),
)


def digest(text):
    return hashlib.sha3_512(text.encode() if isinstance(text, str) else text).digest()


def vector(name, number, grants):
    content = contract(number, *grants)
    text = canonical(content)
    own = "$1$1$" + b64(digest(text))
    made = []
    for grant in grants:
        data, prefix = canonical(grant), f"$1${HASH_TYPES[grant['type']]}$"
        made.append({"canonical": data, "hash": prefix + b64(digest(own + data)), "hash_over_raw_digest": prefix + b64(digest(digest(text) + data.encode()))})
    return {"name": name, "content": content, "canonical": text, "content_hash": own, "grants": made}


def verifies(example):
    first, second, third = example["jws"].split(".")
    raw = base64.urlsafe_b64decode(third + "==")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        public = openssl("x509", "-inform", "DER", "-pubkey", "-noout", data=base64.b64decode(example["x5c"][0]))
        (folder / "public").write_bytes(public)
        (folder / "signature").write_bytes(raw)
        done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", folder / "public", "-signature", folder / "signature"], input=f"{first}.{second}".encode(), capture_output=True)
        return done.returncode == 0


def signature(vectors, before):
    over = next(one for one in vectors if one["name"] == "connection")
    payload = {"contract_content_hash": over["content_hash"], "type": "accept", "signed_at": SIGNED_AT}
    if before and before["payload"] == payload and verifies(before):
        return before
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = pathlib.Path(folder) / "key", pathlib.Path(folder) / "crt"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", f"/C=NL/O=Example/serialNumber={CONSUMER}/CN=manager.example.nl", "-keyout", key,
                "-out", certificate)
        der = openssl("x509", "-in", certificate, "-outform", "DER")
        header = {"alg": "RS256", "x5t#S256": b64(hashlib.sha256(der).digest())}
        signed = b64(json.dumps(header, separators=(",", ":")).encode()) + "." + b64(json.dumps(payload, separators=(",", ":")).encode())
        public = openssl("pkey", "-pubin", "-outform", "DER", data=openssl("x509", "-in", certificate, "-pubkey", "-noout"))
        return {"over": over["name"], "payload": payload, "header": header, "jws": f"{signed}.{b64(openssl('dgst', '-sha256', '-sign', key, data=signed.encode()))}",
                "x5c": [base64.b64encode(der).decode()], "public_key_thumbprint": hashlib.sha256(public).hexdigest()}


def make(before):
    vectors = [vector(name, number, grants) for number, (name, *grants) in enumerate(SHAPES, 1)]
    return {"fsc_version": "2.0.0", "about": "docs/fsc-vectors.md", "vectors": vectors, "refused": [{"name": name, "text": text} for name, text in REFUSED],
            "signature": signature(vectors, before.get("signature"))}


def main():
    before = json.loads(PATH.read_text()) if PATH.exists() else {}
    text = json.dumps(make(before), indent=1, ensure_ascii=True) + "\n"
    if "--check" not in sys.argv:
        PATH.write_text(text)
        return 0
    if not PATH.exists() or PATH.read_text() != text:
        print("docs/fsc-vectors.json is not what tools/fsc-vectors.py makes; run it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
