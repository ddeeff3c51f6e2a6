# SPDX-License-Identifier: GPL-3.0-or-later
"""What localstripe lacks of customers and saved cards: a card that is saved by its payment, cards that only their customer
can use, cards that are used up when they are detached, and customers that are gone with their cards.

https://docs.stripe.com/payments/save-during-payment, https://docs.stripe.com/api/payment_methods/customer,
https://docs.stripe.com/api/payment_methods/detach, https://docs.stripe.com/api/customers/delete
"""

from aiohttp import web
from localstripe.resources import Customer, PaymentIntent, PaymentMethod, UserError, store

# Cards that can never be used again, and customers that are answered for as deleted.
detached, deleted = set(), set()

begin, charge = PaymentIntent.__init__, PaymentIntent._create_charge
delete = Customer._api_delete.__func__


def refusal(status, code, message):
    return UserError(status, message, {"type": "invalid_request_error", "code": code})


def check(method, customer):
    """A saved card pays for its own customer only; one that was detached pays for nobody."""
    saved = store.get("payment_method:" + (method or ""))
    if customer in deleted:
        raise refusal(400, "resource_missing", "No such customer.")
    if method in detached:
        raise refusal(400, "payment_method_unexpected_state", "The payment method was detached, and can't be used again.")
    if saved is not None and saved.customer not in (None, customer):
        raise refusal(400, "payment_method_customer_mismatch", "The payment method doesn't belong to this customer.")


def begin_checked(self, setup_future_usage=None, **data):
    check(data.get("payment_method"), data.get("customer"))
    if setup_future_usage not in (None, "on_session", "off_session"):
        raise refusal(400, "parameter_invalid_string", "Invalid setup_future_usage.")
    begin(self, **data)
    self.setup_future_usage = setup_future_usage


def charge_and_save(self, on_failure_now):
    charge(self, on_failure_now)
    if self.setup_future_usage and self.customer and self.latest_charge.status == "succeeded":
        # `pm_card_visa` and its like become a card of their own.
        method = PaymentMethod._api_retrieve(self.payment_method)
        method.customer = self.customer
        self.payment_method = method.id


def delete_with_cards(cls, id):
    gone = delete(cls, id)
    deleted.add(id)
    for method in cards_of(id):
        method.customer = None
        detached.add(method.id)
    return gone


def cards_of(customer):
    """Newest first: the store keeps things in the order in which they were made."""
    cards = [thing for thing in store.values() if isinstance(thing, PaymentMethod) and thing.customer == customer]
    return cards[::-1]


async def list_cards(request):
    customer = request.match_info["id"]
    Customer._api_retrieve(customer)
    limit = int(request.query.get("limit", 10))
    cards = [card._export() for card in cards_of(customer)]
    return web.json_response({"object": "list", "data": cards[:limit], "has_more": len(cards) > limit, "url": request.path})


async def one_card(request):
    found = [card for card in cards_of(request.match_info["id"]) if card.id == request.match_info["method"]]
    if not found:
        raise refusal(404, "resource_missing", "No such payment method for this customer.")
    return web.json_response(found[0]._export())


@web.middleware
async def once(request, handler):
    """A deleted customer can be read still, and is said to be deleted. A card is detached once."""
    _, _, kind, id, *what = request.path.split("/") + ["", ""]
    if request.method == "GET" and kind == "customers" and id in deleted and not any(what):
        return web.json_response({"id": id, "object": "customer", "deleted": True})
    if request.method == "POST" and kind == "payment_methods" and what[0] == "detach":
        if PaymentMethod._api_retrieve(id).customer is None:
            message = "The payment method you provided is not attached to a customer so detachment is impossible."
            raise refusal(400, "payment_method_unexpected_state", message)
        detached.add(id)
    return await handler(request)


def install(app):
    PaymentIntent.__init__ = begin_checked
    PaymentIntent._create_charge = charge_and_save
    Customer._api_delete = classmethod(delete_with_cards)
    app.middlewares.append(once)
    app.router.add_get("/v1/customers/{id}/payment_methods", list_cards)
    app.router.add_get("/v1/customers/{id}/payment_methods/{method}", one_card)
