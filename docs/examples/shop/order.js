// The page of an order: what it is, what has happened, and how to cancel it.

import { call } from "./api.js";
import { h, say } from "./dom.js";
import { clock, money } from "./format.js";
import { status, text } from "./messages-en.js";
import { act, state } from "./state.js";
import { everyCent, sums } from "./summary.js";

const wordOf = (code) => status[code] ?? code;

/** Reads the order of the address bar. */
export async function readOrder(orderId) {
  const { data } = await call("GET", `/orders/${orderId}`);
  state.order = data.order;
}

const cancel = () =>
  act(async () => {
    const { orderId } = state.order;
    await call("POST", `/orders/${orderId}/cancel`, {}, crypto.randomUUID());
    await readOrder(orderId);
    say(text.cancelled);
    document.getElementById("step")?.focus();
  });

function steps(order) {
  const changes = (order.statusHistory ?? []).map(({ status: code, at }) => ({ at, what: wordOf(code) }));
  const payments = (order.payment?.history ?? []).map(({ status: code, at }) => ({
    at,
    what: text.paymentIs(wordOf(code)),
  }));
  return [...changes, ...payments].sort((one, other) => one.at.localeCompare(other.at));
}

/** The order that was read. */
export function orderPage() {
  const { order } = state;
  const isOver = ["cancelled", "refunded", "delivered", "shipped", "returned"].includes(order.status);
  const to = order.shippingAddress;
  const parts = to && [
    [to.firstName, to.lastName],
    [to.addressLine1],
    [to.addressLine2],
    [to.postalCode, to.city],
    [to.state, to.country],
  ];
  return h(
    "article",
    { class: "order", "aria-labelledby": "step" },
    h("p", { class: "number" }, text.order(order.orderNumber)),
    h(
      "h2",
      { id: "step", tabindex: "-1" },
      isOver ? text.orderIs(wordOf(order.status)) : `${text.thanks}. ${text.orderIs(wordOf(order.status))}`,
    ),
    h(
      "ul",
      { class: "lines" },
      order.items.map((item) =>
        h(
          "li",
          { class: "line" },
          h("span", { class: "what" }, `${item.quantity} × ${item.name}`),
          h("span", { class: "amount" }, money(item.subtotal, order.currency)),
        ),
      ),
    ),
    sums(order),
    order.explain && everyCent(order),
    parts &&
      h(
        "section",
        { "aria-labelledby": "to" },
        h("h3", { id: "to" }, text.deliveredTo),
        h(
          "address",
          {},
          parts
            .map((line) => line.filter(Boolean).join(" "))
            .filter(Boolean)
            .map((line) => h("span", {}, line)),
        ),
      ),
    h(
      "section",
      { "aria-labelledby": "history" },
      h("h3", { id: "history" }, text.history),
      h(
        "ol",
        { class: "history" },
        steps(order).map(({ at, what }) => h("li", {}, h("time", { datetime: at }, clock(at)), h("span", {}, what))),
      ),
    ),
    h(
      "p",
      { class: "actions" },
      h("a", { class: "button", href: "#shop" }, text.again),
      !isOver && h("button", { type: "button", class: "quiet", onclick: cancel }, text.cancel),
    ),
  );
}
