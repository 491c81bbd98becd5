// The portal in a real browser, as people use it: without script, with a keyboard, on a small screen, magnified, in the dark, on paper.
// Started by test_portal with the address, the name to sign in with, and the number of a case; prints TAP without a plan.
"use strict";
const fs = require("fs");
const path = require("path");
const { chromium } = require("playwright-core");
const { test, check, inspect, tabs, end } = require("./shared");

const [base, person, trace, only] = process.argv.slice(2);
const host = new URL(base).hostname;
const PAGE_MAX = 30 * 1024;
const LANGUAGES = ["nl", "en"];
const PAGES = ["/", "/aanmelden", "/gebruik", "/gebruik?periode=maand", "/gebruik/" + trace, "/gegevens", "/afdruk", "/gebruik/" + "1".repeat(32),
  "/geen-pagina"];
const MISSING = { ["/gebruik/" + "1".repeat(32)]: 404, "/geen-pagina": 404 };
async function open(browser, options) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 }, locale: "nl", ...options });
  context.setDefaultTimeout(20000);
  return context;
}

async function signIn(context, name = person) {
  const page = await context.newPage();
  await page.goto(`${base}/aanmelden?naam=${encodeURIComponent(name)}`);
  await page.locator("button[name=person]").first().click();
  await page.waitForURL("**/gebruik");
  return page;
}

// --- without script ---

async function plain(browser, language) {
  const context = await open(browser, { locale: language, javaScriptEnabled: false });
  const page = await signIn(context);
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  for (const address of PAGES) {
    await test(`${language} ${address}: right status and language, under 30 KB, no script, nothing from elsewhere`, async () => {
      complaints.length = 0;
      const requests = [];
      const listen = (request) => requests.push(request.url());
      page.on("request", listen);
      const reply = await page.goto(base + address, { waitUntil: "load" });
      page.off("request", listen);
      const text = await reply.text();
      const headers = reply.headers();
      check(reply.status() === (MISSING[address] || 200), `status ${reply.status()}`);
      check(Buffer.byteLength(text) < PAGE_MAX, `${Buffer.byteLength(text)} bytes`);
      check(text.includes(`<html lang="${language}">`), "not in the language of the browser");
      check(!/<script|javascript:|\son[a-z]+=|\sstyle=/i.test(text), "there is a script or a style in the page");
      for (const part of ["default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"])
        check((headers["content-security-policy"] || "").includes(part), `the policy lacks ${part}`);
      check(!/script-src|unsafe/.test(headers["content-security-policy"]), "the policy lets scripts in");
      check(headers["x-content-type-options"] === "nosniff" && headers["cache-control"] === "no-store" &&
        headers["referrer-policy"] === "no-referrer" && /max-age=/.test(headers["strict-transport-security"] || ""), JSON.stringify(headers));
      check(requests.every((url) => url.startsWith(base + "/")), `asked elsewhere: ${requests}`);
      const unexpected = complaints.filter((line) => !(MISSING[address] && /404/.test(line)));
      check(unexpected.length === 0, unexpected.join("\n"));
    });
  }
  await context.close();
}

// --- axe, and how it looks ---

async function look(browser, language, width, scheme) {
  const context = await open(browser, { locale: language, viewport: { width, height: 900 }, colorScheme: scheme, bypassCSP: true });
  const page = await signIn(context);
  for (const address of PAGES) {
    await test(`${language} ${address} at ${width} px, ${scheme}: axe finds nothing, nothing sticks out`, async () => {
      await page.goto(base + address);
      await inspect(page, width);
    });
  }
  await context.close();
}

// A check that cannot fail is worth nothing: these faults are put in on purpose.
async function catches(browser) {
  const context = await open(browser, { viewport: { width: 320, height: 900 }, bypassCSP: true });
  const page = await signIn(context);
  const faults = {
    "an image without a text": "<img src='/static/icon.svg'>", "a field without a label": "<input name='x'>",
    "text without contrast": "<p style='color:#ccc;background:#fff'>words that one can hardly see</p>", "a page that is too wide": "<p style='width:50rem'>x</p>",
  };
  for (const [name, html] of Object.entries(faults)) {
    await test(`the checks see ${name}`, async () => {
      await page.goto(base + "/gebruik");
      await page.evaluate((text) => document.querySelector("main").insertAdjacentHTML("beforeend", text), html);
      const seen = await inspect(page, 320).then(() => false, () => true);
      check(seen, "it went unseen");
    });
  }
  await context.close();
}

