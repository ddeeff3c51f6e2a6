# SPDX-License-Identifier: GPL-3.0-or-later
"""localstripe on 127.0.0.1, with what it lacks of the documented API: idempotency keys, search by metadata, lists by
time, card errors that name their intent, and refunds that end when everything is refunded.

localstripe is under the GPL, and so is this file, which runs inside it. Nothing that is deployed uses either.
"""

import argparse
import asyncio
import json
import logging
import re

from aiohttp import web
from localstripe import server
from localstripe.errors import UserError
from localstripe.resources import Charge, Event, PaymentIntent, Refund, schedule_webhook, store

import browser
import methods
import saved_cards

# https://docs.stripe.com/api/idempotent_requests: the first answer is kept, whatever it was, unless the request was never
# begun; the same key with other parameters, and while the first is running, is an error.
answers = {}
# Orders whose payments the search doesn't know yet.
behind = set()


def error(status, kind, code, message):
    body = {"error": {"type": kind, "code": code, "message": message}}
    return web.json_response(body, status=status)


@web.middleware
async def idempotency(request, handler):
    key = request.headers.get("Idempotency-Key")
    if request.method != "POST" or not key:
        return await handler(request)
    asked = (request.path, await request.read())
    if key in answers:
        before, answer = answers[key]
        if before != asked:
            message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
            return error(400, "idempotency_error", None, message)
        if answer is None:
            return error(409, "idempotency_error", "idempotency_key_in_use", "There is another request in progress.")
        status, body = answer
        headers = {"Idempotent-Replayed": "true"}
        return web.Response(status=status, body=body, content_type="application/json", headers=headers)
    answers[key] = (asked, None)
    try:
        response = await handler(request)
    except BaseException:
        del answers[key]
        raise
    answers[key] = (asked, (response.status, response.body))
    return response


@web.middleware
async def card_errors(request, handler):
    """https://docs.stripe.com/api/errors: a declined card is a card_error that has the intent with it."""
    response = await handler(request)
    if response.status != 402:
        return response
    fault = json.loads(response.body)["error"]
    fault.update(type="card_error", decline_code="generic_decline")
    charge = store.get("charge:" + fault.get("charge", ""))
    if charge is not None and charge.payment_intent:
        fault["payment_intent"] = PaymentIntent._api_retrieve(charge.payment_intent)._export()
    return web.json_response({"error": fault}, status=402)


def refunds_of(charge):
    return [thing for thing in store.values() if isinstance(thing, Refund) and thing.charge == charge.id]


def rest_of(charge):
    """What is left to be refunded."""
    captured = getattr(charge, "_captured_amount", charge.amount)
    return captured - sum(refund.amount for refund in refunds_of(charge) if refund.status != "failed")


def capture(self, amount, on_success=None):
    """https://docs.stripe.com/changelog/basil/2025-03-31: the rest is released without a refund."""
    amount = self.amount if amount is None else int(amount)
    if self.captured or self.status != "succeeded" or not 0 < amount <= self.amount:
        raise UserError(400, "This PaymentIntent could not be captured.")

    def captured():
        self.captured = True
        self._captured_amount = amount
        on_success and on_success()

    self._trigger_payment(on_success=captured)


Charge._capture = capture
PaymentIntent.amount_received = property(
    lambda intent: getattr(intent.latest_charge, "_captured_amount", intent.amount) if intent.status == "succeeded" else 0)

made_refund = Refund.__init__


def make_refund(self, charge=None, payment_intent=None, amount=None, **rest):
    """https://docs.stripe.com/api/refunds/create: without an amount, all that is left."""
    intent = store.get("payment_intent:" + (payment_intent or ""))
    if amount is None and getattr(intent, "latest_charge", None) is not None:
        amount = rest_of(intent.latest_charge)
    made_refund(self, charge=charge, payment_intent=payment_intent, amount=amount, **rest)


Refund.__init__ = make_refund


@web.middleware
async def whole_refunds(request, handler):
    """https://docs.stripe.com/api/refunds/create: no more than is left, and nothing of a disputed payment."""
    if request.method == "POST" and request.path == "/v1/refunds":
        form = await request.post()
        intent = store.get("payment_intent:" + form.get("payment_intent", ""))
        charge = getattr(intent, "latest_charge", None)
        if charge is not None:
            if any(taken(dispute) for dispute in disputes.get(intent.id, [])):
                return error(400, "invalid_request_error", "charge_disputed", "Charge has been charged back.")
            rest = rest_of(charge)
            if rest == 0 or int(form.get("amount", rest)) > rest:
                return error(400, "invalid_request_error", "charge_already_refunded", "Charge has been refunded.")
    return await handler(request)


# By payment, newest first: https://docs.stripe.com/api/disputes/object
disputes = {}


def taken(dispute):
    return len(dispute["balance_transactions"]) % 2 == 1


@web.middleware
async def ledgers(request, handler):
    """https://docs.stripe.com/api/refunds/list and https://docs.stripe.com/api/disputes/list of one payment."""
    kind, intent = request.path, request.query.get("payment_intent")
    if request.method != "GET" or kind not in ("/v1/refunds", "/v1/disputes") or intent is None:
        return await handler(request)
    payment = store.get("payment_intent:" + intent)
    if payment is None:
        return error(404, "invalid_request_error", "resource_missing", "No such payment_intent.")
    if kind == "/v1/refunds":
        charge = payment.latest_charge
        found = [refund._export() for refund in refunds_of(charge)] if charge else []
        found.reverse()
    else:
        found = disputes.get(intent, [])
    return web.json_response({"object": "list", "data": found, "has_more": False, "url": kind})


