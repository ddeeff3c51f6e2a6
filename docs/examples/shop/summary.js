// What an order costs, and where every cent comes from.

import { coupons, line } from "./cart.js";
import { h } from "./dom.js";
import { money } from "./format.js";
import { text, textOf } from "./messages-en.js";
import { state } from "./state.js";

/** The sums of a session or an order. */
export function sums({ summary, currency, shippingMethod, shippingAddress, orderId }) {
  const amount = (value) => money(value, currency);
  const isOrder = orderId !== undefined;
  const row = (name, value, kind) => h("div", { class: kind }, h("dt", {}, name), h("dd", {}, value));
  return h(
    "dl",
    { class: "sums" },
    row(text.subtotal, amount(summary.subtotal)),
    summary.discountAmount > 0 && row(text.discount, amount(-summary.discountAmount)),
    row(text.shipping, isOrder || shippingMethod ? amount(summary.shippingAmount) : text.unknownYet),
    row(
      summary.taxIncluded ? text.taxIncluded : text.tax,
      isOrder || shippingAddress ? amount(summary.taxAmount) : text.unknownYet,
    ),
    row(text.total, amount(summary.totalAmount), "total"),
  );
}

/** Every entry of `explain`, as it is. */
export const everyCent = ({ explain, currency }) =>
  h(
    "details",
    { class: "cents", id: "cents" },
    h("summary", { id: "cents-summary" }, text.everyCent),
    h(
      "ul",
      {},
      explain.map((entry) =>
        h("li", {}, h("span", {}, entry.text), h("span", { class: "amount" }, money(entry.amount, currency))),
      ),
    ),
  );

/** The cart with its sums. */
export function summary(edits) {
  const { session } = state;
  if (session === undefined) {
    return (
      edits &&
      h(
        "section",
        { class: "summary", "aria-labelledby": "cart" },
        h("h2", { id: "cart" }, text.cart),
        h("p", { class: "hint" }, text.emptyCart),
      )
    );
  }
  return h(
    "section",
    { class: "summary", "aria-labelledby": "cart" },
    h("h2", { id: "cart", tabindex: "-1" }, edits ? text.cart : text.summary),
    h(
      "ul",
      { class: "lines" },
      session.items.map((item) => line(item, edits)),
    ),
    session.problems.length > 0 &&
      h(
        "ul",
        { class: "issues" },
        session.problems.map((issue) => h("li", {}, textOf(issue))),
      ),
    coupons(),
    sums(session),
    everyCent(session),
    edits && h("a", { class: "button", href: "#address" }, text.toAddress),
  );
}