// WCAG 2.2, 1.4.12: line height 1.5, paragraphs 2, letters 0.12, words 0.16. 1.4.4: text twice as large.
async function adapted(browser) {
  const styles = {
    "wide text spacing": "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }",
    "text twice as large": "html { font-size: 200% !important }",
  };
  for (const [name, style] of Object.entries(styles)) {
    const context = await open(browser, { viewport: { width: name.includes("twice") ? 640 : 320, height: 900 }, bypassCSP: true });
    const page = await signIn(context);
    for (const address of PAGES) {
      await test(`${address}: nothing is lost with ${name}`, async () => {
        await page.goto(base + address);
        await page.addStyleTag({ content: style });
        await page.evaluate(() => document.querySelectorAll("details").forEach((item) => { item.open = true; }));
        const outside = await page.evaluate(() => [...document.querySelectorAll("main *, header *")].filter((item) => {
          const box = item.getBoundingClientRect();
          const hidden = item.closest(".fn-visually-hidden, .fn-skip-link, svg");
          return !hidden && box.width > 0 && box.right > document.documentElement.clientWidth + 1;
        }).map((item) => item.outerHTML.slice(0, 120)));
        check(outside.length === 0, outside.join("\n"));
      });
    }
    await context.close();
  }
}

// --- the keyboard ---

async function keyboard(browser) {
  const context = await open(browser, {});
  const page = await context.newPage();
  await test("signing in works with the keyboard alone", async () => {
    await page.goto(base + "/");
    await page.locator("a[href='/aanmelden']").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/aanmelden");
    await page.locator("#naam").focus();
    await page.keyboard.type(person);
    await page.keyboard.press("Enter");
    await page.waitForURL("**naam=**");
    await page.locator("button[name=person]").first().focus();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/gebruik");
  });
  for (const address of ["/", "/gebruik", "/gebruik/" + trace, "/gegevens", "/aanmelden"]) {
    await test(`${address}: Tab reaches everything in the order of the page, and shows where it is`, async () => {
      await page.goto(base + address);
      const order = await tabs(page);
      check(order.length > 3, `only ${order.length} stops`);
      check(order[0].html.includes("fn-skip-link"), `first: ${order[0].html}`);
      check(order.length === order[0].count, `${order.length} stops for ${order[0].count} controls`);
      order.forEach((at, i) => {
        check(i === 0 || at.index > order[i - 1].index, `out of order: ${at.html}`);
        check(at.outline, `no visible focus: ${at.html}`);
        check(at.seen, `focus out of sight: ${at.html}`);
      });
    });
  }
  await test("the skip link leads to the content", async () => {
    await page.goto(base + "/gebruik");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    check(await page.evaluate(() => document.activeElement.id === "main"), "the focus is not on main");
    await page.keyboard.press("Tab");
    check(await page.evaluate(() => document.querySelector("main").contains(document.activeElement)), "the next stop is not in main");
  });
  await test("details open with the keyboard", async () => {
    await page.goto(base + "/gebruik");
    const summary = page.locator("summary").first();
    await summary.focus();
    await page.keyboard.press("Enter");
    check(await page.locator("details").first().evaluate((item) => item.open), "it stayed closed");
  });
  await context.close();
}

// --- what people do ---