def event(kind, thing):
    """https://docs.stripe.com/api/events: an event about something that localstripe has no events of."""

    class Shown:
        object = thing["object"]

        def _export(self):
            return dict(thing)

    schedule_webhook(Event(kind, Shown()))


async def dispute(request):
    """For tests: what a customer's bank does. `status` as Stripe names it, `moves` how often the amount has moved."""
    form = await request.post()
    intent = PaymentIntent._api_retrieve(request.match_info["intent"])
    known = disputes.setdefault(intent.id, [])
    number = int(form.get("number", len(known)))
    if number == len(known):
        known.insert(0, {
            "id": f"dp_{intent.id}_{number}", "object": "dispute", "amount": int(form["amount"]),
            "currency": intent.currency, "payment_intent": intent.id, "charge": intent.latest_charge.id,
            "reason": form.get("reason", "fraudulent"), "created": intent.created,
        })
        kind = "charge.dispute.created"
    else:
        kind = "charge.dispute.closed" if form["status"] in ("won", "lost") else "charge.dispute.updated"
    found = known[len(known) - 1 - number]
    found["status"] = form["status"]
    found["balance_transactions"] = [{"object": "balance_transaction"}] * int(form["moves"])
    event(kind, found)
    return web.json_response(found)


async def settle_refund(request):
    """For tests: a refund that is on its way, arrives, or is sent back by the customer's bank."""
    form = await request.post()
    refund = Refund._api_retrieve(request.match_info["refund"])
    refund.status = form["status"]
    if form["status"] == "failed":
        refund.failure_reason = "lost_or_stolen_card"
    event("refund.failed" if form["status"] == "failed" else "refund.updated", refund._export())
    return web.json_response(refund._export())


async def search(request):
    """https://docs.stripe.com/search: the one query that we ask."""
    wanted = re.fullmatch(r"metadata\['(\w+)'\]:'([^']*)'", request.query.get("query", ""))
    if not wanted:
        return error(400, "invalid_request_error", "parameter_invalid", "This server knows one query only.")
    name, value = wanted.groups()
    found = [thing._export() for thing in store.values()
             if isinstance(thing, PaymentIntent) and thing.metadata.get(name) == value and value not in behind]
    return web.json_response({"object": "search_result", "data": found, "has_more": False})


@web.middleware
async def lists(request, handler):
    """https://docs.stripe.com/api/payment_intents/list: newest first, by `created` and in pages."""
    if request.method != "GET" or request.path != "/v1/payment_intents":
        return await handler(request)
    query = request.query
    since, until = int(query.get("created[gte]", 0)), int(query.get("created[lte]", 1 << 62))
    found = [thing for thing in store.values() if isinstance(thing, PaymentIntent) and since <= thing.created <= until]
    # The store keeps them in the order in which they were made.
    found.reverse()
    found.sort(key=lambda intent: intent.created, reverse=True)
    if "starting_after" in query:
        ids = [intent.id for intent in found]
        if query["starting_after"] not in ids:
            return error(400, "invalid_request_error", "resource_missing", "No such payment_intent.")
        found = found[ids.index(query["starting_after"]) + 1:]
    limit = int(query.get("limit", 10))
    page = [intent._export() for intent in found[:limit]]
    return web.json_response({"object": "list", "data": page, "has_more": len(found) > limit, "url": request.path})


async def intent_of(request):
    """For tests: the payment of an order, whether the search knows it or not."""
    order = request.match_info["order"]
    found = [thing._export() for thing in store.values()
             if isinstance(thing, PaymentIntent) and thing.metadata.get("order_id") == order]
    return web.json_response({"data": found})


async def lag(request):
    """For tests: the search doesn't know the payment of this order yet."""
    behind.add(request.match_info["order"])
    return web.json_response({})


async def totals(request):
    """For tests: what was captured and went back, by order."""
    refunded, sums = {}, {}
    for thing in store.values():
        if isinstance(thing, Refund) and thing.status != "failed":
            refunded[thing.charge] = refunded.get(thing.charge, 0) + thing.amount
    for thing in store.values():
        if isinstance(thing, PaymentIntent) and thing.status == "succeeded":
            order = sums.setdefault(thing.metadata.get("order_id"), {"captured": 0, "refunded": 0, "intents": 0})
            order["captured"] += thing.amount_received
            order["refunded"] += refunded.get(thing.latest_charge.id, 0)
            order["intents"] += 1
    return web.json_response(sums)


async def listen(port):
    logging.disable(logging.INFO)
    # Its own folder keeps nothing on disk.
    store.dump_to_disk = lambda: None
    browser.install(server.app)
    # Outermost first; localstripe's own turn its errors into answers.
    for position, middleware in enumerate([idempotency, card_errors, whole_refunds, lists, ledgers]):
        server.app.middlewares.insert(position, middleware)
    saved_cards.install(server.app)
    methods.install(server.app, f"http://127.0.0.1:{port}")
    routes = server.app.router
    routes.add_get("/_totals", totals)
    routes.add_post("/_lag/{order}", lag)
    routes.add_get("/_intent/{order}", intent_of)
    routes.add_post("/_dispute/{intent}", dispute)
    routes.add_post("/_refund/{refund}", settle_refund)
    # Before `/v1/payment_intents/{id}`, which would take it for an id.
    routes.add_get("/v1/payment_intents/search", search)
    routes._resources.insert(0, routes._resources.pop())
    runner = web.AppRunner(server.app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print(f"http://127.0.0.1:{port}", flush=True)
    await asyncio.Event().wait()


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
asyncio.run(listen(parser.parse_args().port))
