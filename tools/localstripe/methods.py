# SPDX-License-Identifier: GPL-3.0-or-later
"""What localstripe lacks of other payment methods than cards: confirmation tokens, methods that send the customer to another
page, and direct debits, which need the customer's permission and take days.

https://docs.stripe.com/api/confirmation_tokens/test_create, https://docs.stripe.com/payments/payment-methods,
https://docs.stripe.com/payments/sepa-debit, https://docs.stripe.com/payments/ach-direct-debit
"""

from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web
from localstripe.resources import Charge, Event, PaymentIntent, PaymentMethod, UserError, random_id, schedule_webhook

REDIRECTS = {"klarna", "affirm", "paypal", "amazon_pay", "revolut_pay", "ideal", "bancontact", "eps", "p24"}
# The bank takes days. Only of the second a payment can be cancelled meanwhile.
DEBITS = {"sepa_debit", "us_bank_account", "bacs_debit"}
CANCELLABLE = {"us_bank_account"}
OTHERS = (REDIRECTS | DEBITS | {"link"}) - {"sepa_debit"}
GOOD_CARD = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2030", "cvc": "123"}
# https://docs.stripe.com/testing: cards by name whose bank asks the customer, and one that is declined after that.
ASKING = {
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_threeDSecureRequiredChargeDeclined": "4000008400001629",
}

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>The bank asks</title>
<style>:root {{color-scheme: light dark; font: 1.125rem/1.5 system-ui}} main {{max-width: 24rem; margin: 15vh auto; padding: 0 1rem}}
a {{color: inherit; display: inline-block; padding: .5rem 1rem; border: 1px solid; border-radius: .4rem; margin-right: .5rem}}</style>
<main><h1>The bank asks</h1><p>Pay {total} {currency} (in the smallest unit)?
<p><a href="?success=true">Pay</a> <a href="?success=false">Refuse</a></main></html>"""

tokens = {}

make_method = PaymentMethod.__init__
authenticates = PaymentMethod._requires_authentication
charge = Charge._initialize_charge
confirm = PaymentIntent._confirm
named = PaymentMethod._try_get_canonical_test_article.__func__


def refusal(status, code, message):
    return UserError(status, message, {"type": "invalid_request_error", "code": code})


def make_other(self, type=None, **data):
    if type not in OTHERS:
        return make_method(self, type=type, **data)
    details = data.pop(type, {})
    make_method(self, type="card", card=dict(GOOD_CARD), billing_details=data.get("billing_details"))
    del self.card
    self.type = type
    setattr(self, type, details)
    return None


def find_named(cls, id):
    number = ASKING.get(id)
    return named(cls, id) if number is None else PaymentMethod(type="card", card=dict(GOOD_CARD, number=number))


def redirects(self):
    return self.type in REDIRECTS or authenticates(self)


def begin_by_token(self, confirmation_token=None, return_url=None, payment_method_types=None, **data):
    if confirmation_token is not None:
        token = tokens.get(confirmation_token)
        if token is None:
            raise refusal(400, "resource_missing", "No such confirmation token.")
        if token["payment_intent"] is not None:
            raise refusal(400, "confirmation_token_already_used", "This ConfirmationToken was used already.")
        data["payment_method"] = token["payment_method"]
        return_url = return_url or token["return_url"]
    name = data.get("payment_method")
    method = PaymentMethod._api_retrieve(name) if name else None
    if method is not None:
        kind = getattr(method, "type", "card")
        if payment_method_types is not None and kind not in payment_method_types:
            message = f"The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent."
            raise refusal(400, "payment_intent_incompatible_payment_method", message)
        if kind in DEBITS and confirmation_token is None:
            raise refusal(400, "payment_intent_mandate_invalid", "This PaymentIntent requires a mandate.")
        if kind in REDIRECTS and return_url is None:
            raise refusal(400, "parameter_missing", "A return_url must be specified.")
        if kind in DEBITS | {"ideal", "bancontact", "eps", "p24"} and data.get("capture_method") == "manual":
            raise refusal(400, "parameter_invalid", "This payment method can't be captured later.")
    begin(self, **data)
    self.return_url = return_url
    self.payment_method_types = payment_method_types or ["card"]
    if confirmation_token is not None:
        tokens[confirmation_token]["payment_intent"] = self.id


def confirm_elsewhere(self, on_failure_now):
    confirm(self, on_failure_now)
    method = PaymentMethod._api_retrieve(self.payment_method) if self.payment_method else None
    if self.next_action is not None and (getattr(method, "type", "card") in REDIRECTS or self.return_url):
        self.next_action = {
            "type": "redirect_to_url",
            "redirect_to_url": {"url": f"{here}/_pay/{self.id}", "return_url": self.return_url},
        }


def charge_later(self, on_success=None, on_failure_now=None, on_failure_later=None):
    method = PaymentMethod._api_retrieve(self.payment_method)
    if getattr(method, "type", "card") not in DEBITS:
        return charge(self, on_success, on_failure_now, on_failure_later)
    self._bank = (on_success, on_failure_later)
    schedule_webhook(Event("payment_intent.processing", PaymentIntent._api_retrieve(self.payment_intent)))
    return None


@web.middleware
async def pages(request, handler):
    """The pages of banks and wallets: a customer has no key."""
    _, kind, *rest = request.path.split("/")
    return pay(request, *rest) if request.method == "GET" and kind == "_pay" else await handler(request)


@web.middleware
async def cancellations(request, handler):
    """Payments that are cancelled while the bank is at work."""
    _, _, *rest = request.path.split("/")
    if request.method == "POST" and rest[:1] == ["payment_intents"] and rest[2:] == ["cancel"]:
        intent = PaymentIntent._api_retrieve(rest[1])
        if intent.status == "processing" and PaymentMethod._api_retrieve(intent.payment_method).type in CANCELLABLE:
            intent._canceled = True
            return web.json_response(intent._export())
    return await handler(request)


async def make_token(request):
    form = await request.post()
    kind, method = form.get("payment_method_data[type]"), form.get("payment_method")
    if kind is not None:
        data = {kind: {"iban": "DE89370400440532013000"}} if kind == "sepa_debit" else {}
        method = PaymentMethod._api_create(type=kind, **data).id
    return web.json_response(token_for(method, form.get("return_url")))


def token_for(method, return_url):
    id = "ctoken_" + random_id(24)
    preview = getattr(PaymentMethod._api_retrieve(method), "type", "card")
    tokens[id] = {"payment_method": method, "return_url": return_url, "payment_intent": None}
    return {"id": id, "object": "confirmation_token", "payment_method_preview": {"type": preview}}


async def settle(request):
    """For tests: what the bank says at last about a direct debit."""
    intent = PaymentIntent._api_retrieve(request.match_info["intent"])
    paid, failed = intent.latest_charge._bank
    if (await request.post())["success"] == "true":
        intent.latest_charge.status = "succeeded"
        paid()
    else:
        intent.latest_charge._set_auth_failure()
        failed()
    return web.json_response(intent._export())


def pay(request, id):
    """Pays or refuses, and sends the customer back."""
    intent = PaymentIntent._api_retrieve(id)
    answer = request.query.get("success")
    if answer is None:
        return web.Response(text=PAGE.format(total=intent.amount, currency=escape(intent.currency.upper())), content_type="text/html")
    if intent.status == "requires_action":
        try:
            PaymentIntent._api_authenticate(intent.id, client_secret=intent.client_secret, success=answer)
        except UserError:
            # The card is declined although the customer agreed: the page sends them back all the same.
            answer = "false"
    to, status = urlsplit(intent.return_url), "succeeded" if answer == "true" else "failed"
    query = urlencode([*parse_qsl(to.query), ("payment_intent", intent.id), ("redirect_status", status)])
    raise web.HTTPFound(to._replace(query=query).geturl())


# Set by `install`: this server's address, and how a payment began before.
here, begin = "", None


def install(app, address):
    global here, begin
    here, begin = address, PaymentIntent.__init__
    PaymentMethod.__init__ = make_other
    PaymentMethod._requires_authentication = redirects
    PaymentMethod._try_get_canonical_test_article = classmethod(find_named)
    PaymentIntent.__init__ = begin_by_token
    PaymentIntent._confirm = confirm_elsewhere
    Charge._initialize_charge = charge_later
    app.router.add_post("/v1/test_helpers/confirmation_tokens", make_token)
    app.router.add_post("/_settle/{intent}", settle)
    app.middlewares.insert(0, pages)
    app.middlewares.append(cancellations)