async function journeys(browser) {
  const context = await open(browser, { javaScriptEnabled: false });
  const page = await signIn(context);
  await test("the picture of the timeline and its table tell the same", async () => {
    await page.goto(base + "/gebruik");
    const picture = await page.locator("figure svg[role=img] > desc").textContent();
    const table = await page.locator("figure + details table td div").allTextContents();
    const total = (texts) => texts.join(" ").match(/\d+(?= keer)/g).map(Number).reduce((a, b) => a + b, 0);
    check(total([picture]) === total(table) && total(table) > 0, `${picture} / ${table}`);
  });
  await test("filtering by organisation and period keeps what was chosen", async () => {
    await page.goto(base + "/gebruik");
    const organisation = page.locator("#organisatie option").nth(1);
    const value = await organisation.getAttribute("value");
    await page.selectOption("#organisatie", value);
    await page.selectOption("#periode", "alles");
    await page.locator("form[action='/gebruik'] button").click();
    check(page.url().includes(`organisatie=${value}`) && page.url().includes("periode=alles"), page.url());
    check(await page.locator("#organisatie").inputValue() === value, "the organisation is forgotten");
    const name = (await organisation.textContent()).trim();
    check((await page.locator(".fn-lead").textContent()).includes(name), "the answer is not about the organisation");
  });
  await test("changing the language keeps the page and what was chosen", async () => {
    await page.goto(base + "/gebruik?periode=maand");
    await page.locator(".fn-language-nav a[lang=en]").click();
    check(await page.locator("#periode").inputValue() === "maand", "the period is forgotten");
    check(await page.locator("html").getAttribute("lang") === "en", "not in English");
    await page.locator(".fn-language-nav a[lang=nl]").click();
  });
  await test("from the overview to a case and back", async () => {
    await page.goto(base + "/gebruik");
    await page.locator("a[href^='/gebruik/']").first().click();
    check(await page.locator("ol.fn-timeline > li").count() > 0, "there are no steps");
    await page.locator(".fn-breadcrumb-nav a").first().click();
    check(new URL(page.url()).pathname === "/gebruik", page.url());
  });
  await test("both files are downloads of JSON", async () => {
    for (const [address, link] of [["/gebruik", "/gebruik.json"], ["/gegevens", "/gegevens.json"]]) {
      await page.goto(base + address);
      const [download] = await Promise.all([page.waitForEvent("download"), page.locator(`a[href='${link}']`).click()]);
      check(download.suggestedFilename() === path.basename(link), download.suggestedFilename());
      JSON.parse(fs.readFileSync(await download.path(), "utf8"));
    }
  });
  await test("on paper there is no navigation, and the address of each law", async () => {
    await page.goto(base + "/afdruk");
    await page.emulateMedia({ media: "print" });
    for (const selector of [".fn-main-nav", ".fn-language-nav", ".fn-session"])
      check(!await page.locator(selector).first().isVisible(), `${selector} is printed`);
    check(await page.locator("main").isVisible(), "nothing is printed");
    await page.emulateMedia({ media: null });
  });
  await test("somebody without any use is told so", async () => {
    const other = await open(browser, { javaScriptEnabled: false });
    const list = await other.newPage();
    await list.goto(base + "/aanmelden?pagina=99");
    await list.locator("button[name=person]").last().click();
    await list.waitForURL("**/gebruik");
    check(/niemand|geen/.test(await list.locator(".fn-lead").textContent()), await list.locator(".fn-lead").textContent());
    check(await list.locator("figure").count() === 0, "there is a picture of nothing");
    await other.close();
  });
  await test("signing out ends the session", async () => {
    await page.goto(base + "/gebruik");
    await page.locator("form[action='/afmelden'] button").click();
    await page.goto(base + "/gebruik");
    check(new URL(page.url()).pathname === "/aanmelden", page.url());
  });
  await context.close();
}

// --- an organisation that does not answer ---

async function gap(browser) {
  for (const language of LANGUAGES)
    for (const width of [1280, 320])
      await test(`${language} /gebruik at ${width} px with a gap: named, and axe finds nothing`, async () => {
        const context = await open(browser, { locale: language, viewport: { width, height: 900 }, bypassCSP: true });
        const page = await signIn(context);
        check(await page.locator(".fn-alert--warning strong").count() > 0, "the gap is not named");
        await inspect(page, width);
        await context.close();
      });
}

async function screenshot(browser, file) {
  const context = await open(browser, { javaScriptEnabled: false, viewport: { width: 1100, height: 1440 } });
  const page = await signIn(context);
  await page.screenshot({ path: file });
  await context.close();
}

async function main() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true,
    args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
      `--host-resolver-rules=MAP ${host} 127.0.0.11, MAP * ~NOTFOUND`],
  });
  try {
    if (only === "gap") {
      await gap(browser);
      return;
    }
    if (only === "screenshot") {
      await screenshot(browser, process.env.FUNDAMENT_SCREENSHOT);
      return;
    }
    for (const language of LANGUAGES) await plain(browser, language);
    for (const language of LANGUAGES)
      for (const width of [1280, 320])
        for (const scheme of ["light", "dark"]) await look(browser, language, width, scheme);
    await catches(browser);
    await adapted(browser);
    await keyboard(browser);
    await journeys(browser);
  } finally {
    await browser.close();
  }
}

end(main());
