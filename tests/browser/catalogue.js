// The catalogue of services in a real browser: without script, with a keyboard, on a small screen, magnified, in the dark, in both languages.
// Started by test_catalogue with the address of the portal and the path of a service; prints TAP without a plan.
"use strict";
const fs = require("fs");
const { chromium } = require("playwright-core");

const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [base, service, bare] = process.argv.slice(2);
const host = new URL(base).hostname;
const PAGE_MAX = 30 * 1024;
const PAGES = ["/catalogus", "/catalogus?zoek=logboek", "/catalogus?zoek=bestaat-niet", service, bare, "/catalogus/1/geen"];
const SHAPES = ["/catalogus", service, bare]; // a list, a page with everything on it, and one with nothing: the others are made of the same parts
const MISSING = { "/catalogus/1/geen": 404 };
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

async function open(browser, options) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 }, locale: "nl", ...options });
  context.setDefaultTimeout(20000);
  return context;
}

// --- each page as it comes ---

async function plain(browser, language) {
  const context = await open(browser, { locale: language, javaScriptEnabled: false });
  const page = await context.newPage();
  for (const address of PAGES)
    await test(`${language} ${address}: right status and language, under 30 KB, no script, nothing from elsewhere`, async () => {
      const requests = [];
      const listen = (request) => requests.push(request.url());
      page.on("request", listen);
      const reply = await page.goto(base + address, { waitUntil: "load" });
      page.off("request", listen);
      const text = await reply.text();
      check(reply.status() === (MISSING[address] || 200), `status ${reply.status()}`);
      check(Buffer.byteLength(text) < PAGE_MAX, `${Buffer.byteLength(text)} bytes`);
      check(text.includes(`<html lang="${language}">`), "not in the language of the browser");
      check(!/<script|javascript:|\son[a-z]+=|\sstyle=/i.test(text), "there is a script or a style in the page");
      check(requests.every((url) => url.startsWith(base)), `asked elsewhere: ${requests.join(" ")}`);
      check(reply.headers()["content-security-policy"].includes("default-src 'none'"), "no content security policy");
      check(await page.locator("h1").count() === 1, "not one h1");
      check(!/\b(catalogue|layout)\.[a-z_]+/.test(await page.locator("body").innerText()), "a phrase is missing");
    });
  await context.close();
}

async function look(browser, language, width, scheme, addresses) {
  const context = await open(browser, { locale: language, viewport: { width, height: 900 }, colorScheme: scheme, bypassCSP: true });
  const page = await context.newPage();
  for (const address of addresses)
    await test(`${language} ${address} at ${width} px, ${scheme}: axe finds nothing (WCAG 2.2 AA), and nothing is wider than the page`, async () => {
      await page.goto(base + address);
      await page.addScriptTag({ content: axe });
      const found = await page.evaluate(() => axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
      check(found.violations.length === 0, found.violations.map((one) => `${one.id}: ${one.help} ${one.nodes[0].html.slice(0, 150)}`).join("\n"));
      check(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), "the page scrolls sideways");
    });
  await context.close();
}

async function magnified(browser) {
  const context = await open(browser, { viewport: { width: 640, height: 900 }, bypassCSP: true });
  const page = await context.newPage();
  for (const address of SHAPES)
    await test(`${address}: nothing is lost with text twice as large`, async () => {
      await page.goto(base + address);
      await page.addStyleTag({ content: "html { font-size: 200% !important }" });
      const outside = await page.evaluate(() => [...document.querySelectorAll("main *, header *")].filter((item) => {
        const box = item.getBoundingClientRect();
        return !item.closest(".fn-visually-hidden, .fn-skip-link, svg, pre") && box.width > 0 && box.right > document.documentElement.clientWidth + 1;
      }).map((item) => item.outerHTML.slice(0, 120)));
      check(outside.length === 0, outside.join("\n"));
    });
  await context.close();
}

// --- what people do ---

