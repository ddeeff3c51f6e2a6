//! Orders as the client sees them.

use serde::Serialize;
use time::{OffsetDateTime, serde::rfc3339};

use crate::{
    checkout::{
        request_context::{CallerOrLink, CallerOrStaff},
        search::FoundOrders,
    },
    domain::{
        address::Address,
        correction::Corrected,
        ids::{CertificateNumber, CheckoutId, OrderId, UserId},
        money::{Currency, Minor},
        note::NoteVisibility,
        order::{Actor, Customer, Order, OrderStatus},
        order_search::OrderSearch,
        payment::{CustomerAction, PaymentMethod, PaymentStatus},
        tax::Relief,
        vat::VatNumber,
    },
    http::{
        cursor,
        view::{
            cash::CashView,
            lines::{CancellationView, FulfillmentView, OrderItemView, ReturnView, amount_due, side},
            parts::{CouponView, ExplanationView, OfferView, OwnerView, SummaryView, TaxView},
            payment::PaymentView,
            payment_option::PaymentFeeView,
        },
    },
    ports::OrderPage,
};

/// One order, as its customer sees it: `{"order": {…}}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct OrderAnswer {
    pub order: OrderView,
}

impl From<&Order> for OrderAnswer {
    fn from(order: &Order) -> Self {
        let explain = order.explain().into_iter().map(Into::into).collect();
        Self { order: OrderView { explain, ..order.into() } }
    }
}

impl OrderAnswer {
    /// For staff: with every note, and without the guest's id, because it works like the guest's password.
    pub fn for_staff(order: &Order) -> Self {
        let mut answer = Self::from(order);
        answer.order.owner.hide_guest();
        answer.order.status_history = history(order, Reader::Staff);
        answer.order.corrections = CorrectionView::all(order, Reader::Staff);
        answer
    }

    /// For the owner, or for staff.
    pub fn shown_to(who: &CallerOrStaff, order: &Order) -> Self {
        if who.staff.is_some() { Self::for_staff(order) } else { Self::from(order) }
    }

    /// For the bearer of an order link: what the customer sees, without whose it is.
    pub fn by_link(order: &Order) -> Self {
        let mut answer = Self::from(order);
        answer.order.owner.hide();
        answer
    }

    /// For whoever may cancel it.
    pub fn shown_to_bearer(who: &CallerOrLink, order: &Order) -> Self {
        match who {
            CallerOrLink::Caller(who) => Self::shown_to(who, order),
            CallerOrLink::Link(_) => Self::by_link(order),
        }
    }

    /// For the owner, or for staff who look into an order: they also see who of them did what, and the provider's id of
    /// the payment.
    pub fn read_by(who: &CallerOrStaff, order: &Order) -> Self {
        let mut answer = Self::from(order);
        if who.staff.is_some() {
            answer.order.open_to_staff(order);
        }
        answer
    }

    /// Adds what the customer's browser needs to continue the payment.
    #[must_use]
    pub fn with_action(mut self, action: Option<CustomerAction>) -> Self {
        if let Some(payment) = &mut self.order.payment {
            payment.action = action.map(Into::into);
        }
        self
    }
}

/// An order.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    order_id: OrderId,
    order_number: String,
    checkout_id: CheckoutId,
    status: OrderStatus,
    payment_method: PaymentMethod,
    payment_status: PaymentStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cash: Option<CashView>,
    /// The cancellation was accepted, and is done when it is certain what becomes of the payment.
    #[serde(with = "rfc3339::option", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(with = "Option<crate::domain::schema::Timestamp>"))]
    cancellation_requested_at: Option<OffsetDateTime>,
    version: u64,
    currency: Currency,
    items: Vec<OrderItemView>,
    summary: SummaryView,
    /// The fee of the payment method, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_fee: Option<PaymentFeeView>,
    tax_breakdown: Vec<TaxView>,
    /// Left out if nothing of the order is shipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address: Option<Address>,
    billing_address: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_method: Option<OfferView>,
    /// The first of `coupons` that was entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    coupon: Option<CouponView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    coupons: Vec<CouponView>,
    /// Why no tax was charged where one is usually due: the number of a certificate, or a VAT number.
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_exemption_certificate: Option<CertificateNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vat_number: Option<VatNumber>,
    #[serde(flatten)]
    owner: OwnerView,
    customer_info: Customer,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<String>,
    /// Of an order that isn't paid yet: its total less what was cancelled or returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_due: Option<Minor>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fulfillments: Vec<FulfillmentView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cancellations: Vec<CancellationView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    returns: Vec<ReturnView>,
    /// Only staff see them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    corrections: Vec<CorrectionView>,
    status_history: Vec<StepView>,
    /// Not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    explain: Vec<ExplanationView>,
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    created_at: OffsetDateTime,
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    updated_at: OffsetDateTime,
}

impl OrderView {
    fn open_to_staff(&mut self, order: &Order) {
        self.owner.hide_guest();
        self.status_history = history(order, Reader::Support);
        self.corrections = CorrectionView::all(order, Reader::Support);
        if let Some((payment, card)) = self.payment.as_mut().zip(order.payment.card.as_deref()) {
            payment.payment_intent_id.clone_from(&card.intent);
        }
    }
}

