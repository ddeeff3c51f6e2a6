//! Turning a session into one order, exactly once.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    checkout::{
        coupon,
        orders::{self, OrderError},
        payment::Finisher,
        request_context::RequestContext,
        reserve,
        session::{self, SessionError},
    },
    crash,
    domain::{
        card_rule::CardRefusal,
        cart_issue::{CartIssue, CartIssues},
        cash::CashRefusal,
        catalog::CatalogSnapshot,
        coupon::CouponRefusal,
        ids::{CheckoutId, OrderId},
        money::{Currency, Minor},
        open::OpenLimit,
        order::{Actor, Customer, Order, OrderStatus, Step, Tracking},
        order_payment::PaymentRefusal,
        payment::{CardToken, Payment, PaymentMethod, PaymentStatus},
        session::{Session, SessionStatus},
    },
    ports::{
        CardUnavailable, Catalog as _, ChangeId, DeclinePlaces, Loaded, Orders as _, Payments, Placed, Placement,
        Saved, Sessions as _, StoreError, StoredResponse, Stores,
    },
};

/// Attempts at one confirmation while others keep changing the session.
const ATTEMPTS: u32 = 12;

#[derive(Clone, Debug)]
pub struct Confirm {
    pub checkout: CheckoutId,
    /// The total that the customer saw and agreed to pay.
    pub expected_total: Minor,
    /// None only if there is nothing to pay.
    pub payment: Option<PaymentInput>,
    pub customer: Customer,
    pub notes: Option<String>,
}

/// The payment method, with the card's token.
#[derive(Clone, Debug)]
pub enum PaymentInput {
    CashOnDelivery,
    Card(CardToken),
}

/// An order, and whether this request made it.
#[derive(Clone, Debug)]
pub struct Confirmed {
    pub order: Order,
    pub created: bool,
    /// Set if the bank asks for authentication (3-D Secure): the browser continues with it.
    pub client_secret: Option<String>,
}

/// Why there is no order. Nothing is taken from stock or coupons; after an error of the store that isn't known: the
/// order may exist, and the next confirmation finds it.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    #[error("the session has no shipping address yet")]
    AddressRequired,
    #[error("the session has no shipping method yet")]
    MethodRequired,
    #[error("the request has no payment method, and the total isn't zero")]
    PaymentMethodRequired,
    /// The price has changed since the customer saw it. The session has the new prices.
    #[error("the total is {}, not what the customer agreed to", .0.priced.summary.total)]
    TotalChanged(Box<Session>),
    /// Other cart issues, which must be resolved first.
    #[error("the session can't become an order")]
    Issues(CartIssues),
    #[error("not enough in stock")]
    InsufficientStock(CartIssues),
    /// The coupon was valid when it was applied, but no longer is.
    #[error("a coupon doesn't apply any more")]
    Coupon { reason: CouponRefusal, currency: Currency },
    #[error(transparent)]
    Cash(#[from] CashRefusal),
    #[error(transparent)]
    Card(#[from] CardUnavailable),
    #[error(transparent)]
    CardTotal(#[from] CardRefusal),
    /// The provider takes no such amount, whatever the card. Stock, coupons and the session are as before.
    #[error("the payment provider doesn't take this amount: {code}; change the order, or pay in another way")]
    AmountRefused { code: String },
    /// Too many cards were declined for the session, the caller or the address. The next may be tried after this time.
    #[error("too many cards were declined; another may be tried later, or pay in another way")]
    TooManyDeclines(Duration),
    /// The bank declined the card. Stock, coupons and the session are as before.
    #[error("the card was declined")]
    Declined { code: Option<String> },
    /// The caller or the source address has too many open orders. Nothing is taken, or it has been given back.
    #[error(
        "at most {} orders that aren't paid, with {} units in all of them, may be open at once; finish paying for one, \
         cancel one, or wait until one is delivered",
        .0.orders, .0.units
    )]
    TooManyOpenOrders(OpenLimit),
    /// The session's order, or the one that this request made earlier, was cancelled: it wasn't paid in time, or somebody
    /// cancelled it.
    #[error(
        "the order was cancelled; if the session is open again, confirm it with a new Idempotency-Key, else start a new \
         checkout"
    )]
    OrderCancelled { order: OrderId },
    /// The order stands, and this request asks for something else.
    #[error(
        "the session has become an order that differs from this request in its total, its customer, its notes or its \
         payment method; nothing was charged, and nothing was changed: read the order"
    )]
    AlreadyPlaced { order: OrderId },
    /// The session's order has a payment that can't be replaced right now.
    #[error("an earlier payment of this session can't be ended at the moment; nothing new was charged: ask again")]
    PaymentInProgress,
    /// The idempotency key has made an order of another request.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    #[error("another request with this idempotency key was answered first")]
    AlreadyAnswered,
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl From<StoreError> for ConfirmError {
    fn from(error: StoreError) -> Self {
        Self::Session(SessionError::Store(error))
    }
}

