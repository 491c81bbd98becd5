// Spans by the exporters of OpenTelemetry: node export.js proto|json ENDPOINT COUNT MODE
//   person  a BSN as subject and an activity      leak  the same, with the number in another attribute
// Prints the result of the export: {"code": 0} when it was accepted.
"use strict";
const { OTLPTraceExporter: Proto } = require("@opentelemetry/exporter-trace-otlp-proto");
const { OTLPTraceExporter: Json } = require("@opentelemetry/exporter-trace-otlp-http");
const { BasicTracerProvider, SimpleSpanProcessor, InMemorySpanExporter } = require("@opentelemetry/sdk-trace-base");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { diag, SpanStatusCode } = require("@opentelemetry/api");

const [kind, url, count, mode] = process.argv.slice(2);
const warnings = [];
const note = (...words) => warnings.push(words.map((word) => (typeof word === "string" ? word : JSON.stringify(word))).join(" "));
diag.setLogger({ error: note, warn: note, info() {}, debug() {}, verbose() {} });

const made = new InMemorySpanExporter();
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ "service.name": "exporter", "service.version": "1" }),
  spanProcessors: [new SimpleSpanProcessor(made)],
});
const tracer = provider.getTracer("test");
for (let i = 0; i < Number(count); i++) {
  const span = tracer.startSpan("Gegevens geraadpleegd", {
    attributes: {
      "dpl.core.processing_activity_id": "https://manager.municipality.fsc.test/logboek/v1/processing-activities/parkeervergunning",
      "dpl.core.data_subject_id": "999990019",
      "dpl.core.data_subject_id_type": "BSN",
      "nl.fundament.data_categories": ["naam", "adres"],
      "http.response.status_code": 200,
      ratio: 0.25,
      cached: false,
    },
  });
  if (mode === "leak" && i === 0) span.setAttribute("http.route", "/persons/999990019");
  span.addEvent("an event is read past");
  span.setStatus({ code: i % 2 === 0 ? SpanStatusCode.OK : SpanStatusCode.ERROR });
  span.end();
}
const exporter = new (kind === "proto" ? Proto : Json)({ url, compression: "gzip", timeoutMillis: 5000 });
exporter.export(made.getFinishedSpans(), (result) => {
  console.log(JSON.stringify({ code: result.code, error: result.error && String(result.error), warnings }));
  exporter.shutdown();
});
