//! The routes as the code knows them: one row each. The template declares them too; a test holds the two together.

use crate::config::limits::{LimitsConfig, Policies};

/// One endpoint, and so one function. `checkout new-route` writes what a new one needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Initiate,
    GetSession,
    UpdateAddress,
    CalculateShipping,
    CalculateTax,
    ApplyCoupon,
    RemoveCoupon,
    ConfirmOrder,
    ListOrders,
    GetOrder,
    CancelOrder,
    UpdateOrderStatus,
    RefundOrder,
    CaptureOrder,
    PaymentWebhook,
    Claim,
    CalculateShippingPreview,
    CreateFulfillment,
    CreateReturn,
    UpdateReturn,
    ListPaymentMethods,
    RemovePaymentMethod,
    UpdateItems,
    LookupOrder,
    SearchOrders,
    CorrectOrder,
    ReceiveStock,
    ListLimits,
    ListRegions,
    ListProducts,
    GetProduct,
    Health,
}

/// Who a route is for. The handler takes the type of the same name, or `CallerOrStaff` where staff may do for any order
/// what a caller may do for their own, or `Credentials` where anyone may ask about themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerKind {
    Anyone,
    /// A caller, or someone who becomes a guest by calling.
    Newcomer,
    /// A guest or a signed-in user.
    Caller,
    SignedIn,
    Staff,
}

/// What of a request is searched for card data, which is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardScan {
    /// Names of members, and numbers.
    All,
    /// Names of members only: tracking numbers look like anything.
    Names,
    /// Stripe's own events say `card` a lot.
    Nothing,
}

/// What a route reads of a request's body. Whatever it doesn't read is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// No body: a request with one is refused.
    Nothing,
    /// A JSON object with the members that the route's command names, and no others.
    Json,
    /// Any bytes: their signature is verified, and the sender decides what is in them.
    Signed,
}

/// All that is particular to a route.
#[derive(Clone, Copy, Debug)]
pub struct RouteSpec {
    pub route: Route,
    /// The function's folder, package and binary.
    pub function: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    pub caller: CallerKind,
    /// The limits of the route's callers, where it has its own; all others are limited by address.
    pub policies: Option<fn(&LimitsConfig) -> Policies>,
    /// Whether the route honours `Idempotency-Key`: it creates or completes something.
    pub idempotent: bool,
    /// Whether who is calling is read at all: what nobody asks for can't make a request fail.
    pub reads_credentials: bool,
    /// Whether a shop with a catalog service of its own can leave it out: `STORE_FRONT_ROUTES`.
    pub optional: bool,
    pub card_scan: CardScan,
    pub body: BodyKind,
}

/// In the order of [`Route`], whose last is [`Route::Health`].
const ROUTES: &[RouteSpec] = {
    use CallerKind::{Anyone, Caller, Newcomer, SignedIn, Staff};
    use Route as R;
    &[
        post(R::Initiate, "initiate", "/api/v1/checkout/initiate", Newcomer).limited(|l| l.initiate).idempotent(),
        get(R::GetSession, "get-session", "/api/v1/checkout/session/{checkoutId}", Caller),
        put(R::UpdateAddress, "update-address", "/api/v1/checkout/address", Caller),
        post(R::CalculateShipping, "calculate-shipping", "/api/v1/checkout/calculate-shipping", Caller)
            .limited(|l| l.calculate_shipping),
        post(R::CalculateTax, "calculate-tax", "/api/v1/checkout/calculate-tax", Caller).limited(|l| l.calculate_tax),
        post(R::ApplyCoupon, "apply-coupon", "/api/v1/checkout/apply-coupon", Caller).limited(|l| l.apply_coupon),
        post(R::RemoveCoupon, "remove-coupon", "/api/v1/checkout/remove-coupon", Caller),
        post(R::ConfirmOrder, "confirm-order", "/api/v1/checkout/confirm-order", Caller)
            .limited(|l| l.confirm_order)
            .idempotent(),
        get(R::ListOrders, "list-orders", "/api/v1/checkout/orders", Caller),
        get(R::GetOrder, "get-order", "/api/v1/checkout/orders/{orderId}", Caller),
        post(R::CancelOrder, "cancel-order", "/api/v1/checkout/orders/{orderId}/cancel", Caller).idempotent(),
        put(R::UpdateOrderStatus, "update-order-status", "/api/v1/checkout/orders/{orderId}/status", Staff)
            .scanned(CardScan::Names),
        post(R::RefundOrder, "refund-order", "/api/v1/checkout/orders/{orderId}/refund", Staff),
        post(R::CaptureOrder, "capture-order", "/api/v1/checkout/orders/{orderId}/capture", Staff),
        post(R::PaymentWebhook, "payment-webhook", "/api/v1/checkout/webhooks/stripe", Anyone)
            .scanned(CardScan::Nothing)
            .reading(BodyKind::Signed),
        post(R::Claim, "claim", "/api/v1/checkout/claim", SignedIn).limited(|l| l.claim),
        post(
            R::CalculateShippingPreview,
            "calculate-shipping-preview",
            "/api/v1/checkout/calculate-shipping-preview",
            Anyone,
        )
        .limited(|l| l.calculate_shipping_preview),
        post(R::CreateFulfillment, "create-fulfillment", "/api/v1/checkout/orders/{orderId}/fulfillments", Staff)
            .scanned(CardScan::Names),
        post(R::CreateReturn, "create-return", "/api/v1/checkout/orders/{orderId}/returns", Caller),
        put(R::UpdateReturn, "update-return", "/api/v1/checkout/orders/{orderId}/returns/{returnId}", Staff),
        get(R::ListPaymentMethods, "list-payment-methods", "/api/v1/checkout/payment-methods", SignedIn),
        delete(
            R::RemovePaymentMethod,
            "remove-payment-method",
            "/api/v1/checkout/payment-methods/{paymentMethodId}",
            SignedIn,
        ),
        put(R::UpdateItems, "update-items", "/api/v1/checkout/items", Caller).limited(|l| l.update_items),
        post(R::LookupOrder, "lookup-order", "/api/v1/checkout/orders/lookup", Anyone).limited(|l| l.lookup_order),
        get(R::SearchOrders, "search-orders", "/api/v1/checkout/orders/search", Staff),
        patch(R::CorrectOrder, "correct-order", "/api/v1/checkout/orders/{orderId}", Staff),
        post(R::ReceiveStock, "receive-stock", "/api/v1/checkout/stock/{productId}/deliveries", Staff),
        get(R::ListLimits, "list-limits", "/api/v1/checkout/limits", Anyone),
        get(R::ListRegions, "list-regions", "/api/v1/checkout/regions", Anyone).without_credentials().optional(),
        get(R::ListProducts, "list-products", "/api/v1/checkout/products", Anyone).without_credentials().optional(),
        get(R::GetProduct, "get-product", "/api/v1/checkout/products/{productId}", Anyone)
            .without_credentials()
            .optional(),
        get(R::Health, "health", "/api/v1/checkout/health", Anyone).without_credentials(),
    ]
};

