//! The wire types of each route as JSON Schema, for the interface's document. Only tests and tools have it.

use std::collections::BTreeMap;

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    domain::{
        address::{LONGEST_LINE, LONGEST_NAME},
        coupon::MAX_COUPONS,
        ids::{CheckoutId, OrderId},
        invalid::Invalid,
        lines::LONGEST_TRACKING,
        money::{Currency, Minor},
        note::{LONGEST_NOTE, LONGEST_NOTES, NoteVisibility},
        order::OrderStatus,
        order_number::OrderNumber,
        payment::CardToken,
        session::{MAX_LINES, MAX_QUANTITY},
        stock::{LONGEST_TEXT, MOST_STOCK},
        text::{LONGEST_EMAIL, LONGEST_PHONE},
    },
    http::{
        claim_commands::ClaimBody,
        confirm_command::ConfirmBody,
        correct_command::CorrectOrderBody,
        line_commands::{AskReturnBody, DecideReturnBody, FulfillBody},
        lookup_command::LookUpBody,
        order_commands::{CancelBody, SetStatusBody},
        payment_commands::{CaptureBody, RefundBody},
        preview_commands::PreviewBody,
        route::Route,
        session_commands::{
            ApplyCouponBody, CalculateShippingBody, CalculateTaxBody, InitiateBody, RemoveCouponBody,
            UpdateAddressBody, UpdateItemsBody,
        },
        stock_command::ReceiveStockBody,
        view::{
            CartIssueView, ClaimedView, FoundOrdersView, HealthView, LimitsView, OrderAnswer, OrderPageView,
            PreviewView, ProductPageView, ProductView, ReceivedStockView, RegionsView, SavedCardsView, SessionView,
        },
    },
};

/// The bodies of one route.
#[derive(Debug)]
pub struct Bodies {
    /// What a request sends; none if it has no body, or one that the sender decides on.
    pub request: Option<Value>,
    pub request_is_optional: bool,
    /// What a success answers with; none if it has no body.
    pub answer: Option<Value>,
}

/// Collects the schemas that routes refer to.
#[derive(Debug)]
pub struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = || SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
        Self {
            requests: settings().for_deserialize().into_generator(),
            answers: settings().for_serialize().into_generator(),
        }
    }
}

impl Schemas {
    pub fn bodies(&mut self, route: Route) -> Bodies {
        use Route as R;
        let request = match route {
            R::Initiate => self.request::<InitiateBody>(),
            R::UpdateAddress => self.request::<UpdateAddressBody>(),
            R::CalculateShipping => self.request::<CalculateShippingBody>(),
            R::CalculateTax => self.request::<CalculateTaxBody>(),
            R::ApplyCoupon => self.request::<ApplyCouponBody>(),
            R::RemoveCoupon => self.request::<RemoveCouponBody>(),
            R::ConfirmOrder => self.request::<ConfirmBody>(),
            R::CancelOrder => self.request::<CancelBody>(),
            R::UpdateOrderStatus => self.request::<SetStatusBody>(),
            R::RefundOrder => self.request::<RefundBody>(),
            R::CaptureOrder => self.request::<CaptureBody>(),
            R::Claim => self.request::<ClaimBody>(),
            R::CalculateShippingPreview => self.request::<PreviewBody>(),
            R::CreateFulfillment => self.request::<FulfillBody>(),
            R::CreateReturn => self.request::<AskReturnBody>(),
            R::UpdateReturn => self.request::<DecideReturnBody>(),
            R::UpdateItems => self.request::<UpdateItemsBody>(),
            R::LookupOrder => self.request::<LookUpBody>(),
            R::CorrectOrder => self.request::<CorrectOrderBody>(),
            R::ReceiveStock => self.request::<ReceiveStockBody>(),
            R::GetSession
            | R::ListOrders
            | R::GetOrder
            | R::PaymentWebhook
            | R::ListPaymentMethods
            | R::RemovePaymentMethod
            | R::SearchOrders
            | R::ListLimits
            | R::ListRegions
            | R::ListProducts
            | R::GetProduct
            | R::Health => None,
        };
        let answer = match route {
            R::Initiate
            | R::GetSession
            | R::UpdateAddress
            | R::CalculateShipping
            | R::CalculateTax
            | R::ApplyCoupon
            | R::RemoveCoupon
            | R::UpdateItems => self.answer::<SessionView>(),
            R::ConfirmOrder
            | R::GetOrder
            | R::CancelOrder
            | R::UpdateOrderStatus
            | R::RefundOrder
            | R::CaptureOrder
            | R::CreateFulfillment
            | R::CreateReturn
            | R::UpdateReturn
            | R::CorrectOrder => self.answer::<OrderAnswer>(),
            R::ListOrders => self.answer::<OrderPageView>(),
            R::SearchOrders => self.answer::<FoundOrdersView>(),
            R::Claim => self.answer::<ClaimedView>(),
            R::CalculateShippingPreview => self.answer::<PreviewView>(),
            R::ListPaymentMethods => self.answer::<SavedCardsView>(),
            R::ReceiveStock => self.answer::<ReceivedStockView>(),
            R::ListLimits => self.answer::<LimitsView>(),
            R::ListRegions => self.answer::<RegionsView>(),
            R::ListProducts => self.answer::<ProductPageView>(),
            R::GetProduct => self.answer::<ProductView>(),
            R::Health => self.answer::<HealthView>(),
            R::LookupOrder => Some(one_text("status")),
            R::PaymentWebhook => Some(one_text("received")),
            R::RemovePaymentMethod => None,
        };
        Bodies { request, request_is_optional: matches!(route, R::CancelOrder | R::CaptureOrder), answer }
    }