/// Stores the order and everything that it reserves in one transaction. A repeated or simultaneous confirmation gets
/// the order that the first one made. One that pays in another way takes the place of a payment that still waits for its
/// customer. `key` is a digest of the idempotency key: with it a late duplicate gets its own order, even if that was
/// cancelled since. `stored_response` makes the answer that is stored in the same transaction.
pub async fn confirm(
    stores: &impl Stores,
    context: &RequestContext,
    command: Confirm,
    key: Option<&str>,
    stored_response: &(dyn Fn(&Order) -> Option<StoredResponse> + Sync),
) -> Result<Confirmed, ConfirmError> {
    let mut loaded = session::load(stores, context, command.checkout).await?;
    let mut retry = context.retry(ATTEMPTS);
    loop {
        if let Some(order) = key.and_then(|key| loaded.session.placed_with(key)) {
            let order = completed(stores, context, order).await?;
            return if is_for(&order, &command) {
                finish(stores, context, order, false).await
            } else {
                Err(ConfirmError::KeyReused)
            };
        }
        if let SessionStatus::Completed { order } = loaded.session.status {
            // The copy may still say that the session is open.
            let from_cache = loaded.from_cache;
            stores.sessions().touch(loaded, context.now).await;
            let order = completed(stores, context, order).await?;
            if !(from_cache && order.status == OrderStatus::Cancelled) {
                if let Some(confirmed) = stand_by(stores, context, order, &command).await? {
                    return Ok(confirmed);
                }
                loaded = session::load_fresh(stores, context, command.checkout).await?;
                if retry.at_once() {
                    continue;
                }
                return Err(SessionError::Contended.into());
            }
            // Since the copy was made, the session may have been reopened, and confirmed anew.
            loaded = session::load_fresh(stores, context, command.checkout).await?;
            match loaded.session.status {
                SessionStatus::Completed { order: same } if same == order.id => {
                    return finish(stores, context, order, false).await;
                }
                SessionStatus::Completed { .. } => continue,
                SessionStatus::Open => {}
            }
        }
        let snapshot = stores.catalog().snapshot(&session::query(&loaded.session)).await?;
        let mut session = loaded.session.clone();
        session::reprice(&mut session, &snapshot, context).map_err(SessionError::OutOfRange)?;
        let payment = refuse(&session, &command)
            .and_then(|()| payment(stores.payments(), context, &session, &snapshot, command.payment.as_ref()));
        let payment = match payment {
            Ok(payment) => payment,
            Err(refusal) => {
                // A simultaneous confirmation of this session may have taken the stock: a refusal is final only if the
                // session hasn't changed since it was priced.
                let fresh = session::load_fresh(stores, context, command.checkout).await?;
                if fresh.session.version != loaded.session.version {
                    loaded = fresh;
                    if retry.at_once() {
                        continue;
                    }
                    return Err(SessionError::Contended.into());
                }
                let change = retry.change();
                if let Some(refusal) = keep_new_prices(stores, context, &loaded, session, refusal, change).await? {
                    return Err(refusal);
                }
                if !retry.again().await {
                    return Err(SessionError::Contended.into());
                }
                loaded = session::load_fresh(stores, context, command.checkout).await?;
                continue;
            }
        };
        let currency = session.currency;
        let order = order(context, &session, &snapshot, &command, payment)?;
        session.complete(order.id, key);
        session::advance(&mut session, context);
        let stored_response = stored_response(&order);
        let placement = Placement { order: &order, session: &session, stored_response: stored_response.as_ref() };
        crash::point("confirm: nothing done").await;
        match stores.orders().place(placement, context.attempt(retry.change())).await? {
            Placed::Done => return finish(stores, context, order, true).await,
            Placed::SessionChanged if !retry.again().await => return Err(SessionError::Contended.into()),
            Placed::SessionChanged => loaded = session::load_fresh(stores, context, command.checkout).await?,
            Placed::AlreadyAnswered => return Err(ConfirmError::AlreadyAnswered),
            Placed::OutOfStock(list) => return Err(ConfirmError::InsufficientStock(CartIssues { currency, list })),
            Placed::TooManyOpenOrders(limit) => return Err(ConfirmError::TooManyOpenOrders(limit)),
            Placed::CouponLimitReached => {
                return Err(ConfirmError::Coupon { reason: CouponRefusal::LimitReached, currency });
            }
            Placed::CouponAlreadyUsed => {
                return Err(ConfirmError::Coupon { reason: CouponRefusal::AlreadyUsed, currency });
            }
        }
    }
}

