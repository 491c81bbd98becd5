"""The API documents: as they are written, what they say of an answer, and what of the API Design Rules they do not follow."""
import pathlib
import re

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "openapi"
METHODS = ("get", "put", "post", "delete", "patch")
# Where each document lives: the listener, and what its paths begin with. The program has the same in its tables; test_openapi compares them.
PLACES = {
    "fsc-manager": ("manager", "/v1"), "fsc-services": ("manager", "/fsc/v1"), "fsc-admin": ("admin", "/fsc/v1"), "node": ("admin", "/node/v1"),
    "logboek": ("service", "/logboek/v1"), "logboek-admin": ("admin", "/logboek/v1"), "otlp": ("log", "/v1"), "brp": ("service", "/haalcentraal/api/brp"),
    "catalogue": ("portal", "/catalogus/v1"),
}


class Loader(yaml.SafeLoader):
    """Times stay text, as in JSON."""


Loader.yaml_implicit_resolvers = {first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
                                  for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


class Document:
    def __init__(self, name):
        self.name, self.path = name, FOLDER / f"{name}.yaml"
        self.content = yaml.load(self.path.read_text(encoding="utf-8"), Loader=Loader)
        self.door, self.base = PLACES[name]
        self.version = self.content["info"]["version"]
        self.exceptions = self.content.get("x-api-design-rules-exceptions", [])

    def resolve(self, value):
        while isinstance(value, dict) and "$ref" in value:
            place = self.content
            for part in value["$ref"][2:].split("/"):
                place = place[part.replace("~1", "/").replace("~0", "~")]
            value = place
        return value

    def operations(self):
        """(method, whole path with names in braces, operation) of each."""
        for path, item in self.content["paths"].items():
            base = "" if "servers" in item else self.base
            for method in METHODS:
                if method in item:
                    yield method.upper(), base + path, item[method]

    def find(self, method, path):
        for wanted, template, operation in sorted(self.operations(), key=lambda one: one[1].count("{")):
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
            if wanted == method and re.fullmatch(pattern, path.split("?")[0]):
                return operation
        return None

    def judge(self, method, path, answer):
        """Raises when an answer is not as the document says."""
        operation = self.find(method, path)
        assert operation is not None, f"{self.name}: no {method} {path}"
        response = self.resolve(operation["responses"].get(str(answer.status)))
        assert response is not None, f"{self.name}: {method} {path} answered {answer.status}, which is not in the document: {answer.data[:200]}"
        assert answer.headers["API-Version"] == self.version, f"API-Version {answer.headers['API-Version']}"
        for name, header in response.get("headers", {}).items():
            assert answer.headers[name] is not None or not self.resolve(header).get("required"), f"{name} is missing"
        content = response.get("content")
        if content is None:
            assert not answer.data, f"{method} {path}: a body where the document has none"
            return
        assert answer.media in content, f"{method} {path} {answer.status}: {answer.media}, not one of {list(content)}"
        if answer.media.endswith("json"):
            self.check(content[answer.media]["schema"], answer.json)

    def check(self, schema, value):
        whole = {"components": translate(self.content["components"]), **translate(schema)}
        validator = jsonschema.Draft4Validator(whole, format_checker=jsonschema.FormatChecker())
        faults = sorted(validator.iter_errors(value), key=lambda fault: list(map(str, fault.path)))
        assert not faults, "; ".join(f"{'.'.join(map(str, fault.path))}: {fault.message[:150]}" for fault in faults[:3])


def translate(schema):
    """OpenAPI 3.0 as JSON Schema: nullable, and no discriminator."""
    if isinstance(schema, list):
        return [translate(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: translate(value) for key, value in schema.items() if not (key in ("discriminator", "example", "nullable") and isinstance(schema.get("type", ""), str))}
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        changed["type"] = [schema["type"], "null"]
    return changed


def everything():
    return [Document(path.stem) for path in sorted(FOLDER.glob("*.yaml"))]