    /// The members that problems have besides those of every problem.
    pub fn problem_members(&mut self) -> BTreeMap<&'static str, Value> {
        let answers = &mut self.answers;
        let amount = answers.subschema_for::<Minor>().to_value();
        let count = json!({"type": "integer", "minimum": 0});
        let text = json!({"type": "string"});
        BTreeMap::from([
            ("allowed", json!({"type": "array", "items": {"type": "string"}})),
            ("authorized", amount.clone()),
            ("available", json!({"type": "integer"})),
            ("captured", amount.clone()),
            ("declineCode", text.clone()),
            ("dependsOn", text.clone()),
            ("errors", answers.subschema_for::<Vec<Invalid>>().to_value()),
            // Of a payment an amount, of a line units.
            ("left", count.clone()),
            ("line", count.clone()),
            ("maximumTotal", amount.clone()),
            ("minimumTotal", amount),
            ("most", count.clone()),
            ("orderId", answers.subschema_for::<OrderId>().to_value()),
            ("pointer", text.clone()),
            ("problems", answers.subschema_for::<Vec<CartIssueView>>().to_value()),
            ("providerCode", text),
            ("quantity", json!({"type": "integer"})),
            ("session", answers.subschema_for::<SessionView>().to_value()),
            ("version", count),
        ])
    }

    /// The values of parameters, by name.
    pub fn parameter(&mut self, name: &str) -> Value {
        let answers = &mut self.answers;
        match name {
            "checkoutId" => answers.subschema_for::<CheckoutId>().to_value(),
            "orderId" => answers.subschema_for::<OrderId>().to_value(),
            "currency" => answers.subschema_for::<Currency>().to_value(),
            "status" => answers.subschema_for::<OrderStatus>().to_value(),
            _ => json!({"type": "string"}),
        }
    }

    /// Every schema that was referred to, by name.
    pub fn definitions(mut self) -> Map<String, Value> {
        // Only members of requests refer to these.
        self.answers.subschema_for::<OrderNumber>();
        self.answers.subschema_for::<NoteVisibility>();
        self.answers.subschema_for::<CardToken>();
        let mut all = self.answers.take_definitions(true);
        for schema in all.values_mut() {
            only_what_is_written(schema);
        }
        for (name, mut schema) in self.requests.take_definitions(true) {
            bound(&name, &mut schema);
            all.entry(name).or_insert(schema);
        }
        all
    }

    #[expect(clippy::unnecessary_wraps, reason = "an arm of a match, of which others have none")]
    fn request<T: JsonSchema>(&mut self) -> Option<Value> {
        Some(self.requests.subschema_for::<T>().to_value())
    }

    #[expect(clippy::unnecessary_wraps, reason = "an arm of a match, of which others have none")]
    fn answer<T: JsonSchema>(&mut self) -> Option<Value> {
        Some(self.answers.subschema_for::<T>().to_value())
    }
}

fn one_text(member: &str) -> Value {
    json!({"type": "object", "properties": {member: {"type": "string"}}, "required": [member]})
}

