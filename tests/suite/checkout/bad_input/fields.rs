//! Members with values that they don't take.

use serde_json::{Value, json};
use shared::http::route::Route;

use super::{Case, Shop, each_is_refused, invalid, with, with_body};

const ID: &str = "9549a1ab-ad00-4d46-8088-d00f037ddd5b";

/// Each value at this place of the route's good body, to be refused at this place.
pub(super) fn values(shop: &Shop, route: Route, at: &'static str, values: &[Value]) -> Vec<Case> {
    let case = |value: &Value| {
        let event = shop.event(route).json(&with(shop.good_body(route), at, Some(value.clone())));
        (format!("{at} = {value}"), route, event, invalid(at))
    };
    values.iter().map(case).collect()
}

#[tokio::test]
async fn a_member_of_a_wrong_type_is_told_at_its_place() {
    let shop = Shop::open().await;
    let no_text = [json!(42), json!(true), json!(["x"]), json!({"x": "y"}), json!(1.5)];
    let no_object = [json!(42), json!("x"), json!(false), json!([]), json!(["Ada", "Sample", null, "1 Main St"])];
    let no_list = [json!({}), json!("espresso-beans"), json!(null)];
    let mut cases = Vec::new();
    for route in with_body() {
        let texts: &[&'static str] = match route {
            Route::Initiate => &[
                "/cartItems/0/productId",
                "/cartItems/1/variantId",
                "/currency",
                "/shippingMethodId",
                "/couponCodes/0",
                "/taxExemptionCertificate",
                "/vatNumber",
            ],
            Route::UpdateItems => &["/checkoutId", "/cartItems/0/productId", "/cartItems/1/variantId"],
            Route::UpdateAddress => &["/checkoutId", "/shippingAddress/city", "/billingAddress/postalCode"],
            Route::CalculateShipping => &["/checkoutId", "/shippingMethodId"],
            Route::CalculateTax => &["/checkoutId", "/taxExemptionCertificate", "/vatNumber"],
            Route::RemoveCoupon | Route::ApplyCoupon => &["/checkoutId", "/couponCode"],
            Route::Claim => &["/guestId"],
            Route::CalculateShippingPreview => &["/currency", "/shippingAddress/country", "/shippingAddress/county"],
            Route::ConfirmOrder => &["/checkoutId", "/paymentMethod", "/customerInfo/email", "/notes"],
            Route::CancelOrder => &["/reason", "/cancellationId"],
            Route::RefundOrder => &["/refundId", "/reason"],
            Route::CaptureOrder => &[],
            Route::CorrectOrder => &["/shippingAddress/city", "/customerInfo/email", "/reason"],
            Route::UpdateOrderStatus => &["/status", "/note", "/trackingNumber", "/carrier"],
            Route::CreateFulfillment => &["/fulfillmentId", "/trackingNumber", "/carrier"],
            Route::CreateReturn => &["/returnId", "/reason"],
            Route::UpdateReturn => &["/status", "/note"],
            Route::ReceiveStock => &["/variantId", "/reference", "/reason"],
            Route::LookupOrder => &["/orderNumber", "/email"],
            other => panic!("say here, in tests/suite/checkout/bad_input/fields.rs, which of {other:?}'s are texts"),
        };
        cases.extend(texts.iter().flat_map(|at| values(&shop, route, at, &no_text)));
    }
    for route in [Route::Initiate, Route::UpdateItems] {
        cases.extend(values(&shop, route, "/cartItems", &no_list));
        cases.extend(values(
            &shop,
            route,
            "/cartItems/0",
            &[json!(null), json!("espresso-beans"), json!(7), json!(["espresso-beans", null, 1])],
        ));
    }
    cases.extend(values(&shop, Route::UpdateAddress, "/recoverByEmail", &[json!("yes"), json!(1), json!({})]));
    cases.extend(values(&shop, Route::Initiate, "/couponCodes", &[json!({}), json!("SAVE20"), json!(1)]));
    cases.extend(values(&shop, Route::CalculateShippingPreview, "/shippingAddress", &no_object));
    cases.extend(values(&shop, Route::Initiate, "/shippingAddress", &no_object));
    cases.extend(values(&shop, Route::UpdateAddress, "/billingAddress", &no_object));
    cases.extend(values(
        &shop,
        Route::ConfirmOrder,
        "/customerInfo",
        &[json!(null), json!("Ada"), json!(1), json!(["a@b.example", "A", "B", null])],
    ));

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn a_missing_member_is_told_at_its_place() {
    let shop = Shop::open().await;
    let mut cases = Vec::new();
    for route in with_body() {
        let required: &[&'static str] = match route {
            Route::Initiate => {
                &["/cartItems", "/cartItems/0/productId", "/cartItems/1/quantity", "/shippingAddress/city"]
            }
            Route::UpdateItems => &["/checkoutId", "/cartItems", "/cartItems/0/productId", "/cartItems/1/quantity"],
            Route::UpdateAddress => &["/checkoutId", "/shippingAddress/firstName", "/billingAddress/country"],
            Route::CalculateShipping | Route::CalculateTax | Route::RemoveCoupon => &["/checkoutId"],
            Route::ApplyCoupon => &["/checkoutId", "/couponCode"],
            Route::Claim => &["/guestId"],
            Route::CalculateShippingPreview => &["/cartItems", "/shippingAddress", "/shippingAddress/country"],
            Route::ConfirmOrder => {
                &["/checkoutId", "/expectedTotal", "/paymentMethod", "/customerInfo", "/customerInfo/email"]
            }
            Route::CancelOrder | Route::CaptureOrder => &[],
            Route::CorrectOrder => &["/reason"],
            Route::ReceiveStock => &["/quantity", "/reference", "/reason"],
            Route::RefundOrder => &["/refundId"],
            Route::UpdateOrderStatus | Route::UpdateReturn => &["/status"],
            Route::CreateFulfillment => &["/fulfillmentId", "/items", "/items/0/line", "/items/0/quantity"],
            Route::CreateReturn => &["/returnId", "/items", "/items/0/line", "/items/0/quantity"],
            Route::LookupOrder => &["/orderNumber", "/email"],
            other => panic!("say here, in tests/suite/checkout/bad_input/fields.rs, what {other:?} can't do without"),
        };
        for at in required {
            let event = shop.event(route).json(&with(shop.good_body(route), at, None));
            cases.push((format!("without {at}"), route, event, invalid(at)));
        }
    }
    let nothing = json!({"checkoutId": shop.checkout()});
    let event = shop.event(Route::UpdateAddress).json(&nothing);
    cases.push(("without any address".to_owned(), Route::UpdateAddress, event, invalid("")));

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn a_quantity_is_a_whole_number_from_1_to_999() {
    let shop = Shop::open().await;
    let quantities = [
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1.0),
        json!(1e3),
        json!(1000),
        json!(4_294_967_296_u64),
        json!(u64::MAX),
        json!(i64::MIN),
        json!("2"),
        json!(null),
        json!(true),
    ];

    for route in [Route::Initiate, Route::UpdateItems] {
        each_is_refused(&shop, values(&shop, route, "/cartItems/0/quantity", &quantities)).await;
    }
}

#[tokio::test]
async fn what_a_shopper_types_is_a_few_short_texts_with_names() {
    let shop = Shop::open().await;
    let at = "/cartItems/1/attributes";
    let six: Value = (0..6).map(|at| (format!("a{at}"), json!("x"))).collect();
    let whole = [json!({"": "x"}), json!({"1st": "x"}), json!({"a b": "x"}), json!({"ä": "x"}), six]
        .into_iter()
        .chain([json!({"n".repeat(33): "x"}), json!([]), json!("x"), json!(1), json!([["a", "b"]])])
        .collect::<Vec<_>>();
    let text = "/cartItems/1/attributes/engraving";
    let texts = [
        json!(""),
        json!(" "),
        json!("x".repeat(201)),
        json!("two\nlines"),
        json!("\u{202E}\u{200B}"),
        json!("a\u{0}b"),
        json!(1),
        json!(null),
        json!(["x"]),
        json!({"x": "y"}),
    ];
    for route in [Route::Initiate, Route::UpdateItems] {
        let cases = [values(&shop, route, at, &whole), values(&shop, route, text, &texts)].concat();
        each_is_refused(&shop, cases).await;
        // A member twice is no value that JSON's own types could hold.
        let twice = shop.good_body(route).to_string().replacen(
            r#""engraving":"For Ada""#,
            r#""engraving":"For Ada","engraving":"For Bob""#,
            1,
        );
        let event = shop.event(route).body(twice);
        each_is_refused(&shop, [("twice".to_owned(), route, event, invalid(at))]).await;
    }
}

#[tokio::test]
async fn units_of_lines_are_named_once_and_counted_from_1() {
    let shop = Shop::open().await;
    let routes = [
        (Route::CancelOrder, json!({"cancellationId": ID})),
        (Route::RefundOrder, json!({"refundId": ID})),
        (Route::CreateFulfillment, json!({"fulfillmentId": ID})),
        (Route::CreateReturn, json!({"returnId": ID})),
    ];
    let mut cases = Vec::new();
    for (route, body) in routes {
        let one = |line: Value, quantity: Value| json!({"line": line, "quantity": quantity});
        let twice = json!([one(json!(0), json!(1)), one(json!(0), json!(1))]);
        let many: Value = (0..51).map(|line| one(json!(line), json!(1))).collect();
        for (items, at) in [
            (json!([]), "/items"),
            (many, "/items"),
            (json!({}), "/items"),
            (json!([one(json!(0), json!(0))]), "/items/0/quantity"),
            (json!([one(json!(0), json!(1000))]), "/items/0/quantity"),
            (json!([one(json!(0), json!(1.5))]), "/items/0/quantity"),
            (json!([one(json!(-1), json!(1))]), "/items/0/line"),
            (json!([one(json!("0"), json!(1))]), "/items/0/line"),
            (twice, "/items/1/line"),
            (json!([{"line": 0, "quantity": 1, "sku": "espresso-beans"}]), "/items/0/sku"),
        ] {
            let mut body = body.clone();
            body["items"] = items;
            cases.push((body.to_string(), route, shop.event(route).json(&body), invalid(at)));
        }
    }
    let halves = [
        (Route::CancelOrder, json!({"cancellationId": ID}), "/items"),
        (Route::CancelOrder, json!({"items": [{"line": 0, "quantity": 1}]}), "/cancellationId"),
        (Route::RefundOrder, json!({"refundId": ID, "restock": true}), "/restock"),
        (Route::RefundOrder, json!({"refundId": ID, "amount": 1, "shipping": true}), "/amount"),
        (Route::RefundOrder, json!({"refundId": ID, "amount": 1, "paymentFee": true}), "/amount"),
        (Route::RefundOrder, json!({"refundId": ID, "amount": 1, "items": [{"line": 0, "quantity": 1}]}), "/amount"),
        (Route::UpdateReturn, json!({"status": "requested"}), "/status"),
        (Route::UpdateReturn, json!({"status": "approved", "restock": true}), "/restock"),
        (Route::UpdateReturn, json!({"status": "refused", "refund": false}), "/refund"),
        (Route::UpdateReturn, json!({"status": "refused", "shipping": false}), "/shipping"),
    ];
    for (route, body, at) in halves {
        cases.push((body.to_string(), route, shop.event(route).json(&body), invalid(at)));
    }

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn an_amount_of_staff_is_a_whole_positive_number_of_cents() {
    let shop = Shop::open().await;
    let amounts = [
        json!("100"),
        json!(1.5),
        json!(100.0),
        json!(0),
        json!(-100),
        json!(9_007_199_254_740_992_u64),
        json!(u64::MAX),
        json!({"amount": 100}),
        json!(true),
    ];
    let cases = [Route::CaptureOrder, Route::RefundOrder]
        .into_iter()
        .flat_map(|route| values(&shop, route, "/amount", &amounts));

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn an_expected_total_is_a_whole_number_of_cents() {
    let shop = Shop::open().await;
    let totals = [
        json!("4887"),
        json!(48.87),
        json!(4887.0),
        json!(-4887),
        json!(9_007_199_254_740_992_u64),
        json!(u64::MAX),
        json!(1e300),
        json!(null),
        json!({"amount": 4887}),
    ];

    each_is_refused(&shop, values(&shop, Route::ConfirmOrder, "/expectedTotal", &totals)).await;
}

#[tokio::test]
async fn an_id_in_a_body_has_the_form_of_its_kind() {
    let shop = Shop::open().await;
    let ids = [
        json!(""),
        json!("12345"),
        json!("6f1c2d348a5b4c6d9e7f0a1b2c3d4e5f"),
        json!("{6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5f}"),
        json!(" 6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5f"),
        json!("6f1c2d34-8a5b-4c6d-9e7f-0a1b2c3d4e5g"),
        json!("../../../etc/passwd"),
        json!("' OR 1=1 --"),
        json!("x".repeat(5000)),
    ];
    let by_id = with_body().filter(|route| shop.good_body(*route).get("checkoutId").is_some());
    let mut cases: Vec<_> = by_id.flat_map(|route| values(&shop, route, "/checkoutId", &ids)).collect();
    cases.extend(values(&shop, Route::Initiate, "/guestId", &ids));
    let names =
        [json!(""), json!("a b"), json!("a#b"), json!("a\u{0}b"), json!("ä"), json!("x".repeat(65)), json!("a/b")];
    cases.extend(values(&shop, Route::Initiate, "/cartItems/0/productId", &names));
    cases.extend(values(&shop, Route::Initiate, "/cartItems/1/variantId", &names));
    cases.extend(values(&shop, Route::Initiate, "/shippingMethodId", &names));
    cases.extend(values(&shop, Route::CalculateShipping, "/shippingMethodId", &names));
    let codes =
        [json!(""), json!(" "), json!("SAVE/20"), json!("SAVE#20"), json!("x".repeat(41)), json!("SAVE\u{0}20")];
    cases.extend(values(&shop, Route::ApplyCoupon, "/couponCode", &codes));

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn text_that_lies_about_itself_is_refused() {
    let shop = Shop::open().await;
    let hidden = ["a\u{0}b", "a\u{1B}[31mb", "a\u{2028}b", "a\u{7F}", "a\u{85}b", "a\u{E000}b", "a\u{FFFF}b"];
    let hidden = hidden.map(Value::from);
    let mut cases = Vec::new();
    for (route, at) in [
        (Route::Initiate, "/shippingAddress/firstName"),
        (Route::Initiate, "/billingAddress/company"),
        (Route::UpdateAddress, "/shippingAddress/addressLine1"),
        (Route::UpdateAddress, "/shippingAddress/addressLine2"),
        (Route::UpdateAddress, "/billingAddress/city"),
        (Route::UpdateAddress, "/shippingAddress/state"),
        (Route::ConfirmOrder, "/customerInfo/firstName"),
        (Route::ConfirmOrder, "/customerInfo/email"),
        (Route::ConfirmOrder, "/notes"),
        (Route::CancelOrder, "/reason"),
        (Route::UpdateOrderStatus, "/note"),
        (Route::UpdateOrderStatus, "/carrier"),
        (Route::CreateFulfillment, "/trackingNumber"),
        (Route::CreateFulfillment, "/carrier"),
        (Route::CreateReturn, "/reason"),
        (Route::UpdateReturn, "/note"),
        (Route::CorrectOrder, "/shippingAddress/addressLine1"),
        (Route::CorrectOrder, "/billingAddress/company"),
        (Route::CorrectOrder, "/reason"),
    ] {
        cases.extend(values(&shop, route, at, &hidden));
    }

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn text_is_there_where_it_must_be_and_has_an_end() {
    let shop = Shop::open().await;
    let mut cases = Vec::new();
    cases.extend(values(
        &shop,
        Route::UpdateAddress,
        "/shippingAddress/lastName",
        &[json!("x".repeat(101)), json!("1")],
    ));
    for at in ["/shippingAddress/firstName", "/shippingAddress/addressLine1"] {
        cases.extend(values(&shop, Route::UpdateAddress, at, &[json!(""), json!(" \u{A0}"), json!("x".repeat(201))]));
    }
    cases.extend(values(&shop, Route::ConfirmOrder, "/notes", &[json!("x".repeat(1001))]));
    cases.extend(values(&shop, Route::CancelOrder, "/reason", &[json!("x".repeat(501))]));
    cases.extend(values(&shop, Route::UpdateOrderStatus, "/note", &[json!("x".repeat(501))]));
    cases.extend(values(&shop, Route::UpdateOrderStatus, "/trackingNumber", &[json!("x".repeat(101))]));
    cases.extend(values(&shop, Route::CreateFulfillment, "/trackingNumber", &[json!("x".repeat(101))]));
    cases.extend(values(&shop, Route::CreateReturn, "/reason", &[json!("x".repeat(501))]));
    cases.extend(values(&shop, Route::UpdateReturn, "/note", &[json!("x".repeat(501))]));
    let decisions = ["", "paid", "APPROVED", "done", "received "].map(Value::from);
    cases.extend(values(&shop, Route::UpdateReturn, "/status", &decisions));
    let emails = [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@ex ample.com",
        "a@b@c",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "mailto:ada@example.com",
        "ada@localhost",
        "ada@127.0.0.1",
        "ada@[127.0.0.1]",
        "ada@-example.com",
        "ada@example.c",
        "ada@shop.invalid",
    ];
    let emails = emails.map(Value::from);
    cases.extend(values(&shop, Route::ConfirmOrder, "/customerInfo/email", &emails));
    cases.extend(values(&shop, Route::CorrectOrder, "/customerInfo/email", &emails));
    let phones = ["call me", "12", "+1 415 555 0132 ext. five", "0".repeat(21).as_str()].map(Value::from);
    cases.extend(values(&shop, Route::ConfirmOrder, "/customerInfo/phone", &phones));
    cases.extend(values(&shop, Route::UpdateAddress, "/shippingAddress/phone", &phones));
    cases.extend(values(&shop, Route::CorrectOrder, "/customerInfo/phone", &phones));
    cases.extend(values(&shop, Route::CorrectOrder, "/reason", &[json!(""), json!("x".repeat(501))]));
    let methods = ["", "bitcoin", "CASH_ON_DELIVERY", "cash on delivery", "free"].map(Value::from);
    cases.extend(values(&shop, Route::ConfirmOrder, "/paymentMethod", &methods));
    cases.extend(values(&shop, Route::ConfirmOrder, "/paymentToken", &[json!("tok_visa")]));
    let statuses = ["", "paid", "PROCESSING", "done", "processing "].map(Value::from);
    cases.extend(values(&shop, Route::UpdateOrderStatus, "/status", &statuses));
    let currencies = ["", "usd", "US", "DOLLARS", "$", "XYZ", "US\u{0}"].map(Value::from);
    cases.extend(values(&shop, Route::Initiate, "/currency", &currencies));

    each_is_refused(&shop, cases).await;
}
