// A card typed into the local Stripe.js, on a page of another origin: docs/examples/card.html as a front end would write it.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { EXAMPLES, STACK, blank, close, elsewhere, leave } from "./shop.js";

after(close);

const STRIPE = process.env.STRIPE_URL;

/** The page, with its Stripe.js and a session. */
async function atCard() {
  const url = await elsewhere(EXAMPLES);
  const page = await blank();
  await page.goto(`${url}/card.html?checkout=${STACK}&stripe=${STRIPE}`);
  await page.locator("button:enabled").waitFor();
  return page;
}

async function pay(page, number, expiry = "12 / 34") {
  await page.getByLabel("Card number").fill(number);
  await page.getByLabel("Expiration").fill(expiry);
  await page.getByLabel("Security code").fill("123");
  await page.getByRole("button", { name: "Pay" }).click();
}

const says = (page, words) => page.locator("[role=status]", { hasText: words }).waitFor();

/** The bank's dialog. */
const decide = (page, answer) =>
  page.getByRole("dialog", { name: "The bank asks" }).getByRole("button", { name: answer }).click();

test("a card that is declined, and one that pays", async () => {
  const page = await atCard();
  await pay(page, "4000 0000 0000 0002");
  await says(page, "the card was declined");
  await pay(page, "4242 4242 4242 4242");
  await says(page, "Paid: order");
  await leave(page);
});

test("a bank that asks: the shopper refuses, and agrees the second time", async () => {
  const page = await atCard();
  await pay(page, "4000 0027 6000 3184");
  await decide(page, "Refuse");
  await page.locator("button:enabled").waitFor();
  assert.ok(!(await page.locator("[role=status]").textContent()).startsWith("Paid"));
  await pay(page, "4000 0027 6000 3184");
  await decide(page, "Pay");
  await says(page, "Paid: order");
  await leave(page);
});

test("a bank agrees, and the card is declined after that", async () => {
  const page = await atCard();
  await pay(page, "4000 0084 0000 1629");
  await decide(page, "Pay");
  await says(page, "declined");
  await leave(page);
});

test("what isn't a card is said before anybody is asked", async () => {
  const page = await atCard();
  for (const [number, expiry, words] of [
    ["4242", "12 / 34", "Your card number is incomplete."],
    ["4242 4242 4242 4241", "12 / 34", "Your card number is invalid."],
    ["4242 4242 4242 4242", "13 / 34", "Your card's expiration month is invalid."],
    ["4242 4242 4242 4242", "12 / 20", "Your card's expiration year is in the past."],
  ]) {
    await pay(page, number, expiry);
    await says(page, words);
    await page.locator("button:enabled").waitFor();
  }
  await leave(page);
});

test("a confirmation token, and an intent for nobody without its secret", async () => {
  const page = await atCard();
  const { confirmationToken, error } = await page.evaluate(() =>
    Stripe("pk_test_local").createConfirmationToken({
      card: { number: "4242424242424242", exp_month: 12, exp_year: 2034, cvc: "123" },
      params: { return_url: location.href },
    }),
  );
  assert.equal(error, undefined);
  assert.match(confirmationToken.id, /^ctoken_/);
  const stranger = await page.evaluate(() => Stripe("pk_test_local").retrievePaymentIntent("pi_1_secret_2"));
  assert.ok(stranger.error !== undefined && stranger.paymentIntent === undefined);
  await assert.rejects(page.evaluate(() => Stripe("sk_test_secret")), /publishable key/);
  await leave(page);
});
