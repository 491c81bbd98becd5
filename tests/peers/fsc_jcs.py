"""JSON Canonicalization Scheme (RFC 8785) in Python, written from the text alone: the second opinion on every hash."""
import decimal


def canonical(value):
    """The canonical form as text. Values are those that json.loads() gives; integers beyond 2^53-1 are no I-JSON and raise ValueError."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return string(value)
    if isinstance(value, int):
        if abs(value) > 2 ** 53 - 1:
            raise ValueError("not exact as a double")
        return str(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(one) for one in value) + "]"
    # 3.2.3: names are compared as arrays of UTF-16 code units
    names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(string(name) + ":" + canonical(value[name]) for name in names) + "}"


SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def string(text):
    """3.2.2.2: only what must be is escaped; all else stands as it is."""
    return '"' + "".join(SHORT.get(one) or (f"\\u{ord(one):04x}" if one < " " else one) for one in text) + '"'


def number(value):
    """3.2.2.3: as ECMAScript's Number.prototype.toString writes it."""
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("no number")
    if value == 0:
        return "0"
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    text, point = "".join(map(str, digits)), len(digits) + exponent  # 0.TEXT times 10^point
    count = len(text)
    if count <= point <= 21:
        out = text + "0" * (point - count)
    elif 0 < point <= 21:
        out = text[:point] + "." + text[point:]
    elif -6 < point <= 0:
        out = "0." + "0" * -point + text
    else:
        power = point - 1
        out = text[0] + ("." + text[1:] if count > 1 else "") + f"e{'+' if power > 0 else '-'}{abs(power)}"
    return ("-" if sign else "") + out
