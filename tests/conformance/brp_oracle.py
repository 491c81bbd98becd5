"""What the register should answer, from the records of the personen-mock, written apart from the program that is tested."""
import re
import unicodedata

MONTHS = "januari februari maart april mei juni juli augustus september oktober november december".split()
NOTICES = ("geheimhoudingPersoonsgegevens", "opschortingBijhouding", "verificatie", "rni")
ABSENT = "indicatieVastgesteldVerblijftNietOpAdres"
NAME = re.compile(r"^[a-zA-Z0-9À-ž .\-']{1,200}$")


# --- persons ---

def passes_the_11_test(bsn):
    total = sum((9 - place) * int(digit) for place, digit in enumerate(bsn[:8])) - int(bsn[8])
    return total != 0 and total % 11 == 0


def code(record, *path):
    for name in path:
        record = record.get(name) or {}
    return record.get("code")


def is_given_out(record):
    return passes_the_11_test(record["burgerservicenummer"]) and code(record, "opschortingBijhouding", "reden") not in ("F", "W")


def is_dead(record):
    return code(record, "opschortingBijhouding", "reden") == "O" or bool(record.get("overlijden"))


def date(digits):
    """A date of the source as the API has it."""
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    if not year:
        return {"type": "DatumOnbekend", "onbekend": True, "langFormaat": "onbekend"}
    if not month:
        return {"type": "JaarDatum", "jaar": year, "langFormaat": str(year)}
    if not day:
        return {"type": "JaarMaandDatum", "jaar": year, "maand": month, "langFormaat": f"{MONTHS[month - 1]} {year}"}
    return {"type": "Datum", "datum": f"{year:04}-{month:02}-{day:02}", "langFormaat": f"{day} {MONTHS[month - 1]} {year}"}


def known(text):
    return None if text in (None, "", ".") else text


def plain_facts(record):
    """Path and value of what goes from source to answer as it is; None where nothing may be told."""
    facts = {"burgerservicenummer": record["burgerservicenummer"], "aNummer": known(record.get("aNummer"))}
    for name in ("voornamen", "voorvoegsel", "geslachtsnaam"):
        facts[f"naam.{name}"] = known(record.get("naam", {}).get(name))
    for path in ("geboorte.datum", "overlijden.datum"):
        group, name = path.split(".")
        digits = (record.get(group) or {}).get(name)
        facts[path] = date(digits) if digits else None
    for path in ("geboorte.plaats", "geboorte.land", "overlijden.plaats", "overlijden.land"):
        group, name = path.split(".")
        value = code(record, group, name)
        facts[path + ".code"] = None if value in ("0000", ".") else value
    facts["geheimhoudingPersoonsgegevens"] = True if int(record.get("geheimhoudingPersoonsgegevens") or 0) > 0 else None
    facts["opschortingBijhouding.reden.code"] = code(record, "opschortingBijhouding", "reden")
    return facts


def value_at(answer, path):
    for name in path.split("."):
        if not isinstance(answer, dict) or name not in answer:
            return None
        answer = answer[name]
    return answer


# --- searching ---

def fold(name):
    return unicodedata.normalize("NFC", name.strip().casefold())


def plain(name):
    return "".join(letter for letter in unicodedata.normalize("NFD", fold(name)) if not unicodedata.combining(letter))


def is_found(record, surname, birth, with_dead=False):
    """Whether a search for this surname ("*" at its end for any ending) and date of birth should find a person."""
    asked, begins = fold(surname.rstrip("*")), surname.endswith("*")
    names = [form(record.get("naam", {}).get("geslachtsnaam") or "") for form in (fold, plain)]
    fits = any(name.startswith(asked) if begins else name == asked for name in names)
    return fits and (record.get("geboorte") or {}).get("datum") == birth.replace("-", "") and (with_dead or not is_dead(record)) and is_given_out(record)


# --- fields ---

def below(path, group):
    return path == group or path.startswith(group + ".")


def leaves(value, path=""):
    """Path (without places in lists) and value of everything that is no object or list, and of empty ones."""
    if isinstance(value, dict) and value:
        for name, member in value.items():
            yield from leaves(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for item in value:
            yield from leaves(item, path)
    else:
        yield path, value


def may_go_along(path, asked):
    """Whether a leaf may be in the answer to a question for one field; "" is a person of whom nothing is known."""
    group, _, name = path.rpartition(".")
    if path == "" or below(path, asked) or below(asked, path) or path.split(".")[0] in NOTICES:
        return True
    if name == "type" and below(asked, group):
        return True
    if name == ABSENT:
        return asked.split(".")[0] == group
    before, found, mark = f".{path}".partition(".inOnderzoek.")
    if not found:
        return False
    mark, before = mark.split(".")[0], before.lstrip(".")
    marked = f"{before}.{mark}" if before else mark
    return mark.startswith("datumIngangOnderzoek") or mark == "type" or below(marked, asked) or below(asked, marked)


def is_part(part, whole):
    """TRUE when everything in `part` is in `whole` as well, at its place; of `rni` only what belongs to the fields goes along."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(name in whole and (all(item in whole[name] for item in value) if name == "rni" else
                                                                  is_part(value, whole[name])) for name, value in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and len(part) == len(whole) and all(map(is_part, part, whole))
    return part == whole
