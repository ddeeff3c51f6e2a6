// Takes the pictures of the documents, of a running stack's shop.

import { mkdirSync } from "node:fs";
import { at, buy, close, open, take, until, walkToPayment } from "./shop.js";

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
const shoot = (page, name) => page.screenshot({ path: `${folder}/${name}.png` });

async function coupon(page) {
  await page.locator("#coupon").fill("SAVE20");
  await page.locator("#apply-coupon").click();
  await page.locator(".tags li").waitFor();
  await at(page, "shop");
}

const page = await open({ viewport: { width: 1240, height: 800 } });
await take(page);
await coupon(page);
await walkToPayment(page);
await buy(page);
await at(page, "order");
await page.getByRole("link", { name: "Shop again" }).click();
await at(page, "shop");
await take(page);
await coupon(page);
await walkToPayment(page);
// What is told of the order comes by its stream.
await page.locator(".orders li", { hasText: "paid" }).waitFor();
await page.locator("#cache").waitFor();
await page.evaluate(() => document.activeElement.blur());
await shoot(page, "shop");

const phone = await open({ viewport: { width: 390, height: 780 }, colorScheme: "dark", deviceScaleFactor: 1.5 });
await take(phone);
await coupon(phone);
await phone.evaluate(() => {
  document.activeElement.blur();
  scrollTo(0, document.querySelector(".summary").offsetTop - 24);
});
await until("the picture's place", () => phone.evaluate(() => scrollY > 0));
await shoot(phone, "shop-phone-dark");
await close();
