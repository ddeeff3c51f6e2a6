// Every page for everybody: axe, a phone's width, and the shop on an origin of its own.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { STACK, at, buy, close, elsewhere, leave, open, problem, take, walkToPayment } from "./shop.js";

after(close);

/** Walks through the shop, and looks at each page. */
async function tour(page, look) {
  await take(page, 1);
  await look("cart");
  await page.getByRole("link", { name: "Continue to address" }).click();
  await at(page, "address");
  await page.getByRole("button", { name: "Continue to delivery" }).click();
  await problem(page, "VALIDATION_FAILED");
  await look("address with faults");
  await page.goBack();
  await at(page, "shop");
  await walkToPayment(page);
  await page.locator("#cents summary").click();
  await look("payment");
  await page.goBack();
  await at(page, "delivery");
  await look("delivery");
  await page.goForward();
  await at(page, "payment");
  await buy(page);
  await at(page, "order");
  await page.locator(".orders li").first().waitFor();
  await look("order");
}

test("axe finds nothing on any page, in light and dark", async () => {
  const page = await open();
  await tour(page, async (name) => {
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const axe = new AxeBuilder({ page }).setLegacyMode(true);
      // Only colours differ in the dark.
      if (colorScheme === "dark") axe.withRules(["color-contrast"]);
      const { violations, passes } = await axe.analyze();
      assert.deepEqual(
        violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
        [],
        `${name}, ${colorScheme}`,
      );
      assert.ok(
        passes.some(({ id }) => id === "color-contrast"),
        `${name}, ${colorScheme}: nothing was looked at`,
      );
    }
  });
  await leave(page);
});

test("a phone's width is enough: nothing scrolls sideways", async () => {
  const page = await open({ viewport: { width: 320, height: 640 } });
  await tour(page, async (name) => {
    const { scroll, width } = await page.evaluate(() => ({
      scroll: document.documentElement.scrollWidth,
      width: innerWidth,
    }));
    assert.ok(scroll <= width, `${name}: ${scroll} of ${width}`);
  });
  await leave(page);
});

test("the shop buys from another origin, and what lives behind is not for it", async () => {
  const url = await elsewhere();
  const page = await open({ url });
  await take(page);
  assert.ok(await page.locator("#behind").isHidden());
  await walkToPayment(page);
  await buy(page);
  await at(page, "order");
  const read = (path, options) =>
    page.evaluate(
      async ([target, init]) => {
        const answer = await fetch(target, init).catch(() => undefined);
        return (
          answer && {
            status: answer.status,
            limit: answer.headers.get("X-RateLimit-Remaining"),
            id: answer.headers.get("X-Request-Id"),
          }
        );
      },
      [`${STACK}${path}`, options],
    );
  const allowed = await read("/api/v1/checkout/apply-coupon", {
    method: "HEAD",
    headers: { "X-Guest-Id": crypto.randomUUID() },
  });
  assert.equal(allowed.status, 204);
  assert.ok(allowed.limit !== null && allowed.id !== null, JSON.stringify(allowed));
  // A header and a method that no row of the table has; and what is for the page of `make dev` only.
  assert.equal(await read("/api/v1/checkout/limits", { headers: { "X-Other": "1" } }), undefined);
  assert.equal(await read("/behind"), undefined);
  assert.equal(await read("/behind/redis", { method: "PUT", body: '{"running":false}' }), undefined);
  const { redis } = await (await fetch(`${STACK}/behind`)).json();
  assert.equal(redis.running, true);
  await leave(page);
});
