// Purchases in a real browser: by keyboard alone, with cards that don't pay at once, reloaded, in two tabs.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  ADA,
  at,
  buy,
  call,
  choose,
  close,
  leave,
  open,
  openAtPayment,
  problem,
  take,
  total,
  until,
  write,
} from "./shop.js";

after(close);

/** Presses Tab until this has the focus. */
async function tabTo(page, selector) {
  for (let presses = 0; presses < 60; presses += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`the keyboard doesn't reach ${selector}`);
}

test("a purchase by keyboard alone, with a coupon, to an order that is cancelled", async () => {
  const page = await open();
  await tabTo(page, "#add-espresso-beans");
  await page.keyboard.press("Enter");
  await page.locator(".line").waitFor();
  await at(page, "shop");
  await tabTo(page, "#more-espresso-beans-");
  await page.keyboard.press("Enter");
  await page.locator(".quantity span", { hasText: "2" }).waitFor();
  await at(page, "shop");
  await tabTo(page, "#coupon");
  await page.keyboard.type("SAVE20");
  await page.keyboard.press("Enter");
  await page.locator(".tags li", { hasText: "SAVE20" }).waitFor();
  await at(page, "shop");
  await tabTo(page, 'a.button[href="#address"]');
  await page.keyboard.press("Enter");
  await at(page, "address");
  // Each step begins at its heading.
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Where shall we deliver?");
  for (const [name, value] of Object.entries(ADA)) {
    await tabTo(page, `#address-${name}`);
    await page.keyboard.type(name === "state" ? "California" : value);
  }
  await page.keyboard.press("Enter");
  await at(page, "delivery");
  await tabTo(page, "input[name=method]");
  await page.keyboard.press("ArrowDown");
  await tabTo(page, "button[type=submit]");
  await page.keyboard.press("Enter");
  await at(page, "payment");
  assert.equal(await total(page), "$49.30");
  await page.locator("#cents summary").press("Enter");
  const cents = await page.locator("#cents li .amount").allTextContents();
  assert.equal(cents.reduce((sum, cent) => sum + Number(cent.replace("$", "")), 0).toFixed(2), "49.30");
  await tabTo(page, "#email");
  await page.keyboard.type("ada@example.com");
  await tabTo(page, "#buy");
  await page.keyboard.press("Enter");
  await at(page, "order");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Thank you. Your order is confirmed.");
  assert.match(await page.locator(".history").textContent(), /confirmed.*Payment: paid|Payment: paid.*confirmed/);
  // What lives behind knows of it.
  const number = (await page.locator(".number").textContent()).replace("Order ", "");
  await page.locator(".orders li", { hasText: number }).filter({ hasText: "confirmed" }).waitFor();
  await page.locator(".events li", { hasText: "placed" }).first().waitFor();
  await tabTo(page, ".order button");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Your order is cancelled." }).waitFor();
  await page.locator(".history", { hasText: "Payment: refunded" }).waitFor();
  await leave(page);
});

test("an address that isn't one says so at its fields", async () => {
  const page = await open();
  await take(page, 1);
  await page.getByRole("link", { name: "Continue to address" }).click();
  await at(page, "address");
  await write(page, { firstName: "Ada", addressLine1: "1 Main St", city: "Los Angeles", state: "CA", postalCode: "9" });
  await page.getByRole("button", { name: "Continue to delivery" }).click();
  assert.match(await problem(page, "VALIDATION_FAILED"), /One thing needs your attention/);
  const code = page.locator("#address-postalCode");
  assert.equal(await code.getAttribute("aria-invalid"), "true");
  const described = (await code.getAttribute("aria-describedby")).split(" ")[0];
  assert.match(await page.locator(`#${described}`).textContent(), /ZIP code must be a postal code of US/);
  await page.locator("#problem a").click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "address-postalCode");
  assert.equal(await page.locator("#address-city").inputValue(), "Los Angeles");
  await leave(page);
});

