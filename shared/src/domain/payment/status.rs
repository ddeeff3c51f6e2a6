//! Ways of paying, and how far a payment and a refund are.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentMethod {
    CashOnDelivery,
    Card,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PaymentStatus {
    /// Not paid yet; for a card: nobody knows yet.
    Pending,
    /// The customer's bank wants to see the customer.
    RequiresAction,
    /// The bank holds the amount for us, until it is captured.
    Authorized,
    Paid,
    PartiallyRefunded,
    Refunded,
    /// The bank said no. Nothing was paid, and nothing will be.
    Declined,
    /// Nothing was paid, and nothing will be.
    Cancelled,
}

impl PaymentMethod {
    pub const ALL: [Self; 2] = [Self::CashOnDelivery, Self::Card];

    /// The name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CashOnDelivery => "cash_on_delivery",
            Self::Card => "card",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }
}

impl PaymentStatus {
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::RequiresAction,
        Self::Authorized,
        Self::Paid,
        Self::PartiallyRefunded,
        Self::Refunded,
        Self::Declined,
        Self::Cancelled,
    ];

    /// The name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::RequiresAction => "requires_action",
            Self::Authorized => "authorized",
            Self::Paid => "paid",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether nobody knows yet how it ends.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::RequiresAction)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundStatus {
    /// To be done, or done and not known to be.
    Pending,
    Succeeded,
    /// The provider refused; the amount is left to be refunded.
    Failed,
}

impl RefundStatus {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Succeeded, Self::Failed];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}