/// A member of an answer that may be left out is never null.
fn only_what_is_written(schema: &mut Value) {
    let required: Vec<String> = schema["required"].as_array().into_iter().flatten().map(text).collect();
    for (name, member) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if required.contains(name) {
            continue;
        }
        if let Some(kinds) = member.get_mut("type").and_then(Value::as_array_mut) {
            kinds.retain(|kind| kind != "null");
            if let [only] = kinds.as_slice() {
                member["type"] = only.clone();
            }
        }
        let rest = member
            .get("anyOf")
            .and_then(Value::as_array)
            .map(|all| all.iter().filter(|kind| kind["type"] != "null").cloned().collect::<Vec<_>>());
        if let (Some([only]), Some(member)) = (rest.as_deref(), member.as_object_mut()) {
            member.remove("anyOf");
            member.extend(only.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What the decoders ask of a member, besides its type.
fn bound(of: &str, schema: &mut Value) {
    if matches!(of, "UpdateAddressBody" | "CorrectOrderBody") {
        schema["minProperties"] = json!(2);
    }
    for (name, member) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let (Some(bounds), Some(member)) = (bounds(of, name), member.as_object_mut()) else { continue };
        let may_be_null =
            member.get("type").and_then(Value::as_array).is_some_and(|kinds| kinds.contains(&json!("null")));
        if let (true, Some(reference)) = (may_be_null, bounds.get("$ref")) {
            member.remove("type");
            member.insert("anyOf".to_owned(), json!([{"$ref": reference}, {"type": "null"}]));
            continue;
        }
        if bounds.get("$ref").is_some() {
            member.remove("type");
        }
        member.extend(bounds.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    }
}

/// The members of requests that are text or numbers, and what they are. A name has one meaning.
fn bounds(of: &str, name: &str) -> Option<Value> {
    let refers = |to: &str| Some(json!({"$ref": format!("#/components/schemas/{to}")}));
    let text = |least: usize, most: usize| Some(json!({"minLength": least, "maxLength": most}));
    let from_to = |least: u64, most: u64| Some(json!({"minimum": least, "maximum": most}));
    match (of, name) {
        (_, "checkoutId") => refers("CheckoutId"),
        (_, "guestId") => refers("GuestId"),
        (_, "productId") => refers("ProductId"),
        (_, "variantId") => refers("VariantId"),
        (_, "shippingMethodId") => refers("ShippingMethodId"),
        (_, "couponCode") => refers("CouponCode"),
        (_, "currency") => refers("Currency"),
        (_, "taxExemptionCertificate") => refers("CertificateNumber"),
        (_, "vatNumber") => refers("VatNumber"),
        (_, "paymentToken" | "paymentMethodId") => refers("CardToken"),
        (_, "paymentMethod") => refers("PaymentMethod"),
        (_, "orderNumber") => Some(json!({"description": "The order's number or its id, as people type it."})),
        (_, "noteVisibility") => refers("NoteVisibility"),
        ("SetStatusBody", "status") => refers("OrderStatus"),
        ("DecideReturnBody", "status") => refers("ReturnStatus"),
        (_, "couponCodes") => Some(json!({
            "maxItems": MAX_COUPONS,
            "items": {"$ref": "#/components/schemas/CouponCode"},
        })),
        (_, "cartItems" | "items") => Some(json!({"minItems": 1, "maxItems": MAX_LINES})),
        ("ReceiveStockBody", "quantity") => from_to(1, MOST_STOCK),
        ("ReceiveStockBody", "reference" | "reason") => text(1, LONGEST_TEXT),
        (_, "quantity") => from_to(1, MAX_QUANTITY.into()),
        (_, "expectedTotal") => refers("Minor"),
        (_, "amount") => from_to(1, Minor::MAX.get().unsigned_abs()),
        (_, "cancellationId" | "fulfillmentId" | "returnId" | "refundId") => Some(json!({
            "format": "uuid",
            "description": "Of your own: repeated with the same id, it is done once.",
        })),
        (_, "firstName" | "city") => text(1, LONGEST_NAME),
        (_, "lastName" | "county" | "state") => text(0, LONGEST_NAME),
        (_, "trackingNumber" | "carrier") => text(0, LONGEST_TRACKING),
        (_, "addressLine1") => text(1, LONGEST_LINE),
        (_, "addressLine2" | "company") => text(0, LONGEST_LINE),
        (_, "country") => Some(json!({"description": "ISO 3166-1 alpha-2, such as \"US\"."})),
        (_, "email") => text(0, LONGEST_EMAIL),
        (_, "phone") => text(0, LONGEST_PHONE),
        (_, "notes") => text(0, LONGEST_NOTES),
        (_, "note" | "reason") => text(0, LONGEST_NOTE),
        _ => None,
    }
}
