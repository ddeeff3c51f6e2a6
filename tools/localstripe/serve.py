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
from localstripe.resources import Charge, PaymentIntent, Refund, store

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


@web.middleware
async def whole_refunds(request, handler):
    """https://docs.stripe.com/api/refunds/create: no more than is left."""
    if request.method == "POST" and request.path == "/v1/refunds":
        form = await request.post()
        intent = store.get("payment_intent:" + form.get("payment_intent", ""))
        charge = getattr(intent, "latest_charge", None)
        if charge is not None:
            gone = sum(refund.amount for refund in Refund._api_list_all("", charge=charge.id)._list)
            if gone + int(form.get("amount", charge.amount)) > charge.amount:
                return error(400, "invalid_request_error", "charge_already_refunded", "Charge has been refunded.")
    return await handler(request)


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
        if isinstance(thing, Refund):
            refunded[thing.charge] = refunded.get(thing.charge, 0) + thing.amount
    for thing in store.values():
        if isinstance(thing, PaymentIntent) and thing.status == "succeeded":
            order = sums.setdefault(thing.metadata.get("order_id"), {"captured": 0, "refunded": 0, "intents": 0})
            order["captured"] += thing.amount
            order["refunded"] += refunded.get(thing.latest_charge.id, 0)
            order["intents"] += 1
    return web.json_response(sums)


async def listen(port):
    logging.disable(logging.INFO)
    # Its own folder keeps nothing on disk.
    store.dump_to_disk = lambda: None
    Charge.object  # the module is whole
    # Outermost first; localstripe's own turn its errors into answers.
    for position, middleware in enumerate([idempotency, card_errors, whole_refunds, lists]):
        server.app.middlewares.insert(position, middleware)
    saved_cards.install(server.app)
    routes = server.app.router
    routes.add_get("/_totals", totals)
    routes.add_post("/_lag/{order}", lag)
    routes.add_get("/_intent/{order}", intent_of)
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