/// Does the next actions of a card payment, whatever its state is. A declined order is an error: it does not count as
/// an order.
async fn finish(
    stores: &impl Stores,
    context: &RequestContext,
    order: Order,
    created: bool,
) -> Result<Confirmed, ConfirmError> {
    let done = Finisher::of(stores, context).finish(order, None).await?;
    let last = done.order.payment.card.as_ref().and_then(|card| card.events.last()?.code.clone());
    match (done.order.payment.status, done.too_many_open, last) {
        (PaymentStatus::Declined, _, code) => Err(ConfirmError::Declined { code }),
        (PaymentStatus::Cancelled, Some(limit), _) => Err(ConfirmError::TooManyOpenOrders(limit)),
        (PaymentStatus::Cancelled, None, Some(code)) => Err(ConfirmError::AmountRefused { code }),
        _ if done.order.status == OrderStatus::Cancelled => Err(ConfirmError::OrderCancelled { order: done.order.id }),
        _ => Ok(Confirmed { order: done.order, created, client_secret: done.client_secret }),
    }
}

/// Whether the order is what the request asks for.
fn is_for(order: &Order, command: &Confirm) -> bool {
    let is_paid_so = match (&order.payment.card, &command.payment) {
        (Some(card), Some(PaymentInput::Card(token))) => card.token == *token,
        _ => is_by_same_method(order, command.payment.as_ref()),
    };
    is_paid_so && has_same_content(order, command)
}

fn is_by_same_method(order: &Order, payment: Option<&PaymentInput>) -> bool {
    match (order.payment.method, payment) {
        // It costs nothing: the request's method doesn't matter.
        (PaymentMethod::Free, _)
        | (PaymentMethod::CashOnDelivery, Some(PaymentInput::CashOnDelivery))
        | (PaymentMethod::Card, Some(PaymentInput::Card(_))) => true,
        (PaymentMethod::CashOnDelivery | PaymentMethod::Card, _) => false,
    }
}

fn has_same_content(order: &Order, command: &Confirm) -> bool {
    order.summary.total == command.expected_total && order.customer == command.customer && order.notes == command.notes
}

/// What becomes of a request for a session that has an order already. None if the order's payment was ended: then the
/// session must be read again, because it is open if nothing was paid.
async fn stand_by(
    stores: &impl Stores,
    context: &RequestContext,
    order: Order,
    command: &Confirm,
) -> Result<Option<Confirmed>, ConfirmError> {
    if is_for(&order, command) {
        return finish(stores, context, order, false).await.map(Some);
    }
    if order.payment.card.is_some() && order.payment.status.is_open() {
        replace(stores, context, order).await?;
        return Ok(None);
    }
    if order.status == OrderStatus::Cancelled {
        return Err(ConfirmError::OrderCancelled { order: order.id });
    }
    // A page that makes a new token for each click asks for the same all the same.
    if is_by_same_method(&order, command.payment.as_ref()) && has_same_content(&order, command) {
        return finish(stores, context, order, false).await.map(Some);
    }
    Err(ConfirmError::AlreadyPlaced { order: order.id })
}

/// Ends the payment of an order whose customer pays in another way: at the provider first, so that nothing can be paid
/// for it any more. If it has been paid meanwhile, the order stands.
async fn replace(stores: &impl Stores, context: &RequestContext, order: Order) -> Result<(), ConfirmError> {
    // The request's own places are for the card that it tries.
    let places = DeclinePlaces::default();
    let finisher = Finisher { places: &places, ..Finisher::of(stores, context) };
    // Perhaps it is decided: for example, the customer failed to authenticate.
    let mut done = finisher.finish(order, None).await?;
    if done.order.payment.status.is_open() {
        let order = match orders::give_up(stores, context, done.order.id, &places).await {
            Ok(order) => order,
            Err(OrderError::Payment(PaymentRefusal::UnderWay)) => return Err(ConfirmError::PaymentInProgress),
            Err(OrderError::Store(error)) => return Err(error.into()),
            // It is being changed by others, or was claimed.
            Err(_) => return Err(SessionError::Contended.into()),
        };
        done = finisher.finish(order, None).await?;
    }
    if done.order.payment.status.is_open() { Err(ConfirmError::PaymentInProgress) } else { Ok(()) }
}

/// The order that the session has already become.
async fn completed(stores: &impl Stores, context: &RequestContext, id: OrderId) -> Result<Order, ConfirmError> {
    let owner = &context.who.owner;
    let order = stores.orders().get(owner, id).await?;
    // Of an open or cancelled order nothing is known yet: a card may be tried next.
    let over =
        order.as_ref().is_none_or(|order| !order.payment.status.is_open() && order.status != OrderStatus::Cancelled);
    let places = over.then_some(context.places.as_ref());
    stores.orders().drop_copies(owner, id, context.request(), places).await;
    // The session and its order were written in one transaction. So if the caller has no such order, it belongs to
    // someone else.
    order.ok_or(ConfirmError::Session(SessionError::NotFound))
}

