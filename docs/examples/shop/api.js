// The calls of the public API: who is calling, what is sent again by itself, and problems by their code.

import { keep, kept } from "./store.js";

const origin = document.querySelector('meta[name="checkout-origin"]').content || location.origin;
const BASE = `${origin}/api/v1/checkout`;
const ATTEMPTS = 5;

/** Whether the page comes from the server of the API, which then may show what lives behind. */
export const isAtHome = origin === location.origin;

/** An answer that refuses. */
export class Problem extends Error {
  constructor(path, status, body, retryAfter) {
    super(body.detail ?? body.message ?? "");
    Object.assign(this, body, { path, status, code: body.code ?? "UNKNOWN", detail: this.message, retryAfter });
  }
}

const listeners = [];

/** Tells of each call: its method, path, status and `X-Request-Id`. */
export function onCall(listener) {
  listeners.push(listener);
}

const pause = (seconds) => new Promise((wake) => setTimeout(wake, seconds * 1000));

/**
 * Calls a route. A refusal that may be sent again as it is (it has `Retry-After`) is sent again with the same key; only a
 * limit is for the shopper to see.
 */
export async function call(method, path, body, key) {
  const headers = {};
  if (kept.guestId !== undefined) headers["X-Guest-Id"] = kept.guestId;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key !== undefined) headers["Idempotency-Key"] = key;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(BASE + path, { method, headers, body: body && JSON.stringify(body) }).catch(
      () => undefined,
    );
    if (answer === undefined) {
      // Only what is safe to repeat: with a key, or a read.
      if (attempt < ATTEMPTS && (key !== undefined || method === "GET")) {
        await pause(1);
        continue;
      }
      throw new Problem(path, 0, { code: "NO_ANSWER" });
    }
    const text = await answer.text();
    let data = {};
    try {
      data = JSON.parse(text || "{}");
    } catch {
      data = { detail: text };
    }
    const retryAfter = answer.headers.has("Retry-After") ? Number(answer.headers.get("Retry-After")) : undefined;
    const told = { method, path, status: answer.status, requestId: answer.headers.get("X-Request-Id") };
    for (const listener of listeners) listener(told);
    if (answer.ok) {
      if (data.guestId !== undefined && data.guestId !== kept.guestId) keep({ guestId: data.guestId });
      return { status: answer.status, data, retryAfter };
    }
    if ([409, 503].includes(answer.status) && retryAfter !== undefined && attempt < ATTEMPTS) {
      await pause(retryAfter);
      continue;
    }
    throw new Problem(path, answer.status, data, retryAfter);
  }
}
