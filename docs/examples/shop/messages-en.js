// Every text of the shop, in English. To translate it, copy this file: texts are chosen by the API's stable codes, and a code
// that isn't here shows the answer's own `detail`.

import { money } from "./format.js";

/** How many are left, of a problem or of the issue that it names. */
function stock({ available, problems }) {
  const left = available ?? problems?.[0]?.available;
  if (left === undefined) return "There are fewer left than you asked for.";
  return left === 0 ? "It is sold out." : `Only ${left} ${left === 1 ? "is" : "are"} left.`;
}

/** By the code of a problem, with its members. */
export const byCode = {
  NO_ANSWER: () => "The shop can't be reached. Nothing is lost: please try again.",
  VALIDATION_FAILED: ({ errors }) =>
    errors?.length === 1
      ? "One thing needs your attention."
      : `${errors?.length ?? "Some"} things need your attention.`,
  RATE_LIMITED: () => "That was too often.",
  TOO_MANY_DECLINES: () => "Too many cards were declined.",
  SESSION_NOT_FOUND: () => "This cart is gone. Please start a new one.",
  SESSION_EXPIRED: () => "Your cart had expired. Here is a new one with the same items.",
  PRODUCT_NOT_FOUND: () => "This product isn't for sale here.",
  INSUFFICIENT_STOCK: stock,
  OUT_OF_STOCK: (issue) => `Others were faster. ${stock(issue)}`,
  SHIPPING_ADDRESS_REQUIRED: () => "Please tell us where to deliver first.",
  SHIPPING_METHOD_REQUIRED: () => "Please choose how we deliver first.",
  COUPON_UNKNOWN: () => "There is no such coupon.",
  COUPON_EXPIRED: () => "This coupon has expired.",
  COUPON_NOT_STARTED: () => "This coupon isn't valid yet.",
  COUPON_NOT_APPLICABLE: () => "This coupon is for other products than yours.",
  COUPON_MINIMUM_NOT_MET: () => "Your cart is too small for this coupon.",
  COUPON_ALREADY_USED: () => "You have used this coupon already.",
  COUPON_LIMIT_REACHED: () => "This coupon is used up.",
  COUPON_NOT_COMBINABLE: () => "This coupon can't be combined with the one you have.",
  COUPON_SIGN_IN_REQUIRED: () => "This coupon is for accounts.",
  TOTAL_CHANGED: ({ session }) =>
    `The total has changed. It is ${money(session.summary.totalAmount, session.currency)} now: please look, and buy again if you agree.`,
  BACKORDER_CHANGED: () => "Some of it comes later than before. Please look, and buy again if you agree.",
  PAYMENT_DECLINED: () => "The card was declined. Nothing was charged: please choose another card.",
  PAYMENT_IN_PROGRESS: () => "Your payment is on its way. Please try again in a moment.",
  PAYMENTS_UNAVAILABLE: () => "Cards can't be charged at this moment. Nothing is lost: please try again.",
  CASH_ON_DELIVERY_TOTAL_TOO_LARGE: () => "This is too much for cash. Please pay by card.",
  TOO_MANY_OPEN_ORDERS: () => "You have too many unpaid orders. Please pay or cancel one.",
  ORDER_NOT_CANCELLABLE: () => "It is too late to cancel this order.",
  STORE_UNAVAILABLE: () => "The shop is busy. Nothing is lost: please try again.",
};

/** The text of a problem. */
export const textOf = (problem) => byCode[problem.code]?.(problem) ?? problem.detail;

/** Faults of a field, by the code of the entry. */
export const fault = (error, label) =>
  error.code === "REQUIRED" ? `${label} is needed.` : `${label} ${error.detail}.`;

const FIELDS = {
  firstName: "First name",
  lastName: "Last name",
  company: "Company",
  addressLine1: "Address",
  addressLine2: "Apartment, floor",
  city: "City",
  state: "Region",
  postalCode: "Postal code",
  county: "County",
  phone: "Phone",
  country: "Country",
};
/** What people call a field in their country: `kind` of the field. */
const KINDS = {
  state: "State",
  province: "Province",
  prefecture: "Prefecture",
  county: "County",
  department: "Department",
  district: "District",
  emirate: "Emirate",
  island: "Island",
  oblast: "Oblast",
  parish: "Parish",
  area: "Area",
  do_si: "Do / Si",
  zip: "ZIP code",
  postal: "Postal code",
  pin: "PIN code",
  eircode: "Eircode",
};
export const field = ({ field: name, kind }) => KINDS[kind] ?? FIELDS[name] ?? name;