async function journeys(browser) {
  const context = await open(browser, { javaScriptEnabled: false });
  const page = await context.newPage();
  const names = () => page.locator("li.fn-card h3").allTextContents();
  await test("searching by word keeps the word, counts, and finds it in the text of a description", async () => {
    await page.goto(base + "/catalogus");
    const all = (await names()).length;
    await page.fill("#zoek", "GEBOORTE adres");
    await page.locator("form[role=search] button").click();
    check(await page.inputValue("#zoek") === "GEBOORTE adres", "the word is forgotten");
    const found = await names();
    check(found.length === 1 && all > 1, `${found.length} of ${all}`);
    check((await page.locator("main h2").first().textContent()).includes("1 dienst gevonden"), await page.locator("main h2").first().textContent());
  });
  await test("choosing an organisation and a protocol narrows the list, and clearing widens it", async () => {
    await page.goto(base + "/catalogus");
    const all = (await names()).length;
    const name = (await page.locator("#organisatie option").nth(1).textContent()).trim();
    await page.selectOption("#organisatie", { index: 1 });
    await page.selectOption("#protocol", "PROTOCOL_TCP_HTTP_1.1");
    await page.locator("form[role=search] button").click();
    const shown = await page.locator("li.fn-card p strong").allTextContents();
    check(shown.length > 0 && shown.every((one) => one === name), `another organisation: ${shown}`);
    check((await names()).length < all, "nothing is left out");
    check((await page.locator("#organisatie").inputValue()).length === 20, "the organisation is forgotten");
    await page.locator("form[role=search] a").click();
    check((await names()).length === all, "it stayed narrow");
  });
  await test("from the list to a service, to all of its organisation, and back by the breadcrumb", async () => {
    await page.goto(base + service);
    const title = await page.locator("h1").textContent();
    await page.locator(".fn-data-list a").first().click();
    check(new URL(page.url()).searchParams.get("organisatie").length === 20, page.url());
    await page.locator("li.fn-card h3 a", { hasText: title }).click();
    check(await page.locator("h1").textContent() === title, "another service");
    await page.locator(".fn-breadcrumb-nav a").last().click();
    check(new URL(page.url()).pathname === "/catalogus", page.url());
  });
  await test("from the first page of the portal to the catalogue, and back", async () => {
    await page.goto(base + "/");
    await page.locator("main a[href='/catalogus']").click();
    check(await page.locator("form[role=search]").count() === 1, page.url());
    await page.locator(".fn-breadcrumb-nav a").click();
    check(new URL(page.url()).pathname === "/", page.url());
  });
  await test("changing the language keeps the search", async () => {
    await page.goto(base + "/catalogus?zoek=logboek");
    await page.locator(".fn-language-nav a[lang=en]").click();
    check(await page.inputValue("#zoek") === "logboek", "the word is forgotten");
    check((await page.locator("h1").textContent()) === "Catalogue of services", "not in English");
    await page.locator(".fn-language-nav a[lang=nl]").click();
  });
  await test("a text that is there in one language only says which", async () => {
    await page.goto(base + "/catalogus?lang=en");
    for (const item of await page.locator("[lang=nl]").all()) check((await item.textContent()).trim().length > 0, "an empty text");
    await page.goto(base + "/catalogus?lang=nl");
  });
  await test("the page of a service says the command to connect, and links to both forms of the data", async () => {
    await page.goto(base + service);
    const [, , peer, name] = new URL(page.url()).pathname.split("/");
    check((await page.locator("main pre").allTextContents()).includes(`fundament fsc connect ${name}.${peer}`), "no command");
    for (const [link, type] of [["?vorm=json-ld", "application/ld+json"], ["?vorm=turtle", "text/turtle"]])
      check(await page.locator(`a[href='${link}']`).getAttribute("type") === type, `${link} is not linked to`);
  });
  await test("a service that nobody described says so", async () => {
    await page.goto(base + bare);
    check((await page.locator(".fn-alert").textContent()).includes("nog niet beschreven"), "it does not say so");
  });
  await context.close();
}

async function keyboard(browser) {
  const context = await open(browser, {});
  const page = await context.newPage();
  await test("searching works with the keyboard alone, and the focus is always seen", async () => {
    await page.goto(base + "/catalogus");
    const seen = [];
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const item = document.activeElement;
        if (!item || item === document.body) return null;
        const style = getComputedStyle(item);
        return { id: item.id, html: item.outerHTML.slice(0, 80), outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
      });
      if (!at) break;
      check(at.outline, `no visible focus: ${at.html}`);
      seen.push(at.id);
      if (at.id === "zoek") break;
    }
    check(seen.includes("zoek"), `never came to the search: ${seen.join(" ")}`);
    await page.keyboard.type("logboek");
    await page.keyboard.press("Enter");
    await page.waitForURL("**zoek=logboek**");
  });
  await context.close();
}

async function catches(browser) {
  const context = await open(browser, { bypassCSP: true });
  const page = await context.newPage();
  await test("axe finds a fault that is put into the page: these tests can fail", async () => {
    await page.goto(base + "/catalogus");
    await page.evaluate(() => { document.querySelector("label[for=zoek]").remove(); });
    await page.addScriptTag({ content: axe });
    const found = await page.evaluate(() => axe.run());
    check(found.violations.some((one) => one.id === "label"), "it did not");
  });
  await context.close();
}

async function screenshots(browser, folder) {
  for (const [name, address, width, scheme] of [["list", "/catalogus", 1100, "light"], ["service", service, 1100, "light"], ["small", "/catalogus", 360, "light"],
    ["small-service", service, 360, "dark"], ["bare", bare, 1100, "light"]]) {
    const context = await open(browser, { javaScriptEnabled: false, viewport: { width, height: 900 }, colorScheme: scheme });
    const page = await context.newPage();
    await page.goto(base + address);
    await page.screenshot({ path: `${folder}/catalogue-${name}.png`, fullPage: true });
    await context.close();
  }
}

async function main() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true,
    args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
      `--host-resolver-rules=MAP ${host} 127.0.0.11, MAP * ~NOTFOUND`],
  });
  try {
    if (process.env.FUNDAMENT_SCREENSHOTS) await screenshots(browser, process.env.FUNDAMENT_SCREENSHOTS);
    for (const language of ["nl", "en"]) await plain(browser, language);
    await look(browser, "nl", 1280, "light", PAGES);
    await look(browser, "en", 320, "dark", SHAPES); // the marks are the same in both languages and widths
    await catches(browser);
    await magnified(browser);
    await keyboard(browser);
    await journeys(browser);
  } finally {
    await browser.close();
  }
}

main().then(() => process.exit(failed ? 1 : 0), (fault) => {
  console.log(`not ok ${number + 1} - the browser runs`);
  console.log(`# ${String(fault && fault.stack || fault).split("\n").join("\n# ")}`);
  process.exit(1);
});
