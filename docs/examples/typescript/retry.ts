// Sends a request until it has an answer that decides something. One Idempotency-Key covers all attempts, so whatever was
// lost on the way is done once.

/** A `fetch` for openapi-fetch: it waits for `Retry-After` where the answer has one, and a second after a network error. */
export async function patient(request: Request, attempts = 5): Promise<Response> {
  if (request.method === "POST" && !request.headers.has("Idempotency-Key")) {
    request.headers.set("Idempotency-Key", crypto.randomUUID());
  }
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(request.clone()).catch(() => undefined);
    const seconds = Number(answer?.headers.get("Retry-After") ?? 1);
    const mayRetry = answer === undefined || [409, 429, 503].includes(answer.status);
    const isDecided = answer !== undefined && !answer.headers.has("Retry-After");
    if (!mayRetry || isDecided || attempt === attempts) {
      if (answer === undefined) throw new Error("the checkout can't be reached");
      return answer;
    }
    await new Promise((wake) => setTimeout(wake, seconds * 1000));
  }
}
