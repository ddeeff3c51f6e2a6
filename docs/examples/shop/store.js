// What a reload must not lose. It stays in this browser.

const NAME = "checkout-shop";

function read() {
  try {
    return JSON.parse(localStorage.getItem(NAME)) ?? {};
  } catch {
    return {};
  }
}

/** `guestId` (it works like a password), `checkoutId`, `country`, `currency`, and `pending`: a confirmation without a result. */
export const kept = read();

/** Keeps these members; `undefined` forgets one. */
export function keep(members) {
  // Another tab may have kept something since.
  Object.assign(kept, read(), members);
  for (const name of Object.keys(members)) if (members[name] === undefined) delete kept[name];
  localStorage.setItem(NAME, JSON.stringify(kept));
}
