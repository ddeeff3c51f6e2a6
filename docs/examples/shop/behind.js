// Beside the shop: what lives behind it. Only `make dev` has `/behind`; on another server this stays hidden.

import { call, onCall } from "./api.js";
import { fill, h, say } from "./dom.js";
import { clock, money } from "./format.js";
import { status, text } from "./messages-en.js";
import { state } from "./state.js";

const words = text.behind;
const EVERY = 1000;
const BEFORE = 6;
const aside = document.getElementById("behind");

/** This page's own calls, the newest first. */
const calls = [];
let seen;
let limits = { at: Date.now(), list: [] };
let isLooking = false;
/** The text of each part as it was drawn last. */
const drawn = [];

async function look() {
  if (isLooking) return;
  isLooking = true;
  const answer = await fetch("behind").catch(() => undefined);
  isLooking = false;
  if (!answer?.ok) return;
  seen = await answer.json();
  aside.hidden = false;
  draw();
}

async function lookAtLimits() {
  const { data } = await call("GET", "/limits").catch(() => ({}));
  if (data !== undefined) limits = { at: Date.now(), list: data.limits };
  await look();
}

async function switchRedis(running) {
  const answer = await fetch("behind/redis", { method: "PUT", body: JSON.stringify({ running }) });
  if (answer.ok) say(running ? words.redisRuns : words.redisStopped);
  await look();
}

function redis() {
  const { redis: server } = seen;
  if (server === null) return h("p", { class: "hint" }, words.redisElsewhere);
  return [
    h(
      "button",
      {
        id: "redis-switch",
        class: "switch",
        type: "button",
        role: "switch",
        "aria-checked": String(server.running),
        "aria-label": words.redisSwitch,
        "aria-describedby": "redis-state",
        onclick: () => switchRedis(!server.running),
      },
      h("span", { "aria-hidden": "true" }),
    ),
    h(
      "p",
      { id: "redis-state", class: server.running ? "hint" : "hint stopped" },
      server.running ? words.redisRuns : words.redisStopped,
    ),
  ];
}

/** A route as it is read at a glance: ids are long. */
const short = ({ method, path }) => `${method} ${path.split("?")[0].replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "…")}`;

const stores = [
  ["redis", "Redis"],
  ["dynamodb", "DynamoDB"],
  ["payments", "Stripe"],
];

function countsOf(call) {
  const known = seen.calls.find(({ requestId }) => requestId === call.requestId);
  return known ?? { redis: {}, dynamodb: {}, payments: {} };
}

function lastCall() {
  const [last, ...before] = calls;
  if (last === undefined) return h("p", { class: "hint" }, words.noCall);
  const counts = countsOf(last);
  const hit = { hit: words.cacheHit, miss: words.cacheMiss }[counts.cache];
  return [
    h(
      "p",
      { class: "call" },
      h("code", {}, short(last)),
      h("b", { class: last.status < 400 ? "good" : "bad" }, String(last.status)),
      counts.durationMs !== undefined && h("span", {}, `${counts.durationMs} ms`),
      hit && h("span", { id: "cache", class: "tag" }, hit),
    ),
    h(
      "dl",
      { class: "stores" },
      stores.map(([name, label]) =>
        h(
          "div",
          { id: `calls-${name}` },
          h("dt", {}, label),
          h(
            "dd",
            {},
            words.calls(counts[name].calls ?? 0),
            counts[name].failed > 0 && h("span", { class: "bad" }, words.failed(counts[name].failed)),
          ),
        ),
      ),
    ),
    before.length > 0 &&
      h(
        "details",
        { id: "before" },
        h("summary", { id: "before-summary" }, words.before),
        h(
          "table",
          {},
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              [words.route, "", ...stores.map(([, label]) => label)].map((name) =>
                name === "" ? h("td") : h("th", { scope: "col" }, name),
              ),
            ),
          ),
          h(
            "tbody",
            {},
            before.slice(0, BEFORE).map((one) =>
              h(
                "tr",
                {},
                h("th", { scope: "row" }, short(one)),
                h("td", {}, String(one.status)),
                stores.map(([name]) => h("td", {}, String(countsOf(one)[name].calls ?? 0))),
              ),
            ),
          ),
        ),
      ),
  ];
}

