#!/usr/bin/env python3
"""The agency's application: check whether an allowance still fits the household after somebody moved.

It asks for the person, and then for everybody in the household whose data the check needs; each of them gets a record of their own in the
agency's log, so each of them can see it.
"""
import argparse
import html
import re
import time

from public_body import Application, Logboek, Register, Trace, action, adults, serve

FIELDS = ("burgerservicenummer", "naam.volledigeNaam", "leeftijd", "verblijfplaats", "partners.burgerservicenummer", "kinderen.burgerservicenummer")
HOUSEHOLD_FIELDS = ("burgerservicenummer", "leeftijd", "verblijfplaats")


class Allowance(Application):
    organisation = "Dienst Toeslagen Voorbeeld"
    accent, accent_dark, button = "#6a1b57", "#f2a7dd", "#6a1b57"
    api = "/api/controles"

    def __init__(self, options):
        self.options = options
        self.people = adults(options.persons)
        self.register = Register(options.outway, options.register)
        self.logboek = Logboek(options.logboek, "toeslagcontrole")

    def form(self, values, fault):
        choices = "".join(f'<option value="{bsn}">{html.escape(name)}</option>' for bsn, name in self.people)
        error = f'<p class="test" role="alert">{html.escape(fault)}</p>' if fault else ""
        return self.page("Toeslag controleren", f"""
<p>Voor medewerkers. Controleer of de toeslag nog past bij het huishouden, bijvoorbeeld na een verhuizing.</p>
{error}
<form method="post" action="/">
<label for="bsn">Wie krijgt de toeslag?</label>
<select id="bsn" name="bsn">{choices}</select>
<button>Controleren</button>
</form>""")

    def decide(self, fields):
        bsn = str(fields.get("bsn", ""))
        if not re.fullmatch(r"\d{9}", bsn):
            raise ValueError("Kies wie de toeslag krijgt.")
        trace, check, ask, ask_household = Trace(), Trace.span(), Trace.span(), Trace.span()
        started = time.time_ns()
        persons = self.register.persons([bsn], FIELDS, trace.parent(ask))
        if not persons:
            raise ValueError("Deze persoon staat niet in de registratie van personen.")
        members = [member["burgerservicenummer"] for kind in ("partners", "kinderen") for member in persons[0].get(kind, [])
                   if member.get("burgerservicenummer")]
        household = self.register.persons(members, HOUSEHOLD_FIELDS, trace.parent(ask_household)) if members else []
        address = persons[0].get("verblijfplaats", {}).get("verblijfadres")
        together = [member for member in household if member.get("verblijfplaats", {}).get("verblijfadres") == address]
        activity = self.options.activity
        records = [action(trace, ask, check, "Gegevens opvragen bij de registratie van personen", activity, bsn, started, FIELDS),
                   action(trace, check, "", "Toeslag controleren na verhuizing", activity, bsn, started)]
        for number, member in enumerate(household):
            span = ask_household if number == 0 else Trace.span()
            records.append(action(trace, span, check, "Huishouden vaststellen", activity, member["burgerservicenummer"], started, HOUSEHOLD_FIELDS))
        self.logboek.write(records)
        count = 1 + len(together)
        text = f"Op dit adres wonen volgens de registratie {count} personen van dit huishouden." if count > 1 else "Deze persoon woont volgens de registratie alleen."
        return {"title": "De toeslag is gecontroleerd", "household": count, "reason": text, "trace_id": trace.trace_id,
                "html": f'<div class="outcome"><p>{html.escape(text)}</p></div><p><a href="/">Nog een controle</a></p>'}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="allowance checks of the demo's agency")
    for name in ("listen", "outway", "logboek", "register", "activity", "persons"):
        parser.add_argument("--" + name, required=True)
    arguments = parser.parse_args()
    serve(Allowance(arguments), arguments.listen)
