# SPDX-License-Identifier: GPL-3.0-or-later
"""What a browser asks Stripe, with a publishable key: Stripe.js, and the calls that it makes. In place of localstripe's own
Stripe.js, which makes no payment methods.

https://docs.stripe.com/js/payment_methods/create_payment_method, https://docs.stripe.com/js/confirmation_tokens,
https://docs.stripe.com/js/payment_intents/handle_next_action
"""

from pathlib import Path

from aiohttp import web
from localstripe.errors import UserError
from localstripe.resources import PaymentIntent, PaymentMethod
from localstripe.server import get_post_data

import methods

SCRIPT = Path(__file__).with_name("stripe.js")


def shown(intent):
    """https://docs.stripe.com/js/payment_intents/retrieve_payment_intent: a part, for whoever has the secret."""
    whole = intent._export()
    return {name: whole.get(name) for name in ("id", "object", "amount", "currency", "status", "client_secret", "next_action",
                                               "payment_method", "last_payment_error")}


def own(id, secret):
    intent = PaymentIntent._api_retrieve(id)
    if secret != intent.client_secret:
        raise UserError(401, "The client_secret provided does not match this PaymentIntent.")
    return intent


async def answer(request):
    """The answer to a browser; None if it is for the rest of this server."""
    if request.method == "GET" and request.path == "/js.stripe.com/v3/":
        return web.Response(text=SCRIPT.read_text(), content_type="text/javascript")
    data = dict(request.query) if request.method == "GET" else await get_post_data(request, remove_auth=False) or {}
    if not str(data.pop("key", "")).startswith("pk_"):
        return None
    match request.method, request.path.strip("/").split("/"):
        case "POST", ["v1", "payment_methods"]:
            return web.json_response(PaymentMethod._api_create(**data)._export())
        case "POST", ["v1", "confirmation_tokens"]:
            method = PaymentMethod._api_create(**data["payment_method_data"])
            return web.json_response(methods.token_for(method.id, data.get("return_url")))
        case "GET", ["v1", "payment_intents", id]:
            return web.json_response(shown(own(id, data.get("client_secret"))))
        case "POST", ["v1", "payment_intents", id, "_authenticate"]:
            try:
                PaymentIntent._api_authenticate(id, **data)
            except UserError as refused:
                # The bank agreed, and the card is declined: that stands in the intent.
                if refused.code != 402:
                    raise
            return web.json_response(shown(own(id, data.get("client_secret"))))
    return None


@web.middleware
async def browsers(request, handler):
    found = await answer(request)
    return found if found is not None else await handler(request)


# Set by `install`: the cards that localstripe declines when they pay.
declines = PaymentMethod._charging_is_declined


def is_declined(self):
    """https://docs.stripe.com/testing#declined-payments: localstripe declines these only where they are saved."""
    return declines(self) or self._attaching_is_declined()


def install(app):
    PaymentMethod._charging_is_declined = is_declined
    # Within localstripe's middleware that turns its errors into answers, and before the one that asks for a secret key.
    app.middlewares.insert(1, browsers)
