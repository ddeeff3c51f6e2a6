// The page: which step is shown, and what a reload goes on with. The calls are those of docs/STORE-FRONT.md.

import { addressForm, deliveryForm } from "./address.js";
import { call, isAtHome } from "./api.js";
import { watch } from "./behind.js";
import { chooseRegion, loadProducts, places, shelf } from "./cart.js";
import { fill, h, say } from "./dom.js";
import { steps, text } from "./messages-en.js";
import { orderPage, readOrder } from "./order.js";
import { goOn, paymentForm } from "./payment.js";
import { act, drawsBy, problemText, readSession, redraw, secondsToWait, state } from "./state.js";
import { keep, kept } from "./store.js";
import { summary } from "./summary.js";

const header = document.getElementById("header");
const main = document.getElementById("main");

/** The step of the address bar, or the first that is possible. */
function step() {
  const name = location.hash.slice(1).split("/")[0];
  if (name === "order") return state.order === undefined ? "wait" : "order";
  if (state.session === undefined || !(name in steps)) return "shop";
  if (name !== "address" && name !== "shop" && state.session.shippingAddress === undefined) return "address";
  return name === "payment" && state.session.shippingMethod === undefined ? "delivery" : name;
}

const views = {
  wait: () => h("p", { class: "hint" }, text.loading),
  shop: () => [shelf(), summary(true)],
  address: () => [addressForm(), summary(false)],
  delivery: () => [deliveryForm(), summary(false)],
  payment: () => [paymentForm(), summary(false)],
  order: orderPage,
};

/** The problem, where it is seen and heard. Its seconds are no announcement each. */
function problem() {
  if (state.problem === undefined) return undefined;
  const wait = secondsToWait(state.problem.path);
  const fields = (state.problem.errors ?? [])
    .map(({ pointer }) => document.getElementById(idOf(pointer)))
    .filter(Boolean);
  return h(
    "div",
    { id: "problem", class: "problem", role: "alert", tabindex: "-1", "data-code": state.problem.code },
    h("p", {}, problemText(), " ", wait > 0 && h("span", { id: "wait", role: "timer" }, text.wait(wait))),
    fields.length > 0 &&
      h(
        "ul",
        {},
        fields.map((input) =>
          h(
            "li",
            {},
            h(
              "a",
              {
                href: `#${input.id}`,
                onclick: (event) => {
                  event.preventDefault();
                  document.getElementById(input.id)?.focus();
                },
              },
              document.getElementById(`${input.id}-fault`)?.textContent ?? input.id,
            ),
          ),
        ),
      ),
  );
}

const idOf = (pointer) =>
  pointer === "/customerInfo/email" ? "email" : pointer.replace("/shippingAddress/", "address-");

function draw() {
  const now = step();
  const names = Object.keys(steps);
  fill(
    header,
    h(
      "div",
      { class: "brand" },
      h("h1", {}, h("a", { href: "#shop" }, text.shopName)),
      h("div", { class: "choices" }, places()),
    ),
    now !== "order" &&
      h(
        "nav",
        { "aria-label": text.stepsLabel },
        h(
          "ol",
          { class: "steps" },
          names.map((name) =>
            h(
              "li",
              {},
              names.indexOf(name) < names.indexOf(now)
                ? h("a", { href: `#${name}` }, steps[name])
                : h("span", { "aria-current": name === now ? "step" : undefined }, steps[name]),
            ),
          ),
        ),
      ),
  );
  fill(main, views[now]());
  const shown = problem();
  if (shown !== undefined) main.prepend(shown);
  main.setAttribute("aria-busy", String(state.busy));
  document.body.dataset.step = now;
  for (const button of main.querySelectorAll("button, a.button")) {
    if (state.busy || secondsToWait(button.dataset.path) > 0) button.setAttribute("aria-disabled", "true");
  }
}

/** Another step: the focus goes to its heading, so that a keyboard and a screen reader go on there. */
async function arrive() {
  const [name, id] = location.hash.slice(1).split("/");
  if (name === "order" && state.order?.orderId !== id) {
    state.order = undefined;
    redraw();
    await readOrder(id);
  }
  if (name !== "order") state.order = undefined;
  state.problem = undefined;
  redraw();
  scrollTo(0, 0);
  const heading = document.querySelector("#step, #products");
  document.title = `${heading?.textContent ?? text.loading} · ${text.shopName}`;
  heading?.focus({ preventScroll: true });
}

async function start() {
  const { data } = await call("GET", "/regions");
  state.regions = data.regions;
  const known =
    data.regions.find(({ country }) => country === kept.country) ??
    data.regions.find(({ country }) => country === "US") ??
    data.regions[0];
  if (kept.currency === undefined || !known.currencies.includes(kept.currency)) await chooseRegion(known.country);
  else {
    keep({ country: known.country });
    await loadProducts();
  }
  // The bank's page has added what it knows; the API knows it better.
  if (location.search !== "") history.replaceState(null, "", location.pathname + location.hash);
  try {
    await goOn();
  } finally {
    if (kept.checkoutId !== undefined) await readSession();
  }
  if (location.hash.startsWith("#order/")) await readOrder(location.hash.split("/")[1]);
}

drawsBy(draw);
addEventListener("hashchange", () => {
  if (state.busy) arrive();
  else act(arrive);
});
// Another window may have changed the session meanwhile.
document.addEventListener("visibilitychange", () => {
  if (document.hidden || kept.checkoutId === undefined || state.busy) return;
  act(async () => {
    const before = state.session?.version;
    await readSession();
    if (state.session?.version !== before) say(text.changed);
  });
});
if (isAtHome) watch();
fill(main, views.wait());
act(start);
