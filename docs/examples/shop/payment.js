// The last step: confirming the order, and what a page does with each answer.

import { call, Problem } from "./api.js";
import { labelled } from "./address.js";
import { h, say } from "./dom.js";
import { money } from "./format.js";
import { cards, text } from "./messages-en.js";
import { act, state } from "./state.js";
import { keep, kept } from "./store.js";

const POLLS = 30;

/** Confirms, and asks again with the same key while the result isn't known. A bank that asks ends it: the shopper goes there. */
async function confirm({ body, key }) {
  say(text.paying);
  try {
    for (let poll = 1; ; poll += 1) {
      const { status, data, retryAfter } = await call("POST", "/confirm-order", body, key);
      const order = data.order ?? data;
      if (status !== 202) {
        keep({ checkoutId: undefined, items: undefined, pending: undefined });
        state.session = undefined;
        state.draft = {};
        location.hash = `order/${order.orderId}`;
        return;
      }
      const { redirectUrl } = order.payment ?? {};
      if (redirectUrl !== undefined) {
        keep({ pending: { body, key, orderId: order.orderId, redirectUrl } });
        location.hash = "payment";
        return;
      }
      if (poll === POLLS) throw new Problem("/confirm-order", 409, { code: "PAYMENT_IN_PROGRESS" });
      await new Promise((wake) => setTimeout(wake, (retryAfter ?? 1) * 1000));
    }
  } catch (error) {
    // What is refused is decided: the next click is a request of its own.
    if (error instanceof Problem && ![0, 503].includes(error.status)) keep({ pending: undefined });
    throw error;
  }
}

/** After a reload, or back from the bank: the same confirmation again. It is one order, however often it is sent. */
export async function goOn() {
  if (kept.pending === undefined) return;
  await confirm(kept.pending);
}

function buy(event) {
  event.preventDefault();
  const typed = Object.fromEntries(new FormData(event.target));
  return act(async () => {
    const { session } = state;
    const { firstName, lastName } = session.shippingAddress ?? {};
    const body = {
      checkoutId: session.checkoutId,
      expectedTotal: session.summary.totalAmount,
      paymentMethod: typed.method === "cash" ? "cash_on_delivery" : "card",
      customerInfo: { email: typed.email, firstName, lastName },
    };
    if (typed.method !== "cash") {
      body.paymentToken = typed.method;
      body.returnUrl = `${location.origin}${location.pathname}#payment`;
    }
    keep({ pending: { body, key: crypto.randomUUID() } });
    await confirm(kept.pending);
    if (kept.pending?.redirectUrl !== undefined) location.assign(kept.pending.redirectUrl);
  }, "/confirm-order");
}

/** Gives up at the bank: the order ends, and the session is open again. */
const giveUp = () =>
  act(async () => {
    await call("POST", `/orders/${kept.pending.orderId}/cancel`, {}, crypto.randomUUID());
    keep({ pending: undefined });
  });

function waiting() {
  return h(
    "section",
    { "aria-labelledby": "step" },
    h("h2", { id: "step", tabindex: "-1" }, text.bankWaits),
    h("p", {}, h("a", { class: "button", href: kept.pending.redirectUrl }, text.toBank)),
    h("p", {}, h("button", { type: "button", class: "quiet", onclick: giveUp }, text.giveUp)),
  );
}

/** The ways to pay. */
export function paymentForm() {
  if (kept.pending?.redirectUrl !== undefined) return waiting();
  const { session, draft } = state;
  const chosen = draft.method ?? "pm_card_visa";
  const way = (value, name, digits) =>
    h(
      "label",
      { class: "offer" },
      h("input", {
        type: "radio",
        name: "method",
        value,
        checked: value === chosen,
        onchange: () => {
          draft.method = value;
        },
      }),
      h("span", {}, name),
      digits && h("span", { class: "digits" }, `•••• ${digits}`),
    );
  const email = labelled("email", text.email, {
    pointer: "/customerInfo/email",
    input: h("input", {
      name: "email",
      type: "email",
      autocomplete: "email",
      value: draft.email ?? "",
      oninput: (event) => {
        draft.email = event.target.value;
      },
    }),
  });
  return h(
    "form",
    { novalidate: true, onsubmit: buy },
    h(
      "fieldset",
      {},
      h("legend", {}, h("h2", { id: "step", tabindex: "-1" }, text.payment)),
      h("p", { class: "hint" }, text.cards),
      Object.entries(cards).map(([token, [name, digits]]) => way(token, name, digits)),
      way("cash", text.cash),
    ),
    email,
    h(
      "button",
      { id: "buy", class: "button", type: "submit", "data-path": "/confirm-order" },
      text.pay(money(session.summary.totalAmount, session.currency)),
    ),
  );
}
