// What lives behind, and what stands in a shopper's way: a coupon, a limit, a Redis that is gone.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { STACK, at, buy, call, close, leave, open, problem, take, until, walkToPayment } from "./shop.js";

after(close);

async function coupon(page, code) {
  await page.locator("#coupon").fill(code);
  await page.locator("#apply-coupon").click();
}

test("a coupon that isn't one says so at its field", async () => {
  const page = await open();
  await take(page, 1);
  await coupon(page, "NOPE");
  assert.equal((await problem(page, "COUPON_UNKNOWN")).trim(), "There is no such coupon.");
  assert.equal(await page.locator("#coupon").getAttribute("aria-describedby"), "problem");
  assert.equal(await page.locator("#coupon").inputValue(), "NOPE");
  await coupon(page, "EXPIRED");
  assert.equal((await problem(page, "COUPON_EXPIRED")).trim(), "This coupon has expired.");
  // A code without a text of its own shows what the answer says.
  await page.route("**/apply-coupon", (route) =>
    route.fulfill({ status: 422, json: { code: "COUPON_NEW", detail: "only on Sundays" } }),
  );
  await coupon(page, "LATER");
  assert.equal((await problem(page, "COUPON_NEW")).trim(), "only on Sundays");
  await leave(page);
});

test("a limit that is reached counts down, and then lets in again", async () => {
  const page = await open();
  await take(page, 1);
  const meter = page.locator('[data-limit="apply-coupon"] .left');
  const { checkoutId } = await page.evaluate(() => JSON.parse(localStorage.getItem("checkout-shop")));
  const attempted = () => call(page, "POST", "/apply-coupon", { checkoutId, couponCode: "NOPE" });
  for (let attempt = 0; !(await page.locator("#wait").isVisible()); attempt += 1) {
    assert.ok(attempt < 20, "no limit");
    // All at once: on a slow machine the first would be forgotten before the last.
    await Promise.all(Array.from({ length: 4 }, attempted));
    await coupon(page, "NOPE");
    await page.locator("#problem").waitFor();
    await at(page, "shop");
  }
  assert.match(await problem(page, "RATE_LIMITED"), /Please wait \d+ seconds?\./);
  await until("the meter is empty", async () => (await meter.textContent()).startsWith("0 of "));
  assert.equal(await page.locator("#apply-coupon").getAttribute("aria-disabled"), "true");
  const seen = new Set();
  await until("it counts", async () => {
    seen.add(
      await page
        .locator("#wait")
        .textContent()
        .catch(() => ""),
    );
    return seen.size > 2;
  });
  // The rest of the shop goes on meanwhile.
  await page.locator("#status", { hasText: "You may try again now." }).waitFor({ state: "attached" });
  assert.equal(await page.locator("#problem").count(), 0);
  await coupon(page, "SAVE20");
  await page.locator(".tags li", { hasText: "SAVE20" }).waitFor();
  await leave(page);
});

test("Redis stops in the middle of a purchase, which goes on, and comes back", async () => {
  const page = await open();
  const toggle = page.getByRole("switch", { name: "Redis runs" });
  const answers = async () => (await (await fetch(`${STACK}/api/v1/checkout/health`)).json()).status;
  await take(page);
  await page.locator("#cache", { hasText: "cache hit" }).waitFor();
  await toggle.click();
  await page.getByText("Stopped. Buy on: DynamoDB decides.").first().waitFor();
  assert.equal(await answers(), "degraded");
  try {
    await walkToPayment(page);
    await page.locator("#calls-dynamodb", { hasText: /[1-9]\d* calls?/ }).waitFor();
    await buy(page);
    await at(page, "order");
    assert.equal((await call(page, "GET", "/orders")).orders.length, 1);
  } finally {
    if ((await toggle.getAttribute("aria-checked")) === "false") await toggle.click();
  }
  await page.getByText("It holds copies, and counts limits.").first().waitFor();
  await until("the functions are back at Redis", async () => (await answers()) === "ok");
  await leave(page);
});

test("the session's document, its version and the calls are those of the API", async () => {
  const page = await open();
  await take(page, 2);
  await page.locator("#session-version", { hasText: "version 2" }).waitFor();
  await page.locator("#document summary").click();
  const shown = JSON.parse(await page.locator("#document pre").textContent());
  const { expiresAt, shippingMethods, taxBreakdown, ...stored } = await call(
    page,
    "GET",
    `/session/${shown.checkoutId}`,
  );
  delete shown.expiresAt;
  assert.deepEqual(shown, stored);
  await page.locator(".call code", { hasText: "PUT /items" }).waitFor();
  await page.locator("#calls-redis", { hasText: /[1-9]/ }).waitFor();
  await leave(page);
});
