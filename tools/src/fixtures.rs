//! The session and the orders that the files in `events/` name, made by the use cases themselves.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use shared::{
    adapters::redis::{command::Command, connection::RedisConnection},
    app::{App, Clock},
    checkout::{
        confirm::confirm,
        confirmation::{CardUse, Confirm, ConfirmError, PaymentInput},
        initiate::{Initiate, InitiateError, initiate},
        request_context::{Caller, FreshIds, RequestContext},
    },
    domain::{
        address::{Address, RawAddress},
        attributes::Attributes,
        ids::{CheckoutId, GuestId, OrderId, Owner, Sku},
        lines::LineUnits,
        money::{Currency, Minor},
        order::{Actor, Customer, Order, OrderStatus},
        order_lines::LineRefusal,
        order_payment::ShippingTerms,
        payment::{
            Capture, Payment, PaymentStatus, ProviderRefund, ProviderRefundStatus, Refund, RefundSource, Refunded,
        },
        priced::Line,
        tax::TaxStatus,
    },
    ports::{Attempt, ChangeId, DeclinePlaces, Orders as _, Release},
};
use time::OffsetDateTime;
use uuid::Uuid;

/// The owner of both.
pub const GUEST: GuestId = GuestId::new(Uuid::from_u128(0xa3bb_189e_8bf9_4c2d_9f43_1d2e_3f4a_5b6c));
/// The signed-in customer of the events.
pub const USER: &str = "customer-1";
/// An open session: two bags of coffee to California, by standard shipping.
pub const CHECKOUT: CheckoutId = CheckoutId::new(Uuid::from_u128(0x6f1c_2d34_8a5b_4c6d_9e7f_0a1b_2c3d_4e5f));
/// An order of the same, just confirmed.
pub const ORDER: OrderId = OrderId::new(Uuid::from_u128(0x0193_0d5c_7a00_7000_8000_0000_0000_c0de));
/// An order that another guest has paid by card, with a partial refund. It is shipped, and a return is asked for.
pub const PAID: OrderId = OrderId::new(Uuid::from_u128(0x0193_0d5c_7a00_7000_8000_0000_0000_ca2d));
/// The partial refund. Requested again, it is the same refund.
const REFUND: Uuid = Uuid::from_u128(0x9f0c_2f0a_5f0e_4e0e_8f57_0a6f_3f5c_2d11);
/// The return that is asked for.
const RETURN: Uuid = Uuid::from_u128(0x5b0c_2f0a_5f0e_4e0e_8f57_0a6f_3f5c_2d14);
const PAYER: GuestId = GuestId::new(Uuid::from_u128(0xa3bb_189e_8bf9_4c2d_9f43_1d2e_3f4a_5b6d));
const PAID_SESSION: CheckoutId = CheckoutId::new(Uuid::from_u128(0x6f1c_2d34_8a5b_4c6d_9e7f_0a1b_2c3d_4e61));
/// The session that became the order.
const ORDERED: CheckoutId = CheckoutId::new(Uuid::from_u128(0x6f1c_2d34_8a5b_4c6d_9e7f_0a1b_2c3d_4e60));