/// An entry of the history.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct StepView {
    status: OrderStatus,
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    at: OffsetDateTime,
    /// `customer`, `payment` or `staff`. The customer doesn't see which member of the staff.
    #[cfg_attr(feature = "openapi", schemars(extend("enum" = ["customer", "payment", "staff"])))]
    actor: &'static str,
    /// Which member of the staff. Only staff who look into an order see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    staff_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Who may read the note. Only staff see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note_visibility: Option<NoteVisibility>,
}

/// What staff have corrected.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct CorrectionView {
    #[serde(with = "rfc3339")]
    #[cfg_attr(feature = "openapi", schemars(with = "crate::domain::schema::Timestamp"))]
    at: OffsetDateTime,
    #[cfg_attr(feature = "openapi", schemars(extend("enum" = ["customer", "payment", "staff"])))]
    actor: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    staff_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// JSON pointers into the order.
    members: Vec<String>,
}

impl CorrectionView {
    fn all(order: &Order, reader: Reader) -> Vec<Self> {
        let view = |Corrected { at, actor, reason, members }: &Corrected| Self {
            at: *at,
            actor: side(actor),
            staff_id: reader.sees(actor),
            reason: reason.clone(),
            members: members.clone(),
        };
        order.corrections.iter().map(view).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Customer,
    Staff,
    /// Staff who look into an order.
    Support,
}

impl Reader {
    /// Which member of the staff it was, for those who may know.
    fn sees(self, actor: &Actor) -> Option<UserId> {
        match actor {
            Actor::Staff(user) if self == Self::Support => Some(user.clone()),
            Actor::Staff(_) | Actor::Customer | Actor::Payment => None,
        }
    }
}

/// The history as someone may read it. A step that is only a note is left out together with its note.
fn history(order: &Order, reader: Reader) -> Vec<StepView> {
    let mut before = None;
    let shown = order.history.iter().filter_map(|step| {
        let moved = before.replace(step.status) != Some(step.status);
        let for_all = |visibility| visibility == NoteVisibility::Customer;
        let note = step.note.as_ref().filter(|note| reader != Reader::Customer || for_all(note.visibility));
        let note_visibility = note.filter(|_| reader != Reader::Customer).map(|note| note.visibility);
        (moved || note.is_some()).then(|| StepView {
            status: step.status,
            at: step.at,
            actor: side(&step.actor),
            staff_id: reader.sees(&step.actor),
            note: note.map(|note| note.text.clone()),
            note_visibility,
        })
    });
    shown.collect()
}

impl From<&Order> for OrderView {
    fn from(order: &Order) -> Self {
        let coupons: Vec<CouponView> = order.coupons.iter().map(Into::into).collect();
        Self {
            order_id: order.id,
            order_number: order.number(),
            checkout_id: order.checkout,
            status: order.status,
            payment_method: order.payment.method,
            payment_status: order.payment.status,
            payment: PaymentView::of(order),
            cash: order.payment.cash.as_deref().map(Into::into),
            cancellation_requested_at: order.cancellation.as_ref().map(|cancellation| cancellation.at),
            version: order.version,
            currency: order.currency,
            items: OrderItemView::all(order),
            summary: order.summary.into(),
            payment_fee: order.payment_fee.as_ref().map(Into::into),
            tax_breakdown: order.taxes.iter().map(Into::into).collect(),
            shipping_address: order.shipping_address.clone(),
            billing_address: order.billing_address.clone(),
            shipping_method: order.shipping.as_ref().map(Into::into),
            coupon: CouponView::first(&coupons),
            coupons,
            tax_exemption_certificate: match &order.relief {
                Some(Relief::Exempt(number)) => Some(number.clone()),
                _ => None,
            },
            vat_number: match &order.relief {
                Some(Relief::ReverseCharge(number)) => Some(number.clone()),
                _ => None,
            },
            explain: Vec::new(),
            owner: (&order.owner).into(),
            customer_info: order.customer.clone(),
            notes: order.notes.clone(),
            tracking_number: order.tracking.number.clone(),
            carrier: order.tracking.carrier.clone(),
            amount_due: amount_due(order),
            fulfillments: FulfillmentView::all(order),
            cancellations: order.line_cancellations.iter().map(Into::into).collect(),
            returns: order.returns.iter().map(Into::into).collect(),
            corrections: Vec::new(),
            status_history: history(order, Reader::Customer),
            created_at: order.created_at,
            updated_at: order.updated_at,
        }
    }
}

/// A page of orders: `{"orders": […], "nextCursor": "…"}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderPageView {
    orders: Vec<OrderView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl From<&OrderPage> for OrderPageView {
    fn from(page: &OrderPage) -> Self {
        let next = page.next.map(cursor::text);
        Self { orders: page.orders.iter().map(Into::into).collect(), next_cursor: next }
    }
}

/// A page of orders that staff have searched for: `{"orders": […], "nextCursor": "…"}`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FoundOrdersView {
    orders: Vec<OrderView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl FoundOrdersView {
    pub fn of(found: &FoundOrders, search: &OrderSearch) -> Self {
        let view = |order: &Order| {
            let mut view = OrderView::from(order);
            view.open_to_staff(order);
            view
        };
        let next_cursor = found.next.map(|after| cursor::text_of(after, &search.text()));
        Self { orders: found.orders.iter().map(view).collect(), next_cursor }
    }
}
