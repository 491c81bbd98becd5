#!/usr/bin/env python3
"""The municipality's application: apply for a parking permit on a short form, and get the decision.

It asks the register of persons for the address, decides, and writes both actions to the municipality's own log before anybody sees
the outcome. When the register or the log does not work, there is no decision and nothing has changed.
"""
import argparse
import html
import re
import time

from public_body import Application, Logboek, Register, Trace, action, adults, serve

FIELDS = ("burgerservicenummer", "naam.volledigeNaam", "leeftijd", "verblijfplaats")
PLATE = re.compile(r"^[A-Z0-9]{6}$")


class ParkingPermit(Application):
    organisation = "Gemeente Waterstad"
    accent, accent_dark, button = "#0b5c3f", "#7fd8b4", "#0b5c3f"
    api = "/api/aanvragen"

    def __init__(self, options):
        self.options = options
        self.people = adults(options.persons)
        self.register = Register(options.outway, options.register)
        self.logboek = Logboek(options.logboek, "parkeervergunningen")

    def form(self, values, fault):
        choices = "".join(f'<option value="{bsn}"{" selected" if values.get("bsn") == bsn else ""}>{html.escape(name)}</option>'
                          for bsn, name in self.people)
        error = f'<p id="fout" class="test" role="alert">{html.escape(fault)}</p>' if fault else ""
        plate = html.escape(values.get("kenteken", ""), quote=True)
        return self.page("Parkeervergunning aanvragen", f"""
<p>Bent u net verhuisd? Vraag hier een vergunning aan om bij uw huis te parkeren. Uw adres hoeft u niet in te vullen: dat vragen we op bij
de registratie van personen. U kunt later zelf zien dat we dat deden.</p>
{error}
<form method="post" action="/">
<label for="bsn">Wie bent u? (test: kies een persoon)</label>
<select id="bsn" name="bsn">{choices}</select>
<label for="kenteken">Kenteken van uw auto</label>
<input id="kenteken" name="kenteken" value="{plate}" autocomplete="off" maxlength="8" required aria-describedby="kenteken-uitleg">
<p id="kenteken-uitleg">Zes letters en cijfers, bijvoorbeeld AB-12-CD.</p>
<button>Aanvragen</button>
</form>""")

    def decide(self, fields):
        plate = str(fields.get("kenteken", "")).replace("-", "").upper()
        if not PLATE.match(plate):
            raise ValueError("Een kenteken heeft zes letters en cijfers.")
        bsn = str(fields.get("bsn", ""))
        if not re.fullmatch(r"\d{9}", bsn):
            raise ValueError("Kies wie u bent.")
        trace, assess, ask = Trace(), Trace.span(), Trace.span()
        started = time.time_ns()
        persons = self.register.persons([bsn], FIELDS, trace.parent(ask))
        granted, reason = self.assess(persons)
        activity = self.options.activity
        self.logboek.write([
            action(trace, ask, assess, "Adres opvragen bij de registratie van personen", activity, bsn, started, FIELDS),
            action(trace, assess, "", "Aanvraag parkeervergunning beoordelen", activity, bsn, started),
        ])
        outcome = "U krijgt de parkeervergunning" if granted else "U krijgt de parkeervergunning niet"
        return {"title": outcome, "granted": granted, "reason": reason, "trace_id": trace.trace_id, "html": f"""
<div class="outcome"><p>{html.escape(reason)}</p></div>
<p>We hebben voor dit besluit uw naam, leeftijd en adres opgevraagd bij de registratie van personen.
<a href="{html.escape(self.options.portal, quote=True)}">Bekijk wie uw gegevens gebruikte</a>.</p>"""}

    @staticmethod
    def assess(persons):
        if not persons:
            return False, "We hebben u niet gevonden in de registratie van personen."
        person = persons[0]
        address = person.get("verblijfplaats", {}).get("verblijfadres", {})
        if person.get("leeftijd", 0) < 18:
            return False, "U bent nog geen 18 jaar."
        if address.get("woonplaats") != "Waterstad":
            return False, "U staat niet ingeschreven op een adres in Waterstad."
        return True, f"U woont in Waterstad, op het adres {address.get('officieleStraatnaam') or address.get('korteStraatnaam', '')} {address.get('huisnummer', '')}."


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="parking permits of the demo's municipality")
    for name in ("listen", "outway", "logboek", "register", "activity", "persons", "portal"):
        parser.add_argument("--" + name, required=True)
    arguments = parser.parse_args()
    serve(ParkingPermit(arguments), arguments.listen)
