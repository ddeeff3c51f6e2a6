//! The routes as the code knows them. The template declares them; a test holds the two together.

use crate::config::limits::{LimitsConfig, Policies};

/// One endpoint, and so one function.
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
    Health,
}

impl Route {
    pub const ALL: [Self; 18] = [
        Self::Initiate,
        Self::GetSession,
        Self::UpdateAddress,
        Self::CalculateShipping,
        Self::CalculateTax,
        Self::ApplyCoupon,
        Self::RemoveCoupon,
        Self::ConfirmOrder,
        Self::ListOrders,
        Self::GetOrder,
        Self::CancelOrder,
        Self::UpdateOrderStatus,
        Self::RefundOrder,
        Self::CaptureOrder,
        Self::PaymentWebhook,
        Self::Claim,
        Self::CalculateShippingPreview,
        Self::Health,
    ];

    /// The function's folder, package and binary.
    pub const fn function(self) -> &'static str {
        match self {
            Self::Initiate => "initiate",
            Self::GetSession => "get-session",
            Self::UpdateAddress => "update-address",
            Self::CalculateShipping => "calculate-shipping",
            Self::CalculateTax => "calculate-tax",
            Self::ApplyCoupon => "apply-coupon",
            Self::RemoveCoupon => "remove-coupon",
            Self::ConfirmOrder => "confirm-order",
            Self::ListOrders => "list-orders",
            Self::GetOrder => "get-order",
            Self::CancelOrder => "cancel-order",
            Self::UpdateOrderStatus => "update-order-status",
            Self::RefundOrder => "refund-order",
            Self::CaptureOrder => "capture-order",
            Self::PaymentWebhook => "payment-webhook",
            Self::Claim => "claim",
            Self::CalculateShippingPreview => "calculate-shipping-preview",
            Self::Health => "health",
        }
    }

    pub const fn method(self) -> &'static str {
        match self {
            Self::GetSession | Self::ListOrders | Self::GetOrder | Self::Health => "GET",
            Self::UpdateAddress | Self::UpdateOrderStatus => "PUT",
            Self::Initiate
            | Self::CalculateShipping
            | Self::CalculateTax
            | Self::ApplyCoupon
            | Self::RemoveCoupon
            | Self::ConfirmOrder
            | Self::CancelOrder
            | Self::RefundOrder
            | Self::CaptureOrder
            | Self::PaymentWebhook
            | Self::Claim
            | Self::CalculateShippingPreview => "POST",
        }
    }

    /// What a client may ask with: HEAD is answered as GET is, without the body.
    pub const fn methods(self) -> &'static [&'static str] {
        match self.method().as_bytes() {
            b"GET" => &["GET", "HEAD"],
            b"PUT" => &["PUT"],
            _ => &["POST"],
        }
    }

    pub const fn path(self) -> &'static str {
        match self {
            Self::Initiate => "/api/v1/checkout/initiate",
            Self::GetSession => "/api/v1/checkout/session/{checkoutId}",
            Self::UpdateAddress => "/api/v1/checkout/address",
            Self::CalculateShipping => "/api/v1/checkout/calculate-shipping",
            Self::CalculateTax => "/api/v1/checkout/calculate-tax",
            Self::ApplyCoupon => "/api/v1/checkout/apply-coupon",
            Self::RemoveCoupon => "/api/v1/checkout/remove-coupon",
            Self::ConfirmOrder => "/api/v1/checkout/confirm-order",
            Self::ListOrders => "/api/v1/checkout/orders",
            Self::GetOrder => "/api/v1/checkout/orders/{orderId}",
            Self::CancelOrder => "/api/v1/checkout/orders/{orderId}/cancel",
            Self::UpdateOrderStatus => "/api/v1/checkout/orders/{orderId}/status",
            Self::RefundOrder => "/api/v1/checkout/orders/{orderId}/refund",
            Self::CaptureOrder => "/api/v1/checkout/orders/{orderId}/capture",
            Self::PaymentWebhook => "/api/v1/checkout/webhooks/stripe",
            Self::Claim => "/api/v1/checkout/claim",
            Self::CalculateShippingPreview => "/api/v1/checkout/calculate-shipping-preview",
            Self::Health => "/api/v1/checkout/health",
        }
    }

    /// The limits of the route's callers, where it has its own; all others are limited by address.
    pub const fn policies(self, limits: &LimitsConfig) -> Option<Policies> {
        match self {
            Self::Initiate => Some(limits.initiate),
            Self::CalculateShipping => Some(limits.calculate_shipping),
            Self::CalculateTax => Some(limits.calculate_tax),
            Self::ApplyCoupon => Some(limits.apply_coupon),
            Self::ConfirmOrder => Some(limits.confirm_order),
            Self::Claim => Some(limits.claim),
            Self::CalculateShippingPreview => Some(limits.calculate_shipping_preview),
            Self::GetSession
            | Self::UpdateAddress
            | Self::RemoveCoupon
            | Self::ListOrders
            | Self::GetOrder
            | Self::CancelOrder
            | Self::UpdateOrderStatus
            | Self::RefundOrder
            | Self::CaptureOrder
            | Self::PaymentWebhook
            | Self::Health => None,
        }
    }

    /// Whether the route honours `Idempotency-Key`: it creates or completes something.
    pub const fn is_idempotent_by_key(self) -> bool {
        matches!(self, Self::Initiate | Self::ConfirmOrder | Self::CancelOrder)
    }
}