/// Refuses a session that can't become an order at the total that the customer agreed to.
fn refuse(session: &Session, command: &Confirm) -> Result<(), ConfirmError> {
    if session.shipping_address.is_none() {
        return Err(ConfirmError::AddressRequired);
    }
    if session.shipping_method.is_none() {
        return Err(ConfirmError::MethodRequired);
    }
    let currency = session.currency;
    if let Some((_, reason)) = coupon::refusals(session).next() {
        return Err(ConfirmError::Coupon { reason, currency });
    }
    let blocking = session.priced.issues.iter().filter(|issue| issue.blocks()).cloned();
    let (short, blocking): (Vec<_>, Vec<_>) = blocking.partition(|p| matches!(p, CartIssue::OutOfStock { .. }));
    if !blocking.is_empty() {
        return Err(ConfirmError::Issues(CartIssues { currency, list: blocking }));
    }
    if !short.is_empty() {
        return Err(ConfirmError::InsufficientStock(CartIssues { currency, list: short }));
    }
    if session.priced.summary.total != command.expected_total {
        return Err(ConfirmError::TotalChanged(Box::new(session.clone())));
    }
    Ok(())
}

/// Stores the prices behind a refusal, so that the client reads the same session that was refused. `None` if the
/// session changed meanwhile: then it must be checked again.
async fn keep_new_prices(
    stores: &impl Stores,
    context: &RequestContext,
    loaded: &Loaded,
    mut session: Session,
    refusal: ConfirmError,
    change: ChangeId,
) -> Result<Option<ConfirmError>, ConfirmError> {
    if session.priced == loaded.session.priced {
        return Ok(Some(refusal));
    }
    session::advance(&mut session, context);
    match stores.sessions().save(&session, change).await? {
        Saved::Done => Ok(Some(match refusal {
            ConfirmError::TotalChanged(_) => ConfirmError::TotalChanged(Box::new(session)),
            refusal => refusal,
        })),
        Saved::Conflict(_) | Saved::AlreadyAnswered => Ok(None),
    }
}

/// The order's payment in its first state.
fn payment(
    payments: &impl Payments,
    context: &RequestContext,
    session: &Session,
    snapshot: &CatalogSnapshot,
    payment: Option<&PaymentInput>,
) -> Result<Payment, ConfirmError> {
    let total = session.priced.summary.total;
    if total.is_zero() {
        return Ok(Payment::nothing());
    }
    let PaymentInput::Card(token) = payment.ok_or(ConfirmError::PaymentMethodRequired)? else {
        let to = session.shipping_address.as_ref().ok_or(ConfirmError::AddressRequired)?.destination();
        snapshot.cash_on_delivery.allow(to, total, session.currency)?;
        return Ok(Payment::cash_on_delivery());
    };
    let terms = payments.terms(total, session.currency)?;
    snapshot.cards.allow(total, session.currency)?;
    if let Some(wait) = context.places.refused() {
        return Err(ConfirmError::TooManyDeclines(wait));
    }
    let payment = Payment::by_card(token.clone(), terms.capture, context.now, terms.time);
    Ok(payment.with_action_time(terms.action_time))
}

fn order(
    context: &RequestContext,
    session: &Session,
    snapshot: &CatalogSnapshot,
    command: &Confirm,
    payment: Payment,
) -> Result<Order, ConfirmError> {
    // Cash is paid on delivery, so the order is confirmed at once.
    let status = if payment.card.is_some() { OrderStatus::Pending } else { OrderStatus::Confirmed };
    let shipping_address = session.shipping_address.clone().ok_or(ConfirmError::AddressRequired)?;
    let mut order = Order {
        id: context.ids.order,
        owner: session.owner.clone(),
        checkout: session.id,
        status,
        version: 1,
        changes: BTreeSet::new(),
        payment,
        cancellation: None,
        currency: session.currency,
        lines: session.priced.lines.clone(),
        summary: session.priced.summary,
        taxes: session.priced.taxes.clone(),
        billing_address: session.billing_address.clone().unwrap_or_else(|| shipping_address.clone()),
        shipping_address,
        shipping: session.priced.shipping.clone().ok_or(ConfirmError::MethodRequired)?,
        coupons: session.priced.coupons.clone(),
        relief: session.priced.relief.clone(),
        reserved: reserve::reserved(session, snapshot)?,
        open: None,
        customer: command.customer.clone(),
        notes: command.notes.clone(),
        tracking: Tracking::default(),
        fulfillments: Vec::new(),
        line_cancellations: Vec::new(),
        returns: Vec::new(),
        history: vec![Step { status, at: context.now, actor: Actor::Customer, note: None }],
        created_at: context.now,
        updated_at: context.now,
    };
    order.open(context.address.clone());
    order.note_changes(None);
    Ok(order)
}