test("a country has its own fields and its own money", async () => {
  const page = await open();
  await take(page, 1);
  await page.locator("#country").selectOption("JP");
  await page.locator("#currency").selectOption("JPY");
  await page.locator(".product .price", { hasText: "¥2,980" }).waitFor();
  await at(page, "shop");
  assert.equal(await page.locator(".sums .total dd").textContent(), "¥2,980");
  await page.getByRole("link", { name: "Continue to address" }).click();
  await at(page, "address");
  await page.getByLabel("Prefecture").waitFor();
  await leave(page);
});

test("a declined card charges nothing, and another card buys", async () => {
  const page = await openAtPayment();
  await choose(page, "pm_card_chargeCustomerFail");
  await buy(page);
  assert.match(await problem(page, "PAYMENT_DECLINED"), /Nothing was charged/);
  assert.equal(await page.evaluate(() => document.activeElement.id), "problem");
  assert.equal(await page.locator("#email").inputValue(), "ada@example.com");
  await choose(page, "pm_card_visa");
  await buy(page);
  await at(page, "order");
  await leave(page);
});

test("a bank that asks: refused, then answered", async () => {
  const page = await openAtPayment();
  await choose(page, "pm_card_authenticationRequired");
  await buy(page);
  await page.getByRole("link", { name: "Refuse" }).click();
  await problem(page, "PAYMENT_DECLINED");
  await at(page, "payment");
  await page.locator("#email").fill("ada@example.com");
  await choose(page, "pm_card_threeDSecureRequiredChargeDeclined");
  await buy(page);
  await page.getByRole("link", { name: "Pay" }).click();
  await problem(page, "PAYMENT_DECLINED");
  await page.locator("#email").fill("ada@example.com");
  await choose(page, "pm_card_authenticationRequired");
  await buy(page);
  await page.getByRole("link", { name: "Pay" }).click();
  await at(page, "order");
  await page.locator(".history", { hasText: "Payment: paid" }).waitFor();
  await leave(page);
});

test("who comes back from the bank without an answer goes there again, or pays in another way", async () => {
  const page = await openAtPayment();
  await choose(page, "pm_card_authenticationRequired");
  await buy(page);
  await page.getByRole("link", { name: "Refuse" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Your bank waits for your answer." }).waitFor();
  await at(page, "payment");
  assert.match(await page.getByRole("link", { name: "Go to the bank's page" }).getAttribute("href"), /_pay/);
  await page.getByRole("button", { name: "Pay in another way" }).click();
  await page.locator("#email").fill("ada@example.com");
  await choose(page, "pm_card_visa");
  await buy(page);
  await at(page, "order");
  await leave(page);
});

test("a reload goes on where the shopper was, and an answer that was lost is one order", async () => {
  const page = await openAtPayment();
  const before = await total(page);
  await page.reload();
  await at(page, "payment");
  assert.equal(await total(page), before);
  await page.locator("#email").fill("ada@example.com");
  let sent = 0;
  await page.route("**/confirm-order", async (route) => {
    await route.fetch();
    sent += 1;
    // The reload may have ended it already.
    await route.abort().catch(() => {});
  });
  await buy(page);
  await until("the confirmation was sent", () => sent > 0);
  await page.unroute("**/confirm-order");
  await page.reload();
  await at(page, "order");
  assert.equal((await call(page, "GET", "/orders")).orders.length, 1);
  await leave(page);
});

test("two tabs on one session: who buys by an old total is shown the new one", async () => {
  const page = await openAtPayment();
  const other = await page.context().newPage();
  await other.goto(page.url().replace("#payment", "#shop"));
  await other.locator("#more-espresso-beans-").click();
  await other.locator(".quantity span", { hasText: "3" }).waitFor();
  await buy(page);
  assert.match(await problem(page, "TOTAL_CHANGED"), /\$70\.31/);
  assert.equal(await total(page), "$70.31");
  await buy(page);
  await at(page, "order");
  assert.equal(await total(page), "$70.31");
  // The other tab learns of the order when it tries to change the cart.
  await other.locator("#more-espresso-beans-").click();
  await at(other, "order");
  await leave(page);
});