function session() {
  const { session: document } = state;
  if (document === undefined) return h("p", { class: "hint" }, words.noSession);
  return [
    h(
      "p",
      {},
      h("code", {}, document.checkoutId.slice(0, 8)),
      " ",
      h("b", { id: "session-version" }, words.version(document.version)),
      ` · ${status[document.status] ?? document.status}`,
    ),
    h(
      "details",
      { id: "document" },
      h("summary", { id: "document-summary" }, words.document),
      h("pre", { id: "document-text", tabindex: "0" }, JSON.stringify(document, null, 1)),
    ),
  ];
}

function limit({ path, limit: most, remaining, moreInSeconds }) {
  const name = path.split("/checkout/")[1];
  const left = Math.max(0, Math.ceil(moreInSeconds - (Date.now() - limits.at) / 1000));
  const isFull = remaining === most;
  return h(
    "li",
    { class: remaining === 0 ? "empty" : undefined, "data-limit": name },
    h("span", {}, name, !isFull && left > 0 && h("small", {}, words.moreIn(left))),
    h("meter", { min: "0", max: String(most), value: String(remaining), "aria-label": name }),
    h("span", { class: "left" }, words.left(remaining, most)),
  );
}

function events() {
  const told = seen.events.map(({ type, at, detail }) =>
    h(
      "li",
      {},
      h("time", { datetime: at }, clock(at)),
      h(
        "span",
        {},
        h("b", {}, type),
        " ",
        detail.changes?.join(", ") ?? `${detail.counter}: ${detail.level}, ${detail.left}`,
      ),
    ),
  );
  return told.length === 0 ? h("p", { class: "hint" }, words.noEvents) : h("ul", { class: "events" }, told);
}

function orders() {
  const newest = new Map();
  for (const { type, detail } of seen.events) {
    if (type === "Order Changed" && !newest.has(detail.orderId)) newest.set(detail.orderId, detail);
  }
  if (newest.size === 0) return h("p", { class: "hint" }, words.noOrders);
  return h(
    "ul",
    { class: "orders" },
    [...newest.values()]
      .slice(0, 5)
      .map((order) =>
        h(
          "li",
          {},
          h("code", {}, order.orderNumber),
          h(
            "span",
            {},
            `${status[order.status] ?? order.status} · ${status[order.paymentStatus] ?? order.paymentStatus}`,
          ),
          h("span", { class: "amount" }, money(Number(order.totalAmount), order.currency)),
        ),
      ),
  );
}

const section = (id, title, ...children) =>
  h("section", { "aria-labelledby": id, class: id }, h("h3", { id }, title), children);

function draw() {
  if (seen === undefined) return;
  // What is read or selected at this moment stays.
  if (aside.contains(getSelection()?.anchorNode) && !getSelection().isCollapsed) return;
  refresh([
    h("h2", { id: "behind-title" }, words.title),
    section("behind-redis", words.redis, redis()),
    section("behind-call", words.lastCall, lastCall()),
    section("behind-session", words.session, session()),
    section(
      "behind-limits",
      words.limits,
      h("ul", { class: "limits" }, limits.list.filter(({ path }) => !/claim|preview|lookup/.test(path)).map(limit)),
    ),
    section("behind-orders", words.orders, orders()),
    section("behind-events", words.events, events()),
  ]);
}

/** Replaces only what has changed: the rest keeps its focus, and how far it is scrolled. */
function refresh(parts) {
  parts.forEach((part, index) => {
    const now = part.outerHTML;
    const old = aside.children[index];
    if (drawn[index] === now) return;
    drawn[index] = now;
    if (old === undefined) {
      aside.append(part);
      return;
    }
    fill(old, [...part.childNodes]);
  });
}

/** Shows it from now on. */
export function watch() {
  onCall((told) => {
    if (told.path === "/limits") return;
    calls.unshift(told);
    calls.length = Math.min(calls.length, BEFORE + 1);
    draw();
    lookAtLimits();
  });
  setInterval(() => {
    if (!document.hidden) look();
  }, EVERY);
  lookAtLimits();
}
