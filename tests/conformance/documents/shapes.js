// Checks RDF against SHACL shapes. `node shapes.js SHAPES.ttl... -- FILE.ttl|FILE.jsonld...` prints a line of JSON for each file: its triples, sorted
// and with blank nodes named by what is said of them (for comparing two forms of the same graph), and what the engine reports.
"use strict";
const fs = require("fs");
const { Readable } = require("stream");
const { Parser, Store } = require("n3");

async function main() {
  const { default: SHACLValidator } = await import("rdf-validate-shacl");
  const { JsonLdParser } = require("jsonld-streaming-parser");
  const words = process.argv.slice(2);
  const shapeFiles = words.slice(0, words.indexOf("--"));
  const files = words.slice(words.indexOf("--") + 1);

  function turtle(text) {
    return new Parser().parse(text);
  }

  function jsonLd(text) {
    return new Promise((resolve, reject) => {
      const quads = [];
      const parser = new JsonLdParser();
      Readable.from([text]).pipe(parser);
      parser.on("data", (quad) => quads.push(quad)).on("error", reject).on("end", () => resolve(quads));
    });
  }

  const validator = new SHACLValidator(shapeFiles.flatMap((name) => turtle(fs.readFileSync(name, "utf8"))));
  for (const file of files) {
    const text = fs.readFileSync(file, "utf8");
    const quads = file.endsWith(".jsonld") ? await jsonLd(text) : turtle(text);
    const report = await validator.validate(validator.factory.dataset(quads));
    validator.validationEngine.initReport();
    console.log(JSON.stringify({ triples: canonical(new Store(quads)), results: report.results.map(plain) }));
  }
}

function plain(result) {
  const last = (term) => term && term.value.split("#").pop();
  return {
    focus: result.focusNode && result.focusNode.value,
    path: result.path && result.path.value,
    component: last(result.sourceConstraintComponent),
    severity: last(result.severity),
    value: result.value && result.value.value,
  };
}

// A blank node has the name of everything that is said of it: enough for trees, and ours are trees.
function canonical(store) {
  function name(term) {
    if (term.termType !== "BlankNode") return `${term.termType} ${term.value} ${term.language || ""} ${(term.datatype || {}).value || ""}`;
    return `[${store.getQuads(term, null, null, null).map((quad) => `${quad.predicate.value} ${name(quad.object)}`).sort().join("; ")}]`;
  }
  return store.getQuads(null, null, null, null).filter((quad) => quad.subject.termType !== "BlankNode")
    .map((quad) => `${name(quad.subject)} ${quad.predicate.value} ${name(quad.object)}`).sort();
}

main().catch((fault) => {
  console.error(String(fault && fault.message || fault));
  process.exit(1);
});
