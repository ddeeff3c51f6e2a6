// One purchase through the typed client, against the stack of `make dev`: `node built/purchase.js http://127.0.0.1:3001`.

import createClient from "openapi-fetch";
import { patient } from "./retry.js";
import type { components, paths } from "./schema.js";

type Session = components["schemas"]["SessionView"];

const guest = crypto.randomUUID();
const checkout = createClient<paths>({
  baseUrl: process.argv[2] ?? "http://127.0.0.1:3001",
  headers: { "X-Guest-Id": guest },
  fetch: patient,
});

/** The data of an answer; a problem ends the purchase with what a person can read. */
function must<T>({ data, error }: { data?: T; error?: { code: string; detail: string } }): T {
  if (error !== undefined) throw new Error(`${error.code}: ${error.detail}`);
  if (data === undefined) throw new Error("an answer without a body");
  return data;
}

const opened: Session = must(
  await checkout.POST("/api/v1/checkout/initiate", {
    body: { cartItems: [{ productId: "espresso-beans", quantity: 2 }] },
  }),
);
const { checkoutId } = opened;

must(
  await checkout.PUT("/api/v1/checkout/address", {
    body: {
      checkoutId,
      shippingAddress: {
        firstName: "Ada",
        lastName: "Lovelace",
        addressLine1: "1 Main St",
        city: "Los Angeles",
        state: "CA",
        postalCode: "90001",
        country: "US",
      },
    },
  }),
);

// A code tells what went wrong, and the compiler knows its members.
const wrong = await checkout.POST("/api/v1/checkout/apply-coupon", { body: { checkoutId, couponCode: "NO-SUCH-CODE" } });
if (wrong.error?.code !== "COUPON_UNKNOWN") throw new Error(`unexpected: ${JSON.stringify(wrong)}`);

const session: Session = must(
  await checkout.GET("/api/v1/checkout/session/{checkoutId}", { params: { path: { checkoutId } } }),
);
const cheapest = session.shippingMethods?.[0];
if (cheapest === undefined) throw new Error("nothing is sent there");
const { summary } = must(
  await checkout.POST("/api/v1/checkout/calculate-shipping", {
    body: { checkoutId, shippingMethodId: cheapest.shippingMethodId },
  }),
);

const { order } = must(
  await checkout.POST("/api/v1/checkout/confirm-order", {
    body: {
      checkoutId,
      expectedTotal: summary.totalAmount,
      paymentMethod: "cash_on_delivery",
      customerInfo: { email: "ada@example.com", firstName: "Ada", lastName: "Lovelace" },
    },
  }),
);
console.log(`order ${order.orderNumber}: ${order.summary.totalAmount} ${order.currency}, ${order.status}`);
