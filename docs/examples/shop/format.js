// Amounts and dates, as the reader's language writes them.

const LANGUAGE = document.documentElement.lang;

/** An amount in the currency's minor unit; how many digits that is, the currency says. */
export function money(amount, currency) {
  const format = new Intl.NumberFormat(LANGUAGE, { style: "currency", currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

export const day = (date) =>
  new Intl.DateTimeFormat(LANGUAGE, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" }).format(
    new Date(date),
  );

export const clock = (time) => new Intl.DateTimeFormat(LANGUAGE, { timeStyle: "medium" }).format(new Date(time));
