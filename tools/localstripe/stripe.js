// SPDX-License-Identifier: GPL-3.0-or-later
// The Stripe.js of `make dev`: the calls that a store front makes, answered by the local Stripe as Stripe answers them.
// Numbers of https://docs.stripe.com/testing only; a page of real cards loads https://js.stripe.com instead.
//
// https://docs.stripe.com/js: elements, createPaymentMethod, createConfirmationToken, handleNextAction, retrievePaymentIntent.

(() => {
  const base = new URL(document.currentScript.src).origin;

  /** The nested members of an object as Stripe's forms have them: `card[number]`. */
  function form(value, name = "", into = new URLSearchParams()) {
    for (const [key, inner] of Object.entries(value ?? {})) {
      if (inner === undefined) continue;
      const path = name === "" ? key : `${name}[${key}]`;
      if (typeof inner === "object") form(inner, path, into);
      else into.append(path, inner);
    }
    return into;
  }

  /** A call that never throws: `{ value }`, or `{ error }` as Stripe.js gives it. */
  async function ask(method, path, data) {
    try {
      const body = form(data);
      const url = method === "GET" ? `${base}${path}?${body}` : `${base}${path}`;
      const response = await fetch(url, { method, body: method === "GET" ? undefined : body });
      const value = await response.json();
      return value.error === undefined ? { value } : { error: value.error };
    } catch (error) {
      return { error: { type: "api_connection_error", message: String(error) } };
    }
  }

  const invalid = (code, message) => ({ type: "validation_error", code, message });

  /** Whether a number can be a card's: its last digit depends on all others. */
  function isCard(number) {
    const digits = [...number].reverse().map(Number);
    const sum = digits.reduce((sum, digit, at) => sum + (at % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0)), 0);
    return number.length === 16 && sum % 10 === 0;
  }

  /** Three inputs for a card: the `card` Element, and the `payment` Element of a shop that takes cards only. */
  class Element extends EventTarget {
    constructor(type) {
      super();
      this.type = type;
      this.node = document.createElement("div");
      this.inputs = {};
      for (const [name, label, autocomplete, placeholder] of [
        ["number", "Card number", "cc-number", "1234 1234 1234 1234"],
        ["expiry", "Expiration", "cc-exp", "MM / YY"],
        ["cvc", "Security code", "cc-csc", "CVC"],
      ]) {
        const input = Object.assign(document.createElement("input"), { name, autocomplete, placeholder, inputMode: "numeric" });
        input.addEventListener("input", () => {
          const error = this.error();
          const empty = Object.values(this.inputs).every((input) => input.value === "");
          this.dispatchEvent(new CustomEvent("change", { detail: { complete: error === undefined, empty, error } }));
        });
        const holder = document.createElement("label");
        holder.append(label, " ", input);
        this.node.append(holder);
        this.inputs[name] = input;
      }
    }

    mount(place) {
      const parent = typeof place === "string" ? document.querySelector(place) : place;
      if (parent === null) throw new Error(`no element fits ${place}`);
      parent.replaceChildren(this.node);
      queueMicrotask(() => this.dispatchEvent(new CustomEvent("ready", { detail: {} })));
    }

    unmount() {
      this.node.remove();
    }

    destroy() {
      this.unmount();
    }

    on(name, handler) {
      this.addEventListener(name, (event) => handler({ elementType: this.type, ...event.detail }));
      return this;
    }

    focus() {
      this.inputs.number.focus();
    }

    clear() {
      for (const input of Object.values(this.inputs)) input.value = "";
    }

    card() {
      const digits = (name) => this.inputs[name].value.replace(/\D/g, "");
      const expiry = digits("expiry");
      return { number: digits("number"), exp_month: expiry.slice(0, 2), exp_year: expiry.slice(2), cvc: digits("cvc") };
    }

    /** What keeps this from being a card; undefined if nothing does. */
    error() {
      const { number, exp_month, exp_year, cvc } = this.card();
      const year = exp_year.length === 2 ? 2000 + Number(exp_year) : Number(exp_year);
      const now = new Date();
      if (number.length < 16) return invalid("incomplete_number", "Your card number is incomplete.");
      if (!isCard(number)) return invalid("invalid_number", "Your card number is invalid.");
      if (exp_year.length < 2) return invalid("incomplete_expiry", "Your card's expiration date is incomplete.");
      if (!(exp_month >= 1 && exp_month <= 12)) return invalid("invalid_expiry_month", "Your card's expiration month is invalid.");
      if (year * 12 + Number(exp_month) < now.getFullYear() * 12 + now.getMonth() + 1) {
        return invalid("invalid_expiry_year_past", "Your card's expiration year is in the past.");
      }
      if (cvc.length !== 3) return invalid("incomplete_cvc", "Your card's security code is incomplete.");
      return undefined;
    }
  }

  class Elements {
    constructor() {
      this.made = new Map();
    }

    create(type) {
      if (!["card", "payment"].includes(type)) throw new Error(`the local Stripe.js has no Element of type ${type}`);
      if (this.made.has(type)) throw new Error(`Can only create one Element of type ${type} per Elements instance.`);
      this.made.set(type, new Element(type));
      return this.made.get(type);
    }

    getElement(type) {
      return this.made.get(type) ?? null;
    }

    fetchUpdates() {
      return Promise.resolve({});
    }

    update() {}

    submit() {
      const [element] = this.made.values();
      const error = element?.error();
      return Promise.resolve(error === undefined ? { selectedPaymentMethod: "card" } : { error });
    }
  }

  /** The bank's page, as a dialog of this page. */
  function bank() {
    return new Promise((decide) => {
      const dialog = document.createElement("dialog");
      const title = Object.assign(document.createElement("h2"), { id: "local-stripe-bank", textContent: "The bank asks" });
      dialog.setAttribute("aria-labelledby", title.id);
      const button = (text, agrees) => {
        const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
        made.addEventListener("click", () => {
          dialog.remove();
          decide(agrees);
        });
        return made;
      };
      dialog.addEventListener("cancel", () => {
        dialog.remove();
        decide(false);
      });
      dialog.append(title, button("Pay", true), " ", button("Refuse", false));
      document.body.append(dialog);
      dialog.showModal();
    });
  }

  const refused = {
    type: "invalid_request_error",
    code: "payment_intent_authentication_failure",
    message: "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
  };

  window.Stripe = (key) => {
    if (!String(key).startsWith("pk_")) throw new Error("Stripe() needs a publishable key: pk_…");

    /** The payment method data of `{ elements }`, or of `{ type, card }` with an Element or test data in `card`. */
    function described({ elements, type = "card", card, params, billing_details = params?.billing_details }) {
      const element = elements === undefined ? card : elements.made.values().next().value;
      if (!(element instanceof Element)) return { data: { type, card, billing_details } };
      const error = element.error();
      return error === undefined ? { data: { type, card: element.card(), billing_details } } : { error };
    }

    return {
      elements: () => new Elements(),

      async createPaymentMethod(options) {
        const { data, error } = described(options);
        if (error !== undefined) return { error };
        const made = await ask("POST", "/v1/payment_methods", { key, ...data });
        return made.error === undefined ? { paymentMethod: made.value } : made;
      },

      async createConfirmationToken(options) {
        const { data, error } = described(options);
        if (error !== undefined) return { error };
        const return_url = options.params?.return_url;
        const made = await ask("POST", "/v1/confirmation_tokens", { key, return_url, payment_method_data: data });
        return made.error === undefined ? { confirmationToken: made.value } : made;
      },

      async retrievePaymentIntent(clientSecret) {
        const id = clientSecret.split("_secret")[0];
        const found = await ask("GET", `/v1/payment_intents/${id}`, { key, client_secret: clientSecret });
        return found.error === undefined ? { paymentIntent: found.value } : found;
      },

      async handleNextAction({ clientSecret }) {
        const known = await this.retrievePaymentIntent(clientSecret);
        if (known.error !== undefined || known.paymentIntent.status !== "requires_action") return known;
        const { next_action: next } = known.paymentIntent;
        if (next?.type === "redirect_to_url") {
          window.location.assign(next.redirect_to_url.url);
          return new Promise(() => {});
        }
        const success = await bank();
        const asked = await ask("POST", `/v1/payment_intents/${known.paymentIntent.id}/_authenticate`, {
          key,
          client_secret: clientSecret,
          success,
        });
        if (asked.error !== undefined) return asked;
        if (!success) return { error: { ...refused, payment_intent: asked.value } };
        if (asked.value.status === "requires_payment_method") {
          return { error: { ...(asked.value.last_payment_error ?? refused), payment_intent: asked.value } };
        }
        return { paymentIntent: asked.value };
      },
    };
  };
})();
