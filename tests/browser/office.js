// The pages for officers in a real browser with a client certificate: axe, small and large, light and dark, with a keyboard, without script.
// Started by test_office with the address, its IP address, the folder of the officers' certificates, a valid contract and two that wait; prints TAP without
// a plan.
"use strict";
const dns = require("dns");
const path = require("path");

const [base, ip, officers, valid, waiting, other, pictures] = process.argv.slice(2);
const host = new URL(base).hostname;

// playwright connects by itself when there is a client certificate, and looks the name up as any program does; it is known in this test only.
const lookup = dns.lookup;
dns.lookup = (name, options, callback) => {
  const [how, done] = typeof options === "function" ? [{}, options] : [options, callback];
  if (name !== host) return lookup(name, how, done);
  return process.nextTick(() => (how.all ? done(null, [{ address: ip, family: 4 }]) : done(null, ip, 4)));
};
dns.promises.lookup = (name, options) => new Promise((resolve, reject) => dns.lookup(name, options || {}, (fault, address, family) =>
  (fault ? reject(fault) : resolve(options && options.all ? address : { address, family }))));

const { chromium } = require("playwright-core");
const { test, check, inspect, tabs, end } = require("./shared");

const PAGE_MAX = 30 * 1024;
const PAGES = ["/", "/contracten", "/contracten?staat=waiting&zoek=niets", "/contracten/" + valid, "/contracten/" + waiting, `/contracten/${waiting}/accept`,
  `/contracten/${waiting}/reject`, "/diensten", "/organisaties", "/bezorging", "/transacties", "/transacties?transactie=x", "/verkeer?periode=uur",
  "/verkeer?periode=maand", "/voorstellen", "/voorstellen?soort=connection", "/voorstellen?soort=publication", "/voorstellen?soort=delegated_connection",
  "/audit", "/nergens"];
const MISSING = { "/nergens": 404 };

async function open(browser, options, officer = "tekenaar") {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 }, locale: "nl",
    clientCertificates: [{ origin: new URL(base).origin, certPath: path.join(officers, officer + ".crt"), keyPath: path.join(officers, officer + ".key") }],
    ...options,
  });
  context.setDefaultTimeout(20000);
  return context;
}

async function plain(browser, language) {
  const context = await open(browser, { locale: language, javaScriptEnabled: false });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  for (const address of PAGES) {
    await test(`office ${language} ${address}: right status and language, under 30 KB, no script, nothing from elsewhere`, async () => {
      complaints.length = 0;
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
      check(requests.every((url) => url.startsWith(base + "/")), `asked elsewhere: ${requests}`);
      const unexpected = complaints.filter((line) => !(MISSING[address] && /404/.test(line)));
      check(unexpected.length === 0, unexpected.join("\n"));
    });
  }
  await context.close();
}

async function look(browser, language, width, scheme) {
  const context = await open(browser, { locale: language, viewport: { width, height: 900 }, colorScheme: scheme, bypassCSP: true });
  const page = await context.newPage();
  for (const address of PAGES) {
    await test(`office ${language} ${address} at ${width} px, ${scheme}: axe finds nothing, nothing sticks out`, async () => {
      await page.goto(base + address);
      await inspect(page, width);
    });
  }
  await context.close();
}

// WCAG 2.2, 1.4.4: text twice as large.
async function enlarged(browser) {
  const context = await open(browser, { viewport: { width: 640, height: 900 }, bypassCSP: true });
  const page = await context.newPage();
  for (const address of PAGES) {
    await test(`office ${address}: nothing sticks out with text twice as large`, async () => {
      await page.goto(base + address);
      await page.addStyleTag({ content: "html { font-size: 200% !important }" });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      check(wide <= 640, `the page is ${wide} px wide`);
    });
  }
  await context.close();
}

// In a picture a text that is wider than its box would be cut: WCAG 2.2, 1.4.10.
async function pictureFits(browser) {
  const context = await open(browser, { viewport: { width: 320, height: 900 } });
  const page = await context.newPage();
  for (const address of ["/contracten/" + valid, "/contracten/" + waiting, "/verkeer?periode=uur"]) {
    await test(`office ${address}: every text of the picture is within it at 320 px`, async () => {
      await page.goto(base + address);
      const out = await page.evaluate(() => [...document.querySelectorAll("figure svg text")].filter((text) => {
        const box = text.getBoundingClientRect(), frame = text.closest("svg.fn-chart").getBoundingClientRect();
        return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
      }).map((text) => text.textContent));
      check(out.length === 0, out.join("; "));
      check(await page.locator("figure svg text").count() > 2, "there is no picture");
    });
  }
  await context.close();
}

async function keyboard(browser) {
  const context = await open(browser, { javaScriptEnabled: true });
  const page = await context.newPage();
  for (const address of ["/", "/contracten", "/contracten/" + valid, "/voorstellen?soort=connection", "/transacties", "/audit"]) {
    await test(`office ${address}: Tab reaches everything in the order of the page, and shows where it is`, async () => {
      await page.goto(base + address);
      const order = await tabs(page);
      check(order.length > 8, `only ${order.length} stops`);
      check(order[0].html.includes("fn-skip-link"), `first: ${order[0].html}`);
      order.forEach((at, i) => {
        check(i === 0 || at.index >= order[i - 1].index, `out of order: ${at.html}`);
        check(at.outline, `no visible focus: ${at.html}`);
        check(at.seen, `focus out of sight: ${at.html}`);
      });
    });
  }
  await test("a contract is accepted with the keyboard alone, from the first page on", async () => {
    const press = async (selector) => {
      for (let i = 0; i < 120; i++) {
        await page.keyboard.press("Tab");
        if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return page.keyboard.press("Enter");
      }
      throw new Error(`Tab does not reach ${selector}`);
    };
    await page.goto(base + "/");
    await press(`a[href="/contracten/${waiting}"]`);
    await page.waitForURL("**/contracten/*");
    await press(`a[href="/contracten/${waiting}/accept"]`);
    await page.waitForURL("**/accept");
    check((await page.locator("h1").textContent()) === "Akkoord geven?", await page.locator("h1").textContent());
    await press("main form button");
    await page.waitForURL("**gedaan=accept");
    check(await page.locator("[role=status]").isVisible(), "nothing says that it was done");
    check((await page.locator("figure svg desc").textContent()).split("akkoord op").length === 3, "the picture does not show both signatures");
  });
  await context.close();
}

