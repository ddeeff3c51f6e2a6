// What the tests share: a real Chromium, the shop of a running stack, and the steps of a shopper.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const STACK = process.env.STACK_URL;
assert.ok(STACK, "STACK_URL names a running stack: scripts/browser starts one");

export const EXAMPLES = fileURLToPath(new URL("../../docs/examples/", import.meta.url));
const FILES = join(EXAMPLES, "shop");
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const places = process.env.PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
// Chromium has no sandbox for root.
const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath: places.find((place) => existsSync(place)), args });

export const close = () => browser.close();

/** A new window without a page. What a page throws fails the test that looks at `errors`. */
export async function blank(options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error.message));
  return page;
}

/** A window of a new shopper. */
export async function open({ url = STACK, hash = "", ...options } = {}) {
  const page = await blank(options);
  await page.goto(`${url}/${hash}`);
  await page.locator("#add-espresso-beans").waitFor();
  return page;
}

/** Closes the shopper's windows, and holds that no script has failed. */
export async function leave(page) {
  assert.deepEqual(page.errors, []);
  await page.context().close();
}

/** Until the page is at a step, and does nothing any more. */
export const at = (page, step) => page.locator(`body[data-step=${step}] main[aria-busy=false]`).waitFor();

export const ADA = {
  firstName: "Ada",
  lastName: "Lovelace",
  addressLine1: "1 Main St",
  city: "Los Angeles",
  state: "CA",
  postalCode: "90001",
};

/** Puts beans into the cart. */
export async function take(page, count = 2) {
  await page.locator("#add-espresso-beans").click();
  for (let more = 1; more < count; more += 1) {
    await page.locator(".quantity span", { hasText: String(more) }).waitFor();
    await page.locator("#more-espresso-beans-").click();
  }
  await page.locator(".quantity span", { hasText: String(count) }).waitFor();
  await at(page, "shop");
}

export async function write(page, address = ADA) {
  for (const [name, value] of Object.entries(address)) {
    const field = page.locator(`#address-${name}`);
    if (await field.evaluate((element) => element.tagName === "SELECT")) await field.selectOption(value);
    else await field.fill(value);
  }
}

/** From the cart to the payment. */
export async function walkToPayment(page) {
  await page.getByRole("link", { name: "Continue to address" }).click();
  await at(page, "address");
  await write(page);
  await page.getByRole("button", { name: "Continue to delivery" }).click();
  await at(page, "delivery");
  await page.getByRole("button", { name: "Continue to payment" }).click();
  await at(page, "payment");
  await page.locator("#email").fill("ada@example.com");
}

/** A window of a new shopper who is about to pay. */
export async function openAtPayment() {
  const page = await open();
  await take(page);
  await walkToPayment(page);
  return page;
}

export const choose = (page, token) => page.locator(`input[value=${token}]`).check();
export const buy = (page) => page.locator("#buy").click();
export const total = (page) => page.locator(".sums .total dd").textContent();

/** The code of the problem that is shown. */
export async function problem(page, code) {
  await page.locator(`#problem[data-code=${code}]`).waitFor();
  await page.locator("main[aria-busy=false]").waitFor();
  return page.locator("#problem").textContent();
}

/** Waits for a condition, by asking again. */
export async function until(what, holds) {
  const end = Date.now() + 20_000;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `never: ${what}`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}

/** A call of the API beside the page, as its shopper. */
export async function call(page, method, path, body) {
  const { guestId } = await page.evaluate(() => JSON.parse(localStorage.getItem("checkout-shop")));
  const headers = { "X-Guest-Id": guestId, ...(body && { "Content-Type": "application/json" }) };
  const answer = await fetch(`${STACK}/api/v1/checkout${path}`, {
    method,
    headers,
    body: body && JSON.stringify(body),
  });
  return answer.json();
}

/** The shop on an origin of its own: its files, and the address of the checkout; or the files of another folder. */
export async function elsewhere(folder = FILES) {
  const server = createServer((request, response) => {
    const name = request.url.split("?")[0].slice(1) || "index.html";
    const kind = { html: "text/html", css: "text/css", js: "text/javascript", svg: "image/svg+xml" }[
      name.split(".").pop()
    ];
    if (kind === undefined) {
      response.writeHead(404).end();
      return;
    }
    const file = readFileSync(join(folder, name), "utf8");
    response
      .writeHead(200, { "content-type": kind })
      .end(file.replace('name="checkout-origin" content=""', `name="checkout-origin" content="${STACK}"`));
  });
  await new Promise((up) => server.listen(0, "127.0.0.1", up));
  server.unref();
  return `http://127.0.0.1:${server.address().port}`;
}
