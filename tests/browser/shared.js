// What the tests in a browser share: TAP without a plan, axe, and walking through a page with Tab.
"use strict";
const fs = require("fs");

const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
let number = 0;
let failed = 0;

async function test(name, body) {
  number++;
  try {
    await body();
    console.log(`ok ${number} - ${name}`);
  } catch (fault) {
    failed++;
    console.log(`not ok ${number} - ${name}`);
    String(fault && fault.message || fault).split("\n").slice(0, 30).forEach((line) => console.log(`# ${line}`));
  }
}

function check(condition, message) {
  if (!condition) throw new Error(message);
}

async function inspect(page, width) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((item) => { item.open = true; }));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  check(wide <= width, `the page is ${wide} px wide`);
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"],
  }));
  check(found.violations.length === 0, found.violations.map((violation) => `${violation.id}: ${violation.help}\n` +
    violation.nodes.slice(0, 5).map((node) => `  ${node.html.slice(0, 160)}\n  ${node.failureSummary.replace(/\n/g, " ").slice(0, 200)}`).join("\n")).join("\n"));
}

// Where Tab goes, until it comes back.
async function tabs(page) {
  const order = [];
  for (let i = 0; i < 200; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const item = document.activeElement;
      if (!item || item === document.body || item === document.documentElement) return null;
      const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']")];
      const style = getComputedStyle(item);
      const box = item.getBoundingClientRect();
      return { index: all.indexOf(item), count: all.filter((other) => other.checkVisibility()).length, html: item.outerHTML.slice(0, 100), outline: style.outlineStyle !== "none" &&
        parseFloat(style.outlineWidth) >= 2, seen: box.width > 0 && box.height > 0 && box.top >= -1 && box.bottom <= innerHeight + 1 };
    });
    if (!at || (order.length && at.index === order[0].index)) break;
    order.push(at);
  }
  return order;
}

// Ends the program when `work` does.
function end(work) {
  work.then(() => process.exit(failed ? 1 : 0), (fault) => {
    console.log(`not ok ${number + 1} - the browser runs`);
    console.log(`# ${String(fault && fault.stack || fault).split("\n").join("\n# ")}`);
    process.exit(1);
  });
}

module.exports = { test, check, inspect, tabs, end };
