// Making elements without a framework.

/** An element: `on…` members are listeners, `false` and `undefined` leave an attribute out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else if (value !== false && value !== undefined && value !== null)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** Replaces what is in an element, and leaves the focus on the element with the same id. */
export function fill(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  const open = new Set([...element.querySelectorAll("details[open][id]")].map((details) => details.id));
  element.replaceChildren(
    ...children.flat(2).filter((child) => child !== undefined && child !== null && child !== false),
  );
  for (const id of open) element.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  if (focused !== "") document.getElementById(focused)?.focus({ preventScroll: true });
}

/** Says something to those who listen instead of look. */
export function say(text) {
  document.getElementById("status").textContent = text;
}
