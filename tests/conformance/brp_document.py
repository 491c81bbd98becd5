"""openapi/brp.yaml as a judge: which fields there are, and whether an answer is nothing but what the document promises."""
import pathlib
import re

import yaml

DOCUMENT = pathlib.Path(__file__).resolve().parent.parent.parent / "openapi" / "brp.yaml"
WHOLE = {"Datum", "Tabelwaarde", "AdellijkeTitelPredicaat", "Gezagsrelatie"}  # asked as a whole; a path into one means the same
UNASKED = {"geheimhoudingPersoonsgegevens", "opschortingBijhouding", "verificatie", "rni", "inOnderzoek", "indicatieVastgesteldVerblijftNietOpAdres"}
KINDS = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}


class Document:
    def __init__(self):
        self.schemas = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))["components"]["schemas"]

    def resolve(self, schema):
        """The schema, and its name when it has one."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return self.schemas[name], name
        return schema, None

    # --- the fields ---

    def fields(self, name):
        """Every path that may be asked of a Persoon or a PersoonBeperkt, groups first."""
        return list(dict.fromkeys(self.paths({"$ref": f"#/components/schemas/{name}"}, "")))

    def paths(self, schema, prefix):
        schema, name = self.resolve(schema)
        if name in WHOLE:
            return
        if schema.get("type") == "array":
            yield from self.paths(schema["items"], prefix)
        for choice in schema.get("oneOf", []):
            yield from self.paths(choice, prefix)
        for member, below in schema.get("properties", {}).items():
            if member not in UNASKED:
                yield prefix + member
                yield from self.paths(below, f"{prefix}{member}.")

    # --- answers ---

    def faults(self, value, name):
        """What of a value the schema of that name does not promise, as texts with a place; values are not repeated."""
        return list(self.judge(value, {"$ref": f"#/components/schemas/{name}"}, name))

    def judge(self, value, schema, place):
        schema, _ = self.resolve(schema)
        if "oneOf" in schema:
            yield from self.judge_choice(value, schema["oneOf"], place)
            return
        kind = KINDS[schema["type"]]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            yield f"{place}: is no {schema['type']}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place}: is not one of the values"
        if kind is str and "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{place}: does not fit the pattern"
        if kind is int and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield f"{place}: is out of range"
        if kind is list:
            if len(value) > schema.get("maxItems", len(value)):
                yield f"{place}: has too many items"
            for item in value:
                yield from self.judge(item, schema["items"], place + "[]")
        if kind is dict:
            yield from self.judge_members(value, schema, place)

    def judge_choice(self, value, choices, place):
        """By `type` where there is one, else by kind."""
        for choice in choices:
            schema, _ = self.resolve(choice)
            types = schema.get("properties", {}).get("type", {}).get("enum")
            if types and isinstance(value, dict) and value.get("type") in types:
                yield from self.judge(value, choice, place)
                return
            if not types and (("oneOf" in schema and isinstance(value, dict)) or schema.get("type") == "boolean" and isinstance(value, bool)):
                yield from self.judge(value, choice, place)
                return
        yield f"{place}: is of no kind that there is"

    def judge_members(self, value, schema, place):
        known = schema.get("properties", {})
        for member in schema.get("required", []):
            if member not in value:
                yield f"{place}.{member}: is missing"
        for member, below in value.items():
            if member in known:
                yield from self.judge(below, known[member], f"{place}.{member}")
            elif isinstance(schema.get("additionalProperties"), dict):
                yield from self.judge(below, schema["additionalProperties"], f"{place}.{member}")
            else:
                yield f"{place}.{member}: is not in the document"
