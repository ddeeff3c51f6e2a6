// The first step: products, and the cart.

import { call } from "./api.js";
import { h, say } from "./dom.js";
import { money } from "./format.js";
import { text } from "./messages-en.js";
import { act, change, putItems, region, state } from "./state.js";
import { keep, kept } from "./store.js";

/** The products in the shopper's currency. */
export async function loadProducts() {
  const products = [];
  let cursor = "";
  do {
    const { data } = await call("GET", `/products?currency=${kept.currency}${cursor}`);
    products.push(...data.products);
    cursor = data.nextCursor && `&cursor=${encodeURIComponent(data.nextCursor)}`;
  } while (cursor);
  state.products = products;
}

/** Delivers to another country; where its currency is another, by a new session with what is sold in it. */
export async function chooseRegion(country, currency) {
  const before = kept.currency;
  const { currencies } = state.regions.find((one) => one.country === country);
  const wanted = currency ?? (currencies.includes(before) ? before : currencies[0]);
  const items = state.session?.items ?? [];
  keep({ country, currency: wanted });
  state.draft = {};
  if (wanted === before) return;
  await loadProducts();
  keep({ checkoutId: undefined });
  state.session = undefined;
  const isSold = ({ productId, variantId }) => {
    const product = state.products.find((one) => one.productId === productId);
    return (
      product !== undefined && (variantId === undefined || product.variants?.some((one) => one.variantId === variantId))
    );
  };
  await putItems(items.filter(isSold));
}

/** The two choices in the header. */
export function places() {
  const here = region();
  const select = (id, label, options, chosen, choose) =>
    h(
      "label",
      { class: "choice" },
      h("span", {}, label),
      h(
        "select",
        { id, onchange: (event) => act(() => choose(event.target.value)) },
        options.map(([value, name]) => h("option", { value, selected: value === chosen }, name)),
      ),
    );
  return [
    select(
      "country",
      text.deliverTo,
      state.regions.map(({ country, name }) => [country, name]),
      kept.country,
      (country) => chooseRegion(country),
    ),
    here?.currencies.length > 1 &&
      select(
        "currency",
        text.currency,
        here.currencies.map((code) => [code, code]),
        kept.currency,
        (currency) => chooseRegion(kept.country, currency),
      ),
  ];
}

function availability(offer) {
  if (offer.availability === "sold_out") return text.soldOut;
  if (offer.availability === "backorder") return text.backorder(offer.availableInDays);
  return "";
}

function add(product, variantId) {
  return act(
    async () => {
      const items = [...(state.session?.items ?? [])];
      const at = items.findIndex((item) => item.productId === product.productId && item.variantId === variantId);
      const least = product.minPerOrder ?? 1;
      if (at < 0) items.push({ productId: product.productId, variantId, quantity: least });
      else items[at] = { ...items[at], quantity: items[at].quantity + 1 };
      await putItems(items);
      say(text.added(product.name));
    },
    kept.checkoutId === undefined ? "/initiate" : "/items",
  );
}

function card(product) {
  const { productId, name, variants } = product;
  const chosen = variants?.find((one) => one.variantId === state.draft[`variant-${productId}`]) ?? variants?.[0];
  const offer = chosen ?? product;
  const isSoldOut = offer.availability === "sold_out";
  return h(
    "li",
    { class: "product" },
    h("h3", {}, name),
    h(
      "p",
      { class: "price" },
      h(
        "span",
        {},
        money(offer.price, kept.currency),
        offer.usualPrice && h("s", {}, money(offer.usualPrice, kept.currency)),
      ),
      h("small", {}, availability(offer)),
    ),
    h(
      "div",
      { class: "actions" },
      variants !== undefined &&
        h(
          "select",
          {
            id: `variant-${productId}`,
            "aria-label": text.variant(name),
            onchange: (event) =>
              act(async () => {
                state.draft[`variant-${productId}`] = event.target.value;
              }),
          },
          variants.map((one) => h("option", { value: one.variantId, selected: one === chosen }, one.name)),
        ),
      !isSoldOut &&
        h(
          "button",
          {
            id: `add-${productId}`,
            type: "button",
            "aria-label": text.addNamed(name),
            onclick: () => add(product, chosen?.variantId),
          },
          text.add,
        ),
    ),
  );
}

/** The products. */
export const shelf = () =>
  h(
    "section",
    { "aria-labelledby": "products" },
    h("h2", { id: "products", tabindex: "-1" }, text.products),
    h("ul", { class: "products" }, state.products.map(card)),
  );

function quantity(item, step) {
  return act(() =>
    putItems(state.session.items.map((one) => (one === item ? { ...one, quantity: one.quantity + step } : one))),
  );
}

/** A line of the cart; `edits` with what changes it. */
export function line(item, edits) {
  const { currency } = state.session;
  const name = item.variantId === undefined ? item.name : `${item.name}, ${item.variantName ?? item.variantId}`;
  const id = `${item.productId}-${item.variantId ?? ""}`;
  return h(
    "li",
    { class: "line" },
    h("span", { class: "what" }, edits ? name : `${item.quantity} × ${name}`),
    edits &&
      h(
        "span",
        { class: "quantity" },
        h(
          "button",
          {
            id: `less-${id}`,
            type: "button",
            "aria-label": text.less(name),
            disabled: item.quantity <= 1,
            onclick: () => quantity(item, -1),
          },
          "−",
        ),
        h("span", {}, String(item.quantity)),
        h(
          "button",
          { id: `more-${id}`, type: "button", "aria-label": text.more(name), onclick: () => quantity(item, 1) },
          "+",
        ),
      ),
    h("span", { class: "amount" }, money(item.subtotal, currency)),
    edits &&
      h(
        "button",
        {
          class: "quiet",
          type: "button",
          "aria-label": text.removeNamed(name),
          onclick: () => act(() => putItems(state.session.items.filter((one) => one !== item))),
        },
        text.remove,
      ),
  );
}

/** The form for a coupon, and those that are on. */
export function coupons() {
  const error = state.problem?.code.startsWith("COUPON_") ? "problem" : undefined;
  const apply = (event) => {
    event.preventDefault();
    const code = new FormData(event.target).get("coupon").trim();
    return act(async () => {
      state.draft.coupon = code;
      await change("POST", "/apply-coupon", { couponCode: code });
      state.draft.coupon = "";
      say(text.couponOn(code));
    }, "/apply-coupon");
  };
  const remove = (code) =>
    act(async () => {
      await change("POST", "/remove-coupon", { couponCode: code });
      say(text.couponOff(code));
    });
  return [
    h(
      "form",
      { class: "coupon", novalidate: true, onsubmit: apply },
      h("label", { for: "coupon" }, text.coupon),
      h("input", {
        id: "coupon",
        name: "coupon",
        autocomplete: "off",
        autocapitalize: "characters",
        spellcheck: "false",
        value: state.draft.coupon ?? "",
        "aria-invalid": error && "true",
        "aria-describedby": error,
      }),
      h("button", { id: "apply-coupon", type: "submit", "data-path": "/apply-coupon" }, text.apply),
    ),
    h(
      "ul",
      { class: "tags" },
      (state.session.coupons ?? []).map(({ couponCode }) =>
        h(
          "li",
          {},
          couponCode,
          h(
            "button",
            {
              class: "quiet",
              type: "button",
              "aria-label": text.removeCoupon(couponCode),
              onclick: () => remove(couponCode),
            },
            "×",
          ),
        ),
      ),
    ),
  ];
}
