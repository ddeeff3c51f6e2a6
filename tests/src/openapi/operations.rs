//! What the document says of each route in words, and with which codes the route may refuse.

use shared::http::route::{BodyKind, CallerKind, CardScan, Route, RouteSpec};

/// Codes in groups that several routes have.
pub type Codes = &'static [&'static [&'static str]];

/// One route.
#[derive(Debug)]
pub struct Operation {
    pub tag: &'static str,
    pub summary: &'static str,
    /// What it answers with when all is well.
    pub successes: &'static [u16],
    /// The codes that the route has besides those of any route like it.
    pub codes: Codes,
}

/// The routes in groups, as a reader looks for them.
pub const TAGS: [(&str, &str); 7] = [
    ("Shop", "What a page shows before there is a session."),
    ("Cart", "A checkout session, from its cart to its total."),
    ("Order", "Confirming, and what a customer may do with an order."),
    ("Account", "What belongs to a signed-in customer."),
    ("Staff", "What the shop's staff do."),
    ("Limits", "What a caller has left, and whether the checkout is well."),
    ("Provider", "Stripe's events."),
];

const fn operation(tag: &'static str, summary: &'static str, successes: &'static [u16], codes: Codes) -> Operation {
    Operation { tag, summary, successes, codes }
}

/// What the route's own code may refuse with, and what it does.
pub fn of(route: Route) -> Operation {
    use Route as R;
    match route {
        R::Initiate => operation("Cart", "Open a session for a cart", &[201], INITIATE),
        R::GetSession => operation("Cart", "Read a session", &[200, 304], &[NO_SESSION]),
        R::UpdateItems => operation("Cart", "Replace the cart of a session", &[200], ITEMS),
        R::UpdateAddress => operation("Cart", "Set the addresses of a session", &[200], ADDRESS),
        R::CalculateShipping => operation("Cart", "List shipping methods, or choose one", &[200], SHIPPING),
        R::CalculateTax => operation("Cart", "List taxes; set a certificate or a VAT number", &[200], TAX),
        R::ApplyCoupon => operation("Cart", "Apply a coupon", &[200], APPLY_COUPON),
        R::RemoveCoupon => operation("Cart", "Remove a coupon, or all", &[200], &[NO_SESSION, OPEN_SESSION]),
        R::CalculateShippingPreview => operation("Cart", "List shipping methods without a session", &[200], PREVIEW),
        R::ConfirmOrder => operation("Order", "Confirm a session: it becomes an order", &[200, 201, 202], CONFIRM),
        R::ListOrders => operation("Order", "List the caller's orders", &[200], &[]),
        R::GetOrder => operation("Order", "Read an order", &[200], &[&["ORDER_LINK_EXPIRED", "ORDER_NOT_FOUND"]]),
        R::LookupOrder => operation("Order", "Ask for a link to an order by mail", &[202], &[&["ORDER_LINKS_OFF"]]),
        R::CancelOrder => operation("Order", "Cancel an order, or units of it", &[200, 202], CANCEL),
        R::CreateReturn => operation("Order", "Ask for a return", &[200, 201], RETURN),
        R::Claim => operation("Account", "Move a guest's sessions and orders to the account", &[200], &[&["BUSY"]]),
        R::ListPaymentMethods => operation("Account", "List saved cards", &[200], PROVIDER),
        R::RemovePaymentMethod => operation("Account", "Remove a saved card", &[204], REMOVE_CARD),
        R::SearchOrders => operation("Staff", "Search for orders", &[200], &[]),
        R::CorrectOrder => operation("Staff", "Correct an order", &[200], CORRECT),
        R::UpdateOrderStatus => operation("Staff", "Change the status of an order", &[200, 202], STATUS),
        R::CaptureOrder => operation("Staff", "Capture an authorized payment", &[200, 202], CAPTURE),
        R::RefundOrder => operation("Staff", "Refund an order, or units of it", &[200, 202], REFUND),
        R::CreateFulfillment => operation("Staff", "Ship units in a parcel", &[200, 201], FULFILL),
        R::UpdateReturn => operation("Staff", "Decide on a return", &[200, 202], DECIDE_RETURN),
        R::ReceiveStock => operation("Staff", "Add a delivery to the stock", &[200, 201], STOCK),
        R::ListLimits => operation("Limits", "List what is left of each limit", &[200], &[]),
        R::Health => operation("Limits", "Tell whether the stores are well", &[200], &[]),
        R::ListRegions => operation("Shop", "List where the shop ships, and what an address there needs", &[200], &[]),
        R::ListProducts => operation("Shop", "List the published products", &[200], &[]),
        R::GetProduct => operation("Shop", "Read a published product", &[200], &[&["PRODUCT_NOT_FOUND"]]),
        R::PaymentWebhook => operation("Provider", "Take an event of Stripe", &[200], WEBHOOK),
    }
}

/// Of a route that names a session.
const NO_SESSION: &[&str] = &["SESSION_EXPIRED", "SESSION_NOT_FOUND"];
/// Of one that changes it, besides.
const OPEN_SESSION: &[&str] = &["AMOUNT_OUT_OF_RANGE", "BUSY", "SESSION_COMPLETED"];
/// What a cart may not have.
const CART: &[&str] = &["INSUFFICIENT_STOCK", "MAX_PER_ORDER_EXCEEDED", "MIN_PER_ORDER_NOT_REACHED", "NOT_SHIPPABLE"];
/// Why a coupon doesn't apply.
const COUPON: &[&str] = &[
    "COUPON_ALREADY_USED",
    "COUPON_EXPIRED",
    "COUPON_LIMIT_REACHED",
    "COUPON_MINIMUM_NOT_MET",
    "COUPON_NOT_APPLICABLE",
    "COUPON_NOT_COMBINABLE",
    "COUPON_NOT_STARTED",
    "COUPON_SIGN_IN_REQUIRED",
    "COUPON_UNKNOWN",
];
/// Why nothing is sent to a place.
const PLACE: &[&str] = &["CURRENCY_NOT_OFFERED", "SHIPPING_UNAVAILABLE"];
/// Of a route that names units of an order's lines.
const LINES: &[&str] = &["ID_REUSED", "LINE_NOT_FOUND", "LINE_QUANTITY_EXCEEDED"];
/// Why goods may not leave.
const SHIPPED: &[&str] = &["PAYMENT_DISPUTED", "PAYMENT_IN_PROGRESS", "PAYMENT_NOT_CAPTURED", "PAYMENT_REFUNDED"];
/// Why money may not go back.
const REFUNDED: &[&str] = &[
    "NOTHING_TO_REFUND",
    "NOT_PAID_BY_CARD",
    "PAYMENT_DISPUTED",
    "PAYMENT_IN_PROGRESS",
    "PAYMENT_NOT_CAPTURED",
    "REFUND_EXCEEDS_PAYMENT",
    "REFUND_ID_REUSED",
];
/// Of a route that changes an order.
const CHANGED_ORDER: &[&str] = &["BUSY", "ORDER_NOT_FOUND"];

const INITIATE: Codes = &[CART, COUPON, &["AMOUNT_OUT_OF_RANGE", "BUSY", "PRODUCT_NOT_FOUND", "TAX_EXEMPTION_INVALID"]];
const ITEMS: Codes = &[NO_SESSION, OPEN_SESSION, CART, &["PRODUCT_NOT_FOUND"]];
const ADDRESS: Codes = &[NO_SESSION, OPEN_SESSION, PLACE, &["NOT_SHIPPABLE"]];
const SHIPPING: Codes =
    &[NO_SESSION, OPEN_SESSION, PLACE, &["SHIPPING_ADDRESS_REQUIRED", "SHIPPING_METHOD_UNAVAILABLE"]];
const TAX: Codes = &[
    NO_SESSION,
    OPEN_SESSION,
    &["BILLING_ADDRESS_REQUIRED", "SHIPPING_ADDRESS_REQUIRED", "TAX_EXEMPTION_INVALID", "TAX_UNAVAILABLE"],
];
const APPLY_COUPON: Codes = &[NO_SESSION, OPEN_SESSION, COUPON];
const PREVIEW: Codes = &[PLACE, &["AMOUNT_OUT_OF_RANGE", "NOT_SHIPPABLE", "PRODUCT_NOT_FOUND"]];
const CONFIRM: Codes = &[
    NO_SESSION,
    OPEN_SESSION,
    CART,
    COUPON,
    PLACE,
    &[
        "ACCOUNT_REQUIRED",
        "AMOUNT_NOT_PAYABLE_BY_CARD",
        "AMOUNT_REFUSED_BY_PROVIDER",
        "AMOUNT_TOO_SMALL_FOR_CARD",
        "BACKORDER_CHANGED",
        "BILLING_ADDRESS_REQUIRED",
        "CASH_ON_DELIVERY_NOTHING_TO_DELIVER",
        "CASH_ON_DELIVERY_NOT_IN_COUNTRY",
        "CASH_ON_DELIVERY_NOT_IN_CURRENCY",
        "CASH_ON_DELIVERY_TOTAL_TOO_LARGE",
        "COUPON_NO_LONGER_VALID",
        "ORDER_ALREADY_PLACED",
        "ORDER_CANCELLED",
        "OUT_OF_STOCK",
        "PAYMENTS_UNAVAILABLE",
        "PAYMENT_DECLINED",
        "PAYMENT_IN_PROGRESS",
        "PAYMENT_METHOD_NOT_FOUND",
        "PAYMENT_METHOD_NOT_IN_COUNTRY",
        "PAYMENT_METHOD_NOT_IN_CURRENCY",
        "PAYMENT_METHOD_REQUIRED",
        "PAYMENT_METHOD_TOTAL_TOO_LARGE",
        "PAYMENT_METHOD_TOTAL_TOO_SMALL",
        "PAYMENT_METHOD_UNAVAILABLE",
        "PRODUCT_UNAVAILABLE",
        "SESSION_NOT_READY",
        "SHIPPING_ADDRESS_REQUIRED",
        "SHIPPING_METHOD_REQUIRED",
        "SHIPPING_METHOD_UNAVAILABLE",
        "TAX_EXEMPTION_INVALID",
        "TAX_UNAVAILABLE",
        "TOO_MANY_DECLINES",
        "TOO_MANY_OPEN_ORDERS",
        "TOTAL_CHANGED",
    ],
];
const CANCEL: Codes = &[
    LINES,
    CHANGED_ORDER,
    &[
        "ILLEGAL_STATUS_CHANGE",
        "ORDER_LINK_EXPIRED",
        "ORDER_NOT_CANCELLABLE",
        "PAYMENT_DISPUTED",
        "PAYMENT_IN_PROGRESS",
    ],
];
const RETURN: Codes = &[LINES, CHANGED_ORDER, &["ILLEGAL_STATUS_CHANGE"]];
const PROVIDER: Codes = &[&["PAYMENTS_UNAVAILABLE"]];
const REMOVE_CARD: Codes = &[&["PAYMENTS_UNAVAILABLE", "PAYMENT_METHOD_NOT_FOUND"]];
const CORRECT: Codes = &[
    CHANGED_ORDER,
    &[
        "DESTINATION_CHANGED",
        "NOTHING_SHIPPED",
        "ORDER_ALREADY_SHIPPED",
        "ORDER_CHANGED",
        "ORDER_NOT_CORRECTABLE",
        "TOO_MANY_CORRECTIONS",
    ],
];
const STATUS: Codes = &[
    SHIPPED,
    CHANGED_ORDER,
    &[
        "DECIDED_BY_FULFILLMENTS",
        "DECIDED_BY_PAYMENT",
        "ILLEGAL_STATUS_CHANGE",
        "NOT_PAID_BY_CARD",
        "REFUND_EXCEEDS_PAYMENT",
        "TOO_MANY_NOTES",
        "TRACKING_OUT_OF_PLACE",
    ],
];
const CAPTURE: Codes = &[
    CHANGED_ORDER,
    &["ALREADY_CAPTURED", "CAPTURE_EXCEEDS_PAYMENT", "NOT_AUTHORIZED", "NOT_PAID_BY_CARD", "PAYMENT_IN_PROGRESS"],
];
const REFUND: Codes = &[LINES, REFUNDED, CHANGED_ORDER];
const FULFILL: Codes = &[LINES, SHIPPED, CHANGED_ORDER, &["ILLEGAL_STATUS_CHANGE"]];
const DECIDE_RETURN: Codes = &[
    REFUNDED,
    CHANGED_ORDER,
    &["ILLEGAL_RETURN_CHANGE", "ILLEGAL_STATUS_CHANGE", "LINE_QUANTITY_EXCEEDED", "RETURN_NOT_FOUND"],
];
const STOCK: Codes = &[&["BUSY", "REFERENCE_USED", "STOCK_NOT_FOUND", "TOO_MUCH_STOCK"]];
const WEBHOOK: Codes = &[&["BUSY", "ORDER_NOT_THERE_YET", "PAYMENTS_UNAVAILABLE", "SIGNATURE_INVALID"]];

/// All codes that a route may refuse with, sorted.
pub fn codes(spec: &RouteSpec) -> Vec<&'static str> {
    let mut codes = vec![
        "CALLER_BLOCKED",
        "INTERNAL_ERROR",
        "METHOD_NOT_ALLOWED",
        "PAYLOAD_TOO_LARGE",
        "QUERY_TOO_LONG",
        "RATE_LIMITED",
        "STORE_UNAVAILABLE",
        "UNSUPPORTED_EVENT",
        "VALIDATION_FAILED",
    ];
    codes.extend(of(spec.route).codes.iter().copied().flatten());
    if spec.card_scan != CardScan::Nothing {
        codes.push("CARD_DATA_NOT_ACCEPTED");
    }
    if spec.body != BodyKind::Nothing {
        codes.push("UNSUPPORTED_MEDIA_TYPE");
    }
    if spec.optional {
        codes.push("ROUTE_LEFT_OUT");
    }
    if spec.reads_credentials {
        codes.extend(["IDENTITY_UNAVAILABLE", "INVALID_TOKEN"]);
    }
    match spec.caller {
        CallerKind::Anyone | CallerKind::Newcomer => {}
        CallerKind::Caller | CallerKind::SignedIn => codes.push("AUTHENTICATION_REQUIRED"),
        CallerKind::Staff => codes.extend(["AUTHENTICATION_REQUIRED", "FORBIDDEN"]),
    }
    if spec.idempotent {
        codes.extend(["ALREADY_ANSWERED", "IDEMPOTENCY_KEY_REUSED"]);
    }
    codes.sort_unstable();
    codes.dedup();
    codes
}
