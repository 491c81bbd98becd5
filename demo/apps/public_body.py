"""What an application of a public body needs to use Fundament: a local address to ask another organisation, and a local address
to write the log to. Plain HTTP and JSON with the standard library only, so that it can be read as an example in any language.
"""
import html
import http.client
import http.server
import json
import secrets
import socketserver
import time
import urllib.parse


class Refused(Exception):
    """Another party answered, but not with what was asked. The text is for a person."""


class Trace:
    """W3C Trace Context: one trace for one case, one span for each action in it."""

    def __init__(self):
        self.trace_id = secrets.token_hex(16)

    @staticmethod
    def span():
        return secrets.token_hex(8)

    def parent(self, span_id):
        return f"00-{self.trace_id}-{span_id}-01"


def call(address, method, path, body, headers):
    """One HTTP request to HOST:PORT on this machine; status and JSON."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    try:
        connection.request(method, path, body=json.dumps(body).encode(), headers={"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    try:
        return answer.status, json.loads(text) if text else {}
    except ValueError:
        return answer.status, {"detail": text.decode("utf-8", "replace")[:200]}


class Logboek:
    """The organisation's own log of data processing, over OTLP/HTTP (JSON)."""

    def __init__(self, address, service_name):
        self.address, self.service_name = address, service_name

    def write(self, spans):
        """Returns only when the records are on disk; raises Refused otherwise: then the data may not be used."""
        body = {"resourceSpans": [{
            "resource": {"attributes": [attribute("service.name", self.service_name)]},
            "scopeSpans": [{"spans": spans}],
        }]}
        try:
            status, answer = call(self.address, "POST", "/v1/traces", body, {})
        except OSError as error:
            raise Refused(f"het logboek is niet bereikbaar ({error})") from error
        rejected = int(answer.get("partialSuccess", {}).get("rejectedSpans", 0) or 0)
        if status != 200 or rejected:
            reason = answer.get("partialSuccess", {}).get("errorMessage") or answer.get("detail") or status
            raise Refused(f"het logboek heeft de regel niet opgeslagen ({reason})")


def attribute(key, value):
    return {"key": key, "value": {"stringValue": value}}


def action(trace, span_id, parent_id, name, activity, bsn, started_ns, categories=()):
    """One record: an action for one person (Logboek Dataverwerkingen 1.0.0, 3.3.1)."""
    attributes = [attribute("dpl.core.processing_activity_id", activity),
                  attribute("dpl.core.data_subject_id", bsn),
                  attribute("dpl.core.data_subject_id_type", "BSN")]
    if categories:
        attributes.append({"key": "nl.fundament.data_categories",
                           "value": {"arrayValue": {"values": [{"stringValue": name} for name in categories]}}})
    return {"traceId": trace.trace_id, "spanId": span_id, "parentSpanId": parent_id, "name": name, "kind": 1,
            "startTimeUnixNano": str(started_ns), "endTimeUnixNano": str(time.time_ns()), "attributes": attributes,
            "status": {}}


class Register:
    """The register of persons of another organisation, through our own Outway."""

    def __init__(self, outway, provider_oin):
        self.outway, self.host = outway, f"brp-personen-bevragen.{provider_oin}"

    def persons(self, bsns, fields, traceparent):
        query = {"type": "RaadpleegMetBurgerservicenummer", "burgerservicenummer": list(bsns), "fields": list(fields)}
        try:
            status, answer = call(self.outway, "POST", "/haalcentraal/api/brp/personen", query,
                                  {"Host": self.host, "traceparent": traceparent})
        except OSError as error:
            raise Refused(f"de verbinding naar het register werkt niet ({error})") from error
        if status != 200:
            raise Refused(f"het register gaf geen gegevens ({status}: {answer.get('detail') or answer.get('message') or ''})")
        return answer["personen"]


