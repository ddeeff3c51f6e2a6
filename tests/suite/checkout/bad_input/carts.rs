//! Carts, coupons and steps that the shop doesn't take.

use serde_json::{Value, json};
use shared::http::route::Route;
use tests::world::{california, cart, confirmation};

use super::{Case, Refusal, Shop, each_is_refused, invalid, refusal};

const UNKNOWN: Refusal = Refusal { status: 404, code: "PRODUCT_NOT_FOUND", at: Some("/cartItems/0") };

fn carts(shop: &Shop, carts: Vec<(&str, Value, Refusal)>) -> Vec<Case> {
    let opened = |items: &Value| shop.event(Route::Initiate).json(&json!({"cartItems": items}));
    let changed = |items: &Value| {
        shop.event(Route::UpdateItems).json(&json!({"checkoutId": shop.checkout(), "cartItems": items}))
    };
    let both = |(what, items, refusal): (&str, Value, Refusal)| {
        [
            (what.to_owned(), Route::Initiate, opened(&items), refusal),
            (what.to_owned(), Route::UpdateItems, changed(&items), refusal),
        ]
    };
    carts.into_iter().flat_map(both).collect()
}

#[tokio::test]
async fn a_cart_has_1_to_50_lines() {
    let shop = Shop::open().await;
    let lines =
        |count: usize| -> Value { (0..count).map(|i| json!({"productId": format!("p{i}"), "quantity": 1})).collect() };
    let cases = carts(
        &shop,
        vec![
            ("nothing", json!([]), invalid("/cartItems")),
            ("51 lines", lines(51), invalid("/cartItems")),
            ("1000 lines", lines(1000), invalid("/cartItems")),
            ("51 times the same", cart(&[("espresso-beans", 1); 51]), invalid("/cartItems")),
        ],
    );

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn a_product_is_bought_by_the_999_however_the_lines_are_cut() {
    let shop = Shop::open().await;
    let cases = carts(
        &shop,
        vec![
            ("1000", cart(&[("espresso-beans", 1000)]), invalid("/cartItems/0/quantity")),
            (
                "500 and 500",
                cart(&[("espresso-beans", 500), ("espresso-beans", 500)]),
                invalid("/cartItems/1/quantity"),
            ),
            ("the most there is", cart(&[("espresso-beans", u32::MAX)]), invalid("/cartItems/0/quantity")),
            (
                "more than a number holds",
                cart(&[("espresso-beans", u32::MAX), ("espresso-beans", 2)]),
                invalid("/cartItems/1/quantity"),
            ),
        ],
    );

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn what_the_shop_doesnt_sell_isnt_found() {
    let shop = Shop::open().await;
    let second = Refusal { at: Some("/cartItems/1"), ..UNKNOWN };
    let cases = carts(
        &shop,
        vec![
            ("an unknown product", cart(&[("no-such-thing", 1)]), UNKNOWN),
            ("an unpublished product", cart(&[("unpublished-item", 1)]), UNKNOWN),
            ("an unknown variant", cart(&[("pour-over-kit/green", 1)]), UNKNOWN),
            ("no variant of a product that has some", cart(&[("pour-over-kit", 1)]), UNKNOWN),
            ("a variant of a product that has none", cart(&[("espresso-beans/white", 1)]), UNKNOWN),
            ("another spelling", cart(&[("Espresso-Beans", 1)]), UNKNOWN),
            ("one that is and one that isn't", cart(&[("espresso-beans", 1), ("no-such-thing", 1)]), second),
        ],
    );

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn what_has_no_price_in_a_currency_isnt_found_in_it() {
    let shop = Shop::open().await;
    let body = json!({"cartItems": cart(&[("espresso-beans", 1)]), "currency": "KWD"});
    let event = shop.event(Route::Initiate).json(&body);

    each_is_refused(&shop, [("KWD".to_owned(), Route::Initiate, event, UNKNOWN)]).await;
}

#[tokio::test]
async fn what_isnt_there_isnt_sold() {
    let shop = Shop::open().await;
    let short = refusal(409, "INSUFFICIENT_STOCK");
    let cases = carts(
        &shop,
        vec![
            ("a sold-out product", cart(&[("sold-out-mug", 1)]), short),
            ("one more than there is", cart(&[("limited-print", 6)]), short),
            ("one more in two lines", cart(&[("limited-print", 3), ("limited-print", 3)]), short),
        ],
    );

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn a_product_doesnt_go_where_it_may_not_however_the_place_is_spelled() {
    let shop = Shop::open().await;
    let tea = shop.guest.initiate(&[("cbd-tea", 1)]).await.expect(201);
    let barred = refusal(422, "NOT_SHIPPABLE");
    let mut cases = Vec::new();
    for (state, zip) in [
        ("ID", "83702"),
        ("id", "83702"),
        ("Idaho", "83702"),
        ("IDAHO", "83702"),
        ("Idaho ", "83702"),
        (" ID\t", "83702"),
        ("US-ID", "83702"),
        ("us-id", "83702"),
        ("Nebraska", "68508"),
        ("KS", "66603"),
    ] {
        let mut address = california();
        address["state"] = json!(state);
        address["postalCode"] = json!(zip);
        let opened = json!({"cartItems": cart(&[("cbd-tea", 1)]), "shippingAddress": address});
        let changed = json!({"checkoutId": tea["checkoutId"], "shippingAddress": address});
        cases.push((format!("{state:?}"), Route::Initiate, shop.event(Route::Initiate).json(&opened), barred));
        cases.push((
            format!("{state:?}"),
            Route::UpdateAddress,
            shop.event(Route::UpdateAddress).json(&changed),
            barred,
        ));
    }

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn coupons_and_certificates_that_dont_apply_open_no_session() {
    let shop = Shop::open().await;
    let second = Refusal { at: Some("/couponCodes/1"), ..refusal(422, "COUPON_NOT_COMBINABLE") };
    let unknown = Refusal { at: Some("/couponCodes/0"), ..refusal(422, "COUPON_UNKNOWN") };
    let cases = [
        ("an unknown coupon", json!({"couponCodes": ["NOSUCHCODE"]}), unknown),
        (
            "one that is and one that isn't",
            json!({"couponCodes": ["SAVE20", "EXPIRED"]}),
            refusal(422, "COUPON_EXPIRED"),
        ),
        ("too little for it", json!({"couponCodes": ["FLAT500"]}), refusal(422, "COUPON_MINIMUM_NOT_MET")),
        ("two that don't combine", json!({"couponCodes": ["FREESHIP", "SAVE20"]}), second),
        ("six", json!({"couponCodes": ["A", "B", "C", "D", "E", "F"]}), invalid("/couponCodes")),
        ("one thousand", json!({"couponCodes": vec!["SAVE20"; 1000]}), invalid("/couponCodes")),
        ("no code", json!({"couponCodes": ["SAVE20", "A#B"]}), invalid("/couponCodes/1")),
        ("an empty code", json!({"couponCodes": [""]}), invalid("/couponCodes/0")),
        ("nothing in the list", json!({"couponCodes": [null]}), invalid("/couponCodes/0")),
        ("no VAT number", json!({"vatNumber": "DE1"}), invalid("/vatNumber")),
        (
            "a certificate that isn't on file",
            json!({"taxExemptionCertificate": "NY-1"}),
            refusal(422, "TAX_EXEMPTION_INVALID"),
        ),
    ];
    let body = |more: &Value| {
        let mut body = json!({"cartItems": cart(&[("espresso-beans", 1)]), "shippingAddress": california()});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let cases = cases.map(|(what, more, expected)| {
        (what.to_owned(), Route::Initiate, shop.event(Route::Initiate).json(&body(&more)), expected)
    });

    each_is_refused(&shop, cases).await;
}

#[tokio::test]
async fn a_step_that_the_session_cant_take_changes_nothing() {
    let shop = Shop::open().await;
    let bare = shop.guest.initiate(&[("espresso-beans", 1)]).await.expect(201);
    let checkout = bare["checkoutId"].as_str().expect("a session");
    let unknown = "00000000-0000-4000-8000-000000000000";
    let no_address = refusal(409, "SHIPPING_ADDRESS_REQUIRED");
    let coupon = |checkout: &str, code: &str| json!({"checkoutId": checkout, "couponCode": code});
    let method = json!({"checkoutId": shop.checkout(), "shippingMethodId": "de-standard"});
    let cases = [
        (Route::CalculateShipping, json!({"checkoutId": checkout}), no_address),
        (Route::CalculateTax, json!({"checkoutId": checkout}), no_address),
        (Route::ConfirmOrder, confirmation(checkout, 1999), no_address),
        (Route::CalculateShipping, method, refusal(422, "SHIPPING_METHOD_UNAVAILABLE")),
        (Route::ApplyCoupon, coupon(checkout, "NOSUCHCODE"), refusal(422, "COUPON_UNKNOWN")),
        (Route::ApplyCoupon, coupon(checkout, "EXPIRED"), refusal(422, "COUPON_EXPIRED")),
        (Route::ApplyCoupon, coupon(checkout, "FLAT500"), refusal(422, "COUPON_MINIMUM_NOT_MET")),
        (Route::CalculateTax, json!({"checkoutId": unknown}), refusal(404, "SESSION_NOT_FOUND")),
        (
            Route::UpdateItems,
            json!({"checkoutId": unknown, "cartItems": cart(&[("espresso-beans", 1)])}),
            refusal(404, "SESSION_NOT_FOUND"),
        ),
        (Route::ConfirmOrder, confirmation(unknown, 1999), refusal(404, "SESSION_NOT_FOUND")),
        (Route::ConfirmOrder, confirmation(shop.checkout(), 1), refusal(409, "TOTAL_CHANGED")),
    ];
    let cases = cases.map(|(route, body, expected)| (body.to_string(), route, shop.event(route).json(&body), expected));

    each_is_refused(&shop, cases).await;
}
