// What the page knows, and the one way to change it: an action, which ends with a drawing or with a problem to show.

import { Problem, call } from "./api.js";
import { say } from "./dom.js";
import { text, textOf } from "./messages-en.js";
import { keep, kept } from "./store.js";

export const state = {
  regions: [],
  products: [],
  /** The open session, as the last answer had it. */
  session: undefined,
  /** The order that is shown. */
  order: undefined,
  /** The problem that is shown. */
  problem: undefined,
  /** The refusals of limits by path, each with the time `until` which it asks to wait. */
  waits: {},
  /** What is typed in the address form. */
  draft: {},
  busy: false,
};

let draw = () => {};
let ticking;

/** Sets what draws the page. */
export function drawsBy(drawing) {
  draw = drawing;
}

export const redraw = () => draw();

/** How long a limit asks to wait before a path is called again. */
export const secondsToWait = (path) => Math.max(0, Math.ceil(((state.waits[path]?.until ?? 0) - Date.now()) / 1000));

/** Does something for the shopper. One thing at a time: a second click does nothing, nor does one while a limit asks to wait. */
export async function act(work, path) {
  if (state.busy) return;
  if (secondsToWait(path) > 0) {
    state.problem = state.waits[path].problem;
    draw();
    document.getElementById("problem").focus();
    return;
  }
  state.busy = true;
  state.problem = undefined;
  draw();
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    await meet(error);
  } finally {
    state.busy = false;
    draw();
  }
  if (state.problem !== undefined) document.getElementById("problem")?.focus();
  // What had the focus may be gone.
  else if (document.activeElement === document.body)
    (document.getElementById("cart") ?? document.getElementById("main")).focus({ preventScroll: true });
}

/** What a problem means for the page. */
async function meet(problem) {
  if (problem.session !== undefined) state.session = problem.session;
  if (problem.orderId !== undefined) {
    keep({ checkoutId: undefined, pending: undefined });
    state.session = undefined;
    location.hash = `order/${problem.orderId}`;
    return;
  }
  if (["SESSION_EXPIRED", "SESSION_NOT_FOUND"].includes(problem.code)) await startAgain();
  if (problem.status === 429) count(problem);
  state.problem = problem;
}

/** A new session with the items of the old one. */
async function startAgain() {
  state.session = undefined;
  keep({ checkoutId: undefined, pending: undefined });
  if (kept.items !== undefined) await putItems(kept.items);
}

/** Counts down, second by second, and says when it is over. */
function count(problem) {
  state.waits[problem.path] = { problem, until: Date.now() + (problem.retryAfter ?? 1) * 1000 };
  clearInterval(ticking);
  ticking = setInterval(() => {
    for (const [path, wait] of Object.entries(state.waits)) {
      const left = secondsToWait(path);
      const timer = document.getElementById("wait");
      if (left > 0 && timer !== null && state.problem === wait.problem) timer.textContent = text.wait(left);
      if (left > 0) continue;
      delete state.waits[path];
      if (state.problem === wait.problem) state.problem = undefined;
      draw();
      say(text.waitOver);
    }
    if (Object.keys(state.waits).length === 0) clearInterval(ticking);
  }, 1000);
}

export const problemText = () => textOf(state.problem);

/** The region that the shopper chose. */
export const region = () => state.regions.find(({ country }) => country === kept.country);

/** Calls a route that answers with the session. */
export async function change(method, path, members) {
  const { data } = await call(method, path, { checkoutId: kept.checkoutId, ...members });
  state.session = data;
}

/** The session, with all that a page shows. */
export async function readSession() {
  const { data } = await call("GET", `/session/${kept.checkoutId}`);
  state.session = data;
  // One that waits for the bank may be open again soon.
  if (data.status !== "open" && data.orderId !== undefined && kept.pending === undefined) {
    state.session = undefined;
    keep({ checkoutId: undefined, pending: undefined });
    location.hash = `order/${data.orderId}`;
  }
}

/** The cart has these items now. The first one opens a session. */
export async function putItems(items) {
  const cartItems = items.map(({ productId, variantId, quantity }) => ({ productId, variantId, quantity }));
  keep({ items: cartItems });
  if (cartItems.length === 0) {
    state.session = undefined;
    keep({ checkoutId: undefined });
  } else if (kept.checkoutId !== undefined) {
    await change("PUT", "/items", { cartItems });
  } else {
    const { data } = await call("POST", "/initiate", { cartItems, currency: kept.currency }, crypto.randomUUID());
    state.session = data;
    keep({ checkoutId: data.checkoutId });
  }
}