PAGE = """<!doctype html>
<html lang="nl">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - {organisation}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1b1b1f; --paper: #fff; --line: #767680; --accent: {accent}; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #f1f1f4; --paper: #17171b; --line: #9a9aa5; --accent: {accent_dark}; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; font: 1.125rem/1.6 system-ui, sans-serif; color: var(--ink); background: var(--paper); }}
header {{ border-bottom: 4px solid var(--accent); padding: 1rem; }}
header, main, footer {{ max-width: 44rem; margin: 0 auto; }}
main, footer {{ padding: 1rem; }}
h1 {{ line-height: 1.2; }}
label {{ display: block; font-weight: 600; margin-top: 1.25rem; }}
input, select {{ font: inherit; width: 100%; max-width: 24rem; min-height: 2.75rem; padding: .25rem .5rem; color: inherit;
  background: var(--paper); border: 1px solid var(--line); border-radius: 4px; }}
button {{ font: inherit; font-weight: 600; margin-top: 1.5rem; min-height: 2.75rem; padding: .5rem 1.5rem; border: 0; border-radius: 4px;
  color: #fff; background: {button}; }}
:focus-visible {{ outline: 3px solid var(--accent); outline-offset: 2px; }}
.test {{ background: #fff3c4; color: #1b1b1f; padding: .5rem 1rem; border-left: 6px solid #8a6100; }}
.outcome {{ border: 2px solid var(--accent); border-radius: 6px; padding: 0 1rem 1rem; }}
a {{ color: var(--accent); }}
</style>
</head>
<body>
<header><strong>{organisation}</strong></header>
<main>
<p class="test">Dit is een voorbeeld met verzonnen personen. Vul geen echte gegevens in.</p>
<h1>{title}</h1>
{body}
</main>
<footer><p>Een voorbeeldtoepassing bij Fundament.</p></footer>
</body>
</html>
"""


class Application:
    """A page with a form, and the same act as JSON. Subclasses give `form()` and `decide(fields)`."""

    organisation = ""
    accent, accent_dark, button = "#154273", "#9cc7ff", "#154273"
    api = "/api"

    def form(self, values, fault):
        raise NotImplementedError

    def decide(self, fields):
        """Gives {"title", "html", ...}; raises ValueError for a fault in the form, Refused when it cannot be done now."""
        raise NotImplementedError

    def page(self, title, body):
        return PAGE.format(title=html.escape(title), body=body, organisation=html.escape(self.organisation), accent=self.accent,
                           accent_dark=self.accent_dark, button=self.button).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    application = None

    def log_message(self, *_):
        pass  # an access log would be one more place with traces of persons

    def answer(self, status, content_type, body):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.split("?")[0] != "/":
            self.answer(404, "text/plain; charset=utf-8", "Deze pagina is er niet.\n".encode())
            return
        self.answer(200, "text/html; charset=utf-8", self.application.form({}, ""))

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > 16384:
            self.answer(413, "text/plain; charset=utf-8", "Te groot.\n".encode())
            return
        text = self.rfile.read(length).decode("utf-8", "replace")
        as_json = self.path == self.application.api
        try:
            fields = json.loads(text) if as_json else dict(urllib.parse.parse_qsl(text))
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            self.answer(400, "application/problem+json", b'{"title":"Geen geldig verzoek","status":400}')
            return
        try:
            outcome = self.application.decide(fields)
            status = 200
        except ValueError as fault:
            status, outcome = 400, {"title": "Controleer uw invoer", "detail": str(fault)}
        except Refused as fault:
            status, outcome = 503, {"title": "Het lukt nu niet", "detail": str(fault)}
        if as_json:
            outcome.pop("html", None)
            self.answer(status, "application/json" if status == 200 else "application/problem+json", json.dumps(outcome).encode())
        elif status == 400:
            self.answer(status, "text/html; charset=utf-8", self.application.form(fields, outcome["detail"]))
        else:
            body = outcome.get("html") or (f"<p>We kunnen uw vraag nu niet beoordelen: {html.escape(outcome['detail'])}.</p>"
                                           "<p>Er is niets veranderd. <a href=\"/\">Probeer het later opnieuw</a>.</p>")
            self.answer(status, "text/html; charset=utf-8", self.application.page(outcome["title"], body))


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


def serve(application, address):
    host, port = address.rsplit(":", 1)
    handler = type("BoundHandler", (Handler,), {"application": application})
    Server((host, int(port)), handler).serve_forever()


def adults(path, limit=50):
    """(bsn, name) of test persons of 18 and older who are alive, for the test sign-in of the form."""
    with open(path, encoding="utf-8") as source:
        people = json.load(source)
    year = time.gmtime().tm_year
    found = []
    for person in people:
        birth = person.get("geboorte", {}).get("datum", "")
        name = person.get("naam", {})
        if birth[:4].isdigit() and int(birth[:4]) <= year - 19 and "overlijden" not in person:
            parts = [name.get("voornamen", "").strip(), name.get("voorvoegsel", ""), name.get("geslachtsnaam", "")]
            found.append((person["burgerservicenummer"], " ".join(part for part in parts if part)))
    return found[:limit]
