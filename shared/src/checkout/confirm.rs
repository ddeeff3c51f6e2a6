//! Turning a session into one order, exactly once.

use std::collections::BTreeSet;

use crate::{
    checkout::{
        confirmation::{CardUse, Confirm, ConfirmError, Confirmed, PaymentInput},
        coupon,
        placed::{completed, finish, is_for, stand_by},
        request_context::RequestContext,
        reserve, saved_cards,
        session::{self, SessionError},
    },
    crash,
    domain::{
        cart_issue::{CartIssue, CartIssues},
        cash::CashRefusal,
        catalog::CatalogSnapshot,
        coupon::CouponRefusal,
        order::{Actor, Order, OrderStatus, Step, Tracking},
        payment::{Payment, PaymentCustomer},
        payment_option::PaymentOption,
        payment_rules::MethodRefusal,
        priced::PricedLine,
        session::{Session, SessionStatus},
    },
    ports::{
        Catalog as _, ChangeId, Loaded, Orders as _, Payments, Placed, Placement, Saved, Sessions as _, StoredResponse,
        Stores,
    },
};

/// Attempts at one confirmation while others keep changing the session.
const ATTEMPTS: u32 = 12;

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
    let mut customer = None;
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
            let agreed = loaded.session.total_by(command.payment.as_ref().map(PaymentInput::method));
            let is_agreed = agreed == command.expected_total;
            stores.sessions().touch(loaded, context.now).await;
            let order = completed(stores, context, order).await?;
            if !(from_cache && order.status == OrderStatus::Cancelled) {
                if let Some(confirmed) = stand_by(stores, context, order, &command, is_agreed, retry.attempt()).await? {
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
        let paid = refuse(&session, &loaded.session.priced.lines, &snapshot, &command).and_then(|option| {
            let payment = payment(stores.payments(), context, &session, &snapshot, command.payment.as_ref())?;
            Ok((payment, option.cloned()))
        });
        let (payment, option) = match paid {
            Ok(paid) => paid,
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
        let payment = with_customer(stores, &session, &command, payment, &mut customer).await?;
        let currency = session.currency;
        let mut order = order(context, &session, &snapshot, &command, payment, option.as_ref())?;
        session.complete(order.id, key);
        session::advance(&mut session, context);
        let stored_response = stored_response(&order);
        let (stored_response, parts) = (stored_response.as_ref(), &snapshot.parts);
        let placement = Placement { order: &order, session: &session, stored_response, parts };
        crash::point("confirm: nothing done").await;
        match stores.orders().place(placement, context.attempt(retry.change())).await? {
            Placed::Done(parts) => {
                order.reserved.parts = parts;
                return finish(stores, context, order, true).await;
            }
            Placed::SessionChanged if !retry.again().await => return Err(SessionError::Contended.into()),
            Placed::SessionChanged => loaded = session::load_fresh(stores, context, command.checkout).await?,
            Placed::AlreadyAnswered => return Err(ConfirmError::AlreadyAnswered),
            // What others took may be sold beyond the stock: another price says how much of it comes later.
            Placed::OutOfStock(list) if may_wait(&list, &snapshot) && retry.again().await => {
                loaded = session::load_fresh(stores, context, command.checkout).await?;
            }
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

/// Whether any of the stock that was short may be sold beyond it.
fn may_wait(short: &[CartIssue], snapshot: &CatalogSnapshot) -> bool {
    let skus = short.iter().filter_map(CartIssue::sku);
    let products = skus.filter_map(|sku| Some((snapshot.products.get(&sku.product)?, sku)));
    products.into_iter().any(|(product, sku)| match &sku.variant {
        Some(variant) => product.counted(Some(variant)).is_some_and(|counted| counted.backorder.is_some()),
        None => product.backorder.is_some(),
    })
}

/// Refuses a session that can't become an order, paid by this method, at the total that the customer agreed to, or of
/// which more comes later than the lines said that the customer was shown. Returns what the method adds to the total, if
/// the catalog has rules for methods.
fn refuse<'s>(
    session: &'s Session,
    shown: &[PricedLine],
    snapshot: &CatalogSnapshot,
    command: &Confirm,
) -> Result<Option<&'s PaymentOption>, ConfirmError> {
    if session.tax_address().is_none() {
        return Err(if session.priced.ships() {
            ConfirmError::AddressRequired
        } else {
            ConfirmError::BillingAddressRequired
        });
    }
    if session.priced.ships() && session.shipping_method.is_none() {
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
    let option = option(session, snapshot, command.payment.as_ref())?;
    let total = option.map_or(session.priced.summary.total, |option| option.total);
    if total != command.expected_total {
        return Err(ConfirmError::TotalChanged(Box::new(session.clone())));
    }
    let waits = |line: Option<&PricedLine>| line.and_then(|line| line.backorder).map_or(0, |of| of.quantity);
    let mut lines = session.priced.lines.iter().enumerate();
    if lines.any(|(at, line)| waits(Some(line)) > waits(shown.get(at))) {
        return Err(ConfirmError::BackorderChanged(Box::new(session.clone())));
    }
    Ok(option)
}

/// What the payment method adds to the total. None if the catalog has no rules for methods, or there is nothing to pay.
fn option<'s>(
    session: &'s Session,
    snapshot: &CatalogSnapshot,
    payment: Option<&PaymentInput>,
) -> Result<Option<&'s PaymentOption>, ConfirmError> {
    let (total, currency) = (session.priced.summary.total, session.currency);
    let Some((rules, payment)) = snapshot.rules.payments.as_ref().zip(payment).filter(|_| !total.is_zero()) else {
        return Ok(None);
    };
    let method = payment.method();
    if let Some(option) = session.payment_option(method) {
        return Ok(Some(option));
    }
    // It isn't offered: this says why.
    let to = session.tax_address().ok_or(ConfirmError::AddressRequired)?.destination();
    rules.allow(method, session.priced.ships(), to, total, currency)?;
    if method.is_online() {
        snapshot.rules.cards.allow(total, currency)?;
    }
    Err(MethodRefusal::FeeTaxUnknown(method).into())
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
    let was = &loaded.session;
    if session.priced == was.priced && session.payment_options == was.payment_options {
        return Ok(Some(refusal));
    }
    session::advance(&mut session, context);
    match stores.sessions().save(&session, change).await? {
        Saved::Done => Ok(Some(match refusal {
            ConfirmError::TotalChanged(_) => ConfirmError::TotalChanged(Box::new(session)),
            ConfirmError::BackorderChanged(_) => ConfirmError::BackorderChanged(Box::new(session)),
            refusal => refusal,
        })),
        Saved::Conflict(_) | Saved::AlreadyAnswered => Ok(None),
    }
}

/// The payment with the account's customer at the provider, if its card is a saved one or will be. The provider is asked
/// once, when nothing else can be refused any more, and before anything is reserved.
async fn with_customer(
    stores: &impl Stores,
    session: &Session,
    command: &Confirm,
    payment: Payment,
    known: &mut Option<PaymentCustomer>,
) -> Result<Payment, ConfirmError> {
    let (CardUse::Save | CardUse::Saved, Some(card)) = (command.card_use, &payment.card) else { return Ok(payment) };
    let customer = if let Some(customer) = known {
        customer
    } else {
        let is_saved = command.card_use == CardUse::Saved;
        known.insert(saved_cards::customer_for(stores, &session.owner, &card.token, is_saved).await?)
    };
    Ok(payment.as_customer(customer.clone(), command.card_use == CardUse::Save))
}

/// The order's payment in its first state.
fn payment(
    payments: &impl Payments,
    context: &RequestContext,
    session: &Session,
    snapshot: &CatalogSnapshot,
    payment: Option<&PaymentInput>,
) -> Result<Payment, ConfirmError> {
    if session.priced.summary.total.is_zero() {
        return Ok(Payment::nothing());
    }
    let total = session.total_by(payment.map(PaymentInput::method));
    let PaymentInput::Online { method, token, return_url } = payment.ok_or(ConfirmError::PaymentMethodRequired)? else {
        // The rules for payment methods have allowed it.
        if snapshot.rules.payments.is_some() {
            return Ok(Payment::cash_on_delivery());
        }
        if !session.priced.ships() {
            return Err(CashRefusal::NothingToDeliver.into());
        }
        let to = session.shipping_address.as_ref().ok_or(ConfirmError::AddressRequired)?.destination();
        snapshot.rules.cash_on_delivery.allow(to, total, session.currency)?;
        return Ok(Payment::cash_on_delivery());
    };
    let terms = payments.terms(*method, total, session.currency)?;
    snapshot.rules.cards.allow(total, session.currency)?;
    if let Some(wait) = context.places.refused() {
        return Err(ConfirmError::TooManyDeclines(wait));
    }
    let payment = Payment::online(*method, token.clone(), terms.capture, context.now, terms.time);
    Ok(payment.with_action_time(terms.action_time).with_return_url(return_url.clone()))
}

fn order(
    context: &RequestContext,
    session: &Session,
    snapshot: &CatalogSnapshot,
    command: &Confirm,
    payment: Payment,
    option: Option<&PaymentOption>,
) -> Result<Order, ConfirmError> {
    // Cash is paid on delivery, so the order is confirmed at once.
    let status = if payment.card.is_some() { OrderStatus::Pending } else { OrderStatus::Confirmed };
    // A session keeps the address and the method of goods that have left its cart; its order doesn't.
    let (shipping_address, shipping) = if session.priced.ships() {
        let address = session.shipping_address.clone().ok_or(ConfirmError::AddressRequired)?;
        (Some(address), Some(session.priced.shipping.clone().ok_or(ConfirmError::MethodRequired)?))
    } else {
        (None, None)
    };
    let (mut summary, mut taxes) = (session.priced.summary, session.priced.taxes.clone());
    if let Some(option) = option {
        option.add_to(&mut summary, &mut taxes).map_err(SessionError::OutOfRange)?;
    }
    let billing_address = session.billing_address.as_ref().or(session.shipping_address.as_ref());
    let mut order = Order {
        id: context.ids.order,
        owner: session.owner.clone(),
        checkout: session.id,
        status,
        version: 1,
        changes: BTreeSet::new(),
        versions: Vec::new(),
        payment,
        cancellation: None,
        currency: session.currency,
        lines: session.priced.lines.clone(),
        summary,
        payment_fee: option.and_then(|option| option.fee.clone()),
        taxes,
        billing_address: billing_address.cloned().ok_or(ConfirmError::BillingAddressRequired)?,
        shipping_address,
        shipping,
        coupons: session.priced.coupons.clone(),
        relief: session.priced.relief.clone(),
        reserved: reserve::reserved(session, snapshot, &command.customer.email)?,
        open: None,
        customer: command.customer.clone(),
        notes: command.notes.clone(),
        tracking: Tracking::default(),
        fulfillments: Vec::new(),
        line_cancellations: Vec::new(),
        corrections: Vec::new(),
        returns: Vec::new(),
        history: vec![Step { status, at: context.now, actor: Actor::Customer, note: None }],
        created_at: context.now,
        updated_at: context.now,
    };
    order.open(context.address.clone());
    order.note_changes(None);
    Ok(order)
}