export const steps = { shop: "Cart", address: "Address", delivery: "Delivery", payment: "Payment" };
export const status = {
  pending: "waiting",
  confirmed: "confirmed",
  processing: "being packed",
  shipped: "on its way",
  delivered: "delivered",
  cancelled: "cancelled",
  refunded: "refunded",
  paid: "paid",
  authorized: "authorized",
  failed: "not paid",
  open: "open",
  declined: "declined",
  requires_action: "asked by the bank",
  partially_refunded: "partly refunded",
  partially_shipped: "partly on its way",
  returned: "returned",
};
export const cards = {
  pm_card_visa: ["A card that pays", "4242"],
  pm_card_chargeCustomerFail: ["A card that is declined", "0341"],
  pm_card_authenticationRequired: ["A card whose bank asks you", "3184"],
  pm_card_threeDSecureRequiredChargeDeclined: ["A card whose bank asks, and declines", "1629"],
};

export const text = {
  shopName: "Beans & Paper",
  loading: "One moment…",
  stepsLabel: "Steps of your order",
  deliverTo: "Deliver to",
  currency: "Currency",
  products: "Good things",
  add: "Add",
  addNamed: (name) => `Add ${name} to the cart`,
  variant: (name) => `Kind of ${name}`,
  soldOut: "Sold out",
  backorder: (days) => `Ships in ${days} days`,
  added: (name) => `${name} is in your cart.`,
  cart: "Your cart",
  emptyCart: "Nothing in it yet.",
  less: (name) => `One less: ${name}`,
  more: (name) => `One more: ${name}`,
  remove: "Remove",
  removeNamed: (name) => `Remove ${name}`,
  toAddress: "Continue to address",
  address: "Where shall we deliver?",
  optional: "optional",
  choose: "Please choose",
  example: (code) => `For example ${code}`,
  toDelivery: "Continue to delivery",
  delivery: "How shall we deliver?",
  days: ({ min, max }) => (min === max ? `${min} business days` : `${min} to ${max} business days`),
  between: (from, to) => (from === to ? from : `${from} – ${to}`),
  free: "free",
  toPayment: "Continue to payment",
  payment: "How would you like to pay?",
  email: "E-mail address",
  card: "Card",
  cards: "Test cards of the local Stripe: no number is ever typed here.",
  cash: "Cash on delivery",
  pay: (amount) => `Buy for ${amount}`,
  paying: "Your order is being placed…",
  bankWaits: "Your bank waits for your answer.",
  toBank: "Go to the bank's page",
  giveUp: "Pay in another way",
  coupon: "Coupon",
  apply: "Apply",
  couponOn: (code) => `${code} is on.`,
  couponOff: (code) => `${code} was removed.`,
  removeCoupon: (code) => `Remove coupon ${code}`,
  subtotal: "Goods",
  discount: "Discount",
  shipping: "Delivery",
  tax: "Tax",
  taxIncluded: "Tax, included",
  total: "Total",
  unknownYet: "next",
  everyCent: "Where every cent comes from",
  summary: "Your order",
  wait: (seconds) => `Please wait ${seconds} ${seconds === 1 ? "second" : "seconds"}.`,
  waitOver: "You may try again now.",
  thanks: "Thank you",
  order: (number) => `Order ${number}`,
  orderIs: (what) => `Your order is ${what}.`,
  history: "What happened",
  paymentIs: (what) => `Payment: ${what}`,
  deliveredTo: "Delivery to",
  cancel: "Cancel this order",
  cancelled: "Your order is cancelled.",
  again: "Shop again",
  changed: "Your cart has changed in another window.",
  newCart: "Start a new cart",
  problemHeading: "Please look at this",
  behind: {
    title: "What lives behind",
    redis: "Redis",
    redisRuns: "It holds copies, and counts limits.",
    redisStopped: "Stopped. Buy on: DynamoDB decides.",
    redisElsewhere: "Not started by make dev.",
    redisSwitch: "Redis runs",
    lastCall: "The last call",
    noCall: "None yet.",
    cacheHit: "cache hit",
    cacheMiss: "cache miss",
    calls: (count) => (count === 1 ? "1 call" : `${count} calls`),
    failed: (count) => `, ${count}× without it`,
    before: "Before that",
    route: "Route",
    session: "The session",
    noSession: "None: it opens with the first product.",
    version: (version) => `version ${version}`,
    document: "The whole document",
    limits: "Limits",
    left: (remaining, limit) => `${remaining} of ${limit}`,
    moreIn: (seconds) => `+1 in ${seconds} s`,
    orders: "Orders",
    noOrders: "None yet.",
    events: "Events that left",
    noEvents: "None yet.",
  },
};