/// Why the fixtures could not be made.
#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    #[error("the session couldn't be made")]
    Initiate(#[from] InitiateError),
    #[error("the order couldn't be made")]
    Confirm(#[from] ConfirmError),
    #[error("the old fixtures couldn't be deleted: {0}")]
    Clear(String),
}

/// Stores the fixtures in their original state, where the events expect them. The sample catalog must be loaded.
pub async fn seed(app: &App) -> Result<(), FixtureError> {
    clear(app).await.map_err(|error| FixtureError::Clear(error.to_string()))?;
    open(app, GUEST, CHECKOUT, ORDER).await?;
    place(app, GUEST, ORDERED, ORDER).await?;
    let (context, mut order) = place(app, PAYER, PAID_SESSION, PAID).await?;
    let before = order.clone();
    order.payment = paid(&order, context.now)?;
    ship(&mut order, context.now).map_err(|error| FixtureError::Clear(error.to_string()))?;
    let release = order.follow(&before);
    let saved = app.orders.save(&order, release, None, context.attempt(context.request().attempt(1))).await;
    saved.map_err(|error| FixtureError::Clear(error.to_string()))?;
    Ok(())
}

/// As if Stripe had been called. The events don't need Stripe.
fn paid(order: &Order, now: OffsetDateTime) -> Result<Payment, FixtureError> {
    let fault = |error: &dyn std::fmt::Display| FixtureError::Clear(error.to_string());
    let token = "pm_card_visa".parse().map_err(|error| fault(&error))?;
    let mut payment = Payment::by_card(token, Capture::Automatic, now, time::Duration::minutes(30));
    if let Some(card) = &mut payment.card {
        card.intent = Some("pi_seeded".to_owned());
        card.captured = order.summary.total;
        card.due = None;
    }
    payment.become_status(PaymentStatus::Paid, None, now);
    let amount = Minor::new(500).map_err(|error| fault(&error))?;
    let reason = Some("One bag was torn.".to_owned());
    payment.add_refund(Refund::new(REFUND, amount, false, reason, RefundSource::Shop, now));
    let status = ProviderRefundStatus::Succeeded;
    let made = ProviderRefund { id: "re_seeded".to_owned(), ours: Some(REFUND), amount, status, at: now };
    payment.learn_refund(REFUND, &Refunded::Made(made), order.summary.total, now);
    Ok(payment)
}

/// Both bags are shipped, and the customer wants to send one back.
fn ship(order: &mut Order, now: OffsetDateTime) -> Result<(), LineRefusal> {
    order.move_by_hand(OrderStatus::Shipped, ShippingTerms::default(), Actor::Customer, None, now)?;
    let one = vec![LineUnits { line: 0, quantity: 1 }];
    order.ask_return(RETURN, one, Some("Too dark.".to_owned()), Actor::Customer, now)?;
    Ok(())
}

/// A session that became an order, with cash on delivery.
async fn place(
    app: &App,
    guest: GuestId,
    checkout: CheckoutId,
    order: OrderId,
) -> Result<(RequestContext, Order), FixtureError> {
    let (context, session) = open(app, guest, checkout, order).await?;
    let command = Confirm {
        checkout,
        expected_total: session.priced.summary.total,
        payment: Some(PaymentInput::CashOnDelivery),
        card_use: CardUse::Once,
        customer: Customer {
            email: "ada@example.com".to_owned(),
            first_name: "Ada".to_owned(),
            last_name: Some("Sample".to_owned()),
            phone: None,
        },
        notes: None,
    };
    let order = confirm(app, &context, command, None, &|_| None).await?.order;
    Ok((context, order))
}

async fn open(
    app: &App,
    guest: GuestId,
    checkout: CheckoutId,
    order: OrderId,
) -> Result<(RequestContext, shared::domain::session::Session), InitiateError> {
    let context = RequestContext {
        who: Caller { owner: Owner::Guest(guest) },
        now: app.now(),
        deadline: tokio::time::Instant::now() + Duration::from_secs(10),
        session_ttl: app.config.times.session_ttl,
        cached: None,
        looked: None,
        address: None,
        source: None,
        places: std::sync::Arc::default(),
        ids: FreshIds { checkout, order, guest, change: Uuid::new_v4() },
    };
    let session = initiate(app, &context, cart(), &|_| None).await?;
    // The confirmation is another request, with its own change ids.
    let ids = FreshIds { change: Uuid::new_v4(), ..context.ids };
    Ok((RequestContext { ids, ..context }, session))
}

/// Two bags of coffee to California, by standard shipping.
fn cart() -> Initiate {
    let address = RawAddress {
        first_name: "Ada".to_owned(),
        last_name: Some("Sample".to_owned()),
        address_line1: "1 Market Street".to_owned(),
        city: "San Francisco".to_owned(),
        state: Some("CA".to_owned()),
        postal_code: Some("94105".to_owned()),
        country: "US".to_owned(),
        ..RawAddress::default()
    };
    Initiate {
        lines: "espresso-beans"
            .parse()
            .map(|product| Line { sku: Sku { product, variant: None }, attributes: Attributes::default(), quantity: 2 })
            .into_iter()
            .collect(),
        currency: Some(Currency::USD),
        shipping_address: Address::parse(address).ok(),
        billing_address: None,
        shipping_method: "us-standard".parse().ok(),
        coupons: Vec::new(),
        tax_status: TaxStatus::default(),
        recover_by_email: false,
    }
}

/// Gives back an order's place among its caller's open orders.
async fn close(app: &App, owner: &str, id: OrderId) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    let Some(mut order) = app.orders.get(&owner.parse()?, id).await? else { return Ok(()) };
    let release = Release { open: order.open.take(), ..Release::default() };
    order.version += 1;
    let (change, places) = (ChangeId(Uuid::new_v4()), DeclinePlaces::default());
    let attempt = Attempt { request: change, change, deadline, places: &places };
    app.orders.save(&order, release, None, attempt).await?;
    Ok(())
}

/// Deletes the fixtures as earlier events left them, and their copies.
async fn clear(app: &App) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let text = |value: String| AttributeValue::S(value);
    let dynamo = &app.catalog;
    for checkout in [CHECKOUT, ORDERED, PAID_SESSION] {
        let request = dynamo.client.delete_item().table_name(&dynamo.tables.sessions);
        request.key("checkoutId", text(checkout.to_string())).send().await?;
    }
    let (owner, payer) = (Owner::Guest(GUEST), Owner::Guest(PAYER));
    // The user may have claimed it.
    let owners = [(owner.to_string(), ORDER), (format!("user#{USER}"), ORDER), (payer.to_string(), PAID)];
    for (owner, order) in owners {
        close(app, &owner, order).await?;
        let request = dynamo.client.delete_item().table_name(&dynamo.tables.orders);
        request.key("owner", text(owner)).key("orderId", text(order.to_string())).send().await?;
    }
    let redis = RedisConnection::new(&app.config.redis, || Clock::System.now())?;
    let keys = &redis.keys;
    let copies = [
        keys.session(CHECKOUT),
        keys.session(ORDERED),
        keys.session(PAID_SESSION),
        keys.order(ORDER),
        keys.order(PAID),
        keys.orders(&owner),
        keys.orders(&payer),
    ];
    // One command for each key, because in a cluster the keys are on different nodes.
    let commands = copies.map(|key| Command::new("clear fixtures", "UNLINK").arg(key));
    if redis.send_always(&commands).await.contains(&None) {
        return Err("the copies in Redis can't be cleared".into());
    }
    Ok(())
}
