// The steps between cart and payment: the address with the country's own fields, and the delivery.

import { h } from "./dom.js";
import { day, money } from "./format.js";
import { fault, field, text } from "./messages-en.js";
import { act, change, readSession, region, state } from "./state.js";
import { kept } from "./store.js";

const AUTOCOMPLETE = {
  firstName: "given-name",
  lastName: "family-name",
  company: "organization",
  addressLine1: "address-line1",
  addressLine2: "address-line2",
  city: "address-level2",
  state: "address-level1",
  postalCode: "postal-code",
  phone: "tel",
};

/** The fault of a field, by the pointer of the problem. */
export const faultOf = (pointer) => state.problem?.errors?.find((error) => error.pointer === pointer);

/** A labelled field. Its fault and its hint belong to it. */
export function labelled(id, label, { pointer, hint, isOptional, input }) {
  const error = faultOf(pointer);
  const describedBy = [error && `${id}-fault`, hint && `${id}-hint`].filter(Boolean).join(" ");
  if (error) input.setAttribute("aria-invalid", "true");
  if (describedBy !== "") input.setAttribute("aria-describedby", describedBy);
  if (!isOptional) input.setAttribute("aria-required", "true");
  input.id = id;
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label, isOptional && h("small", {}, ` (${text.optional})`)),
    input,
    hint && h("p", { class: "hint", id: `${id}-hint` }, hint),
    error && h("p", { class: "fault", id: `${id}-fault` }, fault(error, label)),
  );
}

function addressField(one, { postalCode, states }) {
  const { field: name, required } = one;
  const before = state.draft[name] ?? state.session?.shippingAddress?.[name] ?? "";
  const typed = (event) => {
    state.draft[name] = event.target.value;
  };
  const input =
    name === "state" && states !== undefined
      ? h(
          "select",
          { name, autocomplete: AUTOCOMPLETE[name], onchange: typed },
          h("option", { value: "" }, text.choose),
          states.map(({ code, name: of }) => h("option", { value: code, selected: code === before }, of)),
        )
      : h("input", { name, autocomplete: AUTOCOMPLETE[name] ?? "off", oninput: typed, value: before });
  const hint = name === "postalCode" && postalCode !== undefined ? text.example(postalCode.example) : undefined;
  return labelled(`address-${name}`, field(one), {
    pointer: `/shippingAddress/${name}`,
    hint,
    isOptional: !required,
    input,
  });
}

/** The form of the chosen country's address. */
export function addressForm() {
  const here = region();
  const submit = (event) => {
    event.preventDefault();
    const typed = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value !== ""));
    return act(async () => {
      await change("PUT", "/address", { shippingAddress: { ...typed, country: kept.country } });
      await readSession();
      location.hash = "delivery";
    });
  };
  return h(
    "form",
    { class: "fields", novalidate: true, onsubmit: submit, "aria-labelledby": "step" },
    h("h2", { id: "step", tabindex: "-1" }, text.address),
    here?.addressFields.map((one) => addressField(one, here)),
    h("button", { class: "button", type: "submit" }, text.toDelivery),
  );
}

/** The offers of delivery. */
export function deliveryForm() {
  const { session } = state;
  const offers = session.shippingMethods ?? [];
  const chosen = state.draft.delivery ?? session.shippingMethod?.shippingMethodId ?? offers[0]?.shippingMethodId;
  const submit = (event) => {
    event.preventDefault();
    const shippingMethodId = new FormData(event.target).get("method");
    state.draft.delivery = shippingMethodId;
    return act(async () => {
      await change("POST", "/calculate-shipping", { shippingMethodId });
      await readSession();
      location.hash = "payment";
    }, "/calculate-shipping");
  };
  const offer = ({ shippingMethodId, name, amount, deliveryDays, estimatedDelivery }) =>
    h(
      "label",
      { class: "offer" },
      h("input", { type: "radio", name: "method", value: shippingMethodId, checked: shippingMethodId === chosen }),
      h(
        "span",
        {},
        h("strong", {}, name),
        h(
          "small",
          {},
          estimatedDelivery
            ? text.between(day(estimatedDelivery.earliest), day(estimatedDelivery.latest))
            : deliveryDays && text.days(deliveryDays),
        ),
      ),
      h("span", { class: "amount" }, amount === 0 ? text.free : money(amount, session.currency)),
    );
  return h(
    "form",
    { novalidate: true, onsubmit: submit },
    h("fieldset", {}, h("legend", {}, h("h2", { id: "step", tabindex: "-1" }, text.delivery)), offers.map(offer)),
    h("button", { class: "button", type: "submit", "data-path": "/calculate-shipping" }, text.toPayment),
  );
}