async function journeys(browser) {
  const context = await open(browser, { javaScriptEnabled: false });
  const page = await context.newPage();
  await test("the picture of the signatures and the table tell the same", async () => {
    await page.goto(base + "/contracten/" + valid);
    const rows = await page.locator("figure + table tbody tr").count();
    const text = await page.locator("figure svg desc").textContent();
    check(rows === text.split("akkoord op").length - 1 && rows === 2, `${rows} rows; ${text}`);
  });
  await test("filters keep what was chosen, and the language keeps the page", async () => {
    await page.goto(base + "/contracten");
    await page.selectOption("#staat", "valid");
    await page.locator("#zoek").fill("register");
    await page.locator("main form button").click();
    check(page.url().includes("staat=valid") && page.url().includes("zoek=register"), page.url());
    check(await page.locator("#staat").inputValue() === "valid" && await page.locator("#zoek").inputValue() === "register", "forgotten");
    await page.locator(".fn-language-nav a[lang=en]").click();
    check(await page.locator("html").getAttribute("lang") === "en" && await page.locator("#staat").inputValue() === "valid", "the page or the choice is lost");
    await page.locator(".fn-language-nav a[lang=nl]").click();
  });
  await test("a form with a mistake says where, next to the field, and keeps the rest", async () => {
    await page.goto(base + "/voorstellen");
    await page.locator("input[value=connection]").check();
    await page.locator("main form button").click();
    await page.locator("#dienst").fill("een-dienst");
    await page.locator("#aanbieder").fill("12");
    await page.locator("button[value=bekijk]").click();
    check(await page.locator("#aanbieder").getAttribute("aria-invalid") === "true", "the field is not marked");
    check((await page.locator("#aanbieder-wrong").textContent()).includes("20"), "no reason");
    check(await page.locator("#dienst").inputValue() === "een-dienst", "what was typed is gone");
  });
  await test("a proposal is made in three steps, and going back keeps it", async () => {
    await page.locator("#aanbieder").fill("00000001000000000001");
    await page.locator("button[value=bekijk]").click();
    check((await page.locator("h1").textContent()) === "Klopt dit voorstel?", await page.locator("h1").textContent());
    await page.locator("button[value=terug]").click();
    check(await page.locator("#aanbieder").inputValue() === "00000001000000000001", "what was typed is gone");
    await page.locator("button[value=bekijk]").click();
    await page.locator("button[value=teken]").click();
    check(page.url().includes("gedaan=propose"), page.url());
  });
  await test("rejecting asks first, and says what it means", async () => {
    await page.goto(base + "/contracten/" + other);
    await page.locator(`a[href="/contracten/${other}/reject"]`).click();
    check((await page.locator(".fn-alert").textContent()).includes("niet terugdraaien"), "it does not say that it is final");
    await page.locator("a.fn-button--subtle").click();
    check(await page.locator("text=voorgesteld").count() > 0, "going back changed something");
    await page.locator(`a[href="/contracten/${other}/reject"]`).click();
    await page.locator("main form button").click();
    check((await page.locator(".fn-badge").first().textContent()) === "afgewezen", "it is not rejected");
  });
  await context.close();
  const reader = await open(browser, { javaScriptEnabled: false, bypassCSP: true }, "lezer");
  const look = await reader.newPage();
  await test("who may only read sees no buttons, and is told so at the address of one", async () => {
    await look.goto(base + "/voorstellen");
    check((await look.locator("main").textContent()).includes("ondertekenen"), "the missing role is not named");
    await look.goto(base + "/");
    check(await look.locator("main .fn-button").count() === 0, "there is a button to propose");
  });
  await reader.close();
}

async function screenshots(browser) {
  for (const [width, scheme] of [[1280, "light"], [320, "dark"]]) {
    const context = await open(browser, { viewport: { width, height: 900 }, colorScheme: scheme });
    const page = await context.newPage();
    for (const [i, address] of PAGES.entries()) {
      await page.goto(base + address);
      await page.screenshot({ path: path.join(pictures, `${String(i).padStart(2, "0")}-${width}.png`), fullPage: true });
    }
    await context.close();
  }
}

async function main() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true,
    args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
  });
  try {
    if (pictures) {
      await screenshots(browser);
      return;
    }
    for (const language of ["nl", "en"]) await plain(browser, language);
    await look(browser, "nl", 320, "light");
    await look(browser, "nl", 1280, "dark");
    await look(browser, "en", 320, "dark");
    await look(browser, "en", 1280, "light");
    await enlarged(browser);
    await pictureFits(browser);
    await keyboard(browser);
    await journeys(browser);
  } finally {
    await browser.close();
  }
}

end(main());