const fn row(
    route: Route,
    function: &'static str,
    method: &'static str,
    path: &'static str,
    caller: CallerKind,
) -> RouteSpec {
    RouteSpec {
        route,
        function,
        method,
        path,
        caller,
        policies: None,
        idempotent: false,
        reads_credentials: true,
        optional: false,
        card_scan: CardScan::All,
        body: BodyKind::Json,
    }
}

const fn get(route: Route, function: &'static str, path: &'static str, caller: CallerKind) -> RouteSpec {
    row(route, function, "GET", path, caller).reading(BodyKind::Nothing)
}

const fn post(route: Route, function: &'static str, path: &'static str, caller: CallerKind) -> RouteSpec {
    row(route, function, "POST", path, caller)
}

const fn delete(route: Route, function: &'static str, path: &'static str, caller: CallerKind) -> RouteSpec {
    row(route, function, "DELETE", path, caller).reading(BodyKind::Nothing)
}

const fn put(route: Route, function: &'static str, path: &'static str, caller: CallerKind) -> RouteSpec {
    row(route, function, "PUT", path, caller)
}

const fn patch(route: Route, function: &'static str, path: &'static str, caller: CallerKind) -> RouteSpec {
    row(route, function, "PATCH", path, caller)
}

impl RouteSpec {
    const fn limited(self, policies: fn(&LimitsConfig) -> Policies) -> Self {
        Self { policies: Some(policies), ..self }
    }

    const fn idempotent(self) -> Self {
        Self { idempotent: true, ..self }
    }

    const fn without_credentials(self) -> Self {
        Self { reads_credentials: false, ..self }
    }

    const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    const fn scanned(self, card_scan: CardScan) -> Self {
        Self { card_scan, ..self }
    }

    const fn reading(self, body: BodyKind) -> Self {
        Self { body, ..self }
    }
}

impl Route {
    /// Every route, in the order of the table.
    pub const ALL: [Self; ROUTES.len()] = {
        let mut all = [Self::Health; ROUTES.len()];
        let mut at = 0;
        while at < ROUTES.len() {
            all[at] = ROUTES[at].route;
            assert!(all[at] as usize == at, "each route has its row in ROUTES, in the order of Route");
            at += 1;
        }
        assert!(
            ROUTES.len() == Self::Health as usize + 1,
            "Health is the last of Route, and each has its row in ROUTES"
        );
        all
    };

    /// The route's row.
    #[expect(clippy::indexing_slicing, reason = "ALL holds, at compile time, that each route has its row")]
    pub const fn spec(self) -> &'static RouteSpec {
        &ROUTES[self as usize]
    }

    pub const fn function(self) -> &'static str {
        self.spec().function
    }

    pub const fn method(self) -> &'static str {
        self.spec().method
    }

    /// What a client may ask with. HEAD is answered as GET is, without the body; on a route with limits of its own it is a
    /// look at them, which counts nothing there.
    pub const fn methods(self) -> &'static [&'static str] {
        let has_limits = self.spec().policies.is_some();
        match (self.method().as_bytes(), has_limits) {
            (b"GET", _) => &["GET", "HEAD"],
            (b"PUT", true) => &["PUT", "HEAD"],
            (b"PUT", false) => &["PUT"],
            (b"PATCH", _) => &["PATCH"],
            (b"DELETE", _) => &["DELETE"],
            (_, true) => &["POST", "HEAD"],
            (_, false) => &["POST"],
        }
    }

    pub const fn path(self) -> &'static str {
        self.spec().path
    }

    /// See [`RouteSpec::policies`].
    pub fn policies(self, limits: &LimitsConfig) -> Option<Policies> {
        self.spec().policies.map(|policies| policies(limits))
    }

    /// See [`RouteSpec::idempotent`].
    pub const fn is_idempotent_by_key(self) -> bool {
        self.spec().idempotent
    }
}
