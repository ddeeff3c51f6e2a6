//! Pricing a cart of a catalog, both as JSON, without stores or handlers.

use std::sync::Arc;

use serde_json::{Value, json};
use shared::{
    adapters::stored::catalog::{CatalogFile, payment_rules},
    checkout::session::SessionError,
    domain::{
        address::{Address, RawAddress},
        attributes::Attributes,
        catalog::{CatalogSnapshot, ShopRules},
        coupon::CouponUses,
        ids::{CheckoutId, CouponCode, GuestId, Owner, Sku},
        money::{Currency, Minor, OutOfRange},
        payment_option::PaymentOption,
        priced::{Line, Priced},
        session::{Session, SessionStatus},
        tax::TaxStatus,
    },
    http::{problem::Problem, view::SessionView},
    pricing,
};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// When an example says nothing else.
pub const NOON: &str = "2026-03-02T12:00:00Z";

/// A catalog and a cart, read and found right.
#[derive(Clone, Debug)]
pub struct Shop {
    pub snapshot: CatalogSnapshot,
    pub session: Session,
    pub now: OffsetDateTime,
}

/// What the checkout answers to this cart.
#[track_caller]
pub fn priced(catalog: &Value, cart: &Value) -> Value {
    let mut shop = Shop::open(catalog, cart);
    match shop.price() {
        Ok(_) => shop.view(),
        Err(error) => {
            let problem = Problem::from(SessionError::from(error));
            serde_json::from_str(&problem.body()).expect("a problem")
        }
    }
}

impl Shop {
    /// `cart` has `items`, and may have `currency`, `shippingAddress` and `billingAddress` (as much of them as matters),
    /// `shippingMethodId`, `coupons`, `vatNumber`, `taxExemptionCertificate`, `userId`, `now`, `uses`, `hasOrdered`, and
    /// `firstShown` with the prices of a time before.
    #[track_caller]
    pub fn open(catalog: &Value, cart: &Value) -> Self {
        Self::of(&catalog_file(catalog), cart)
    }

    /// A cart in a shop that has been opened before.
    #[track_caller]
    pub fn of(file: &CatalogFile, cart: &Value) -> Self {
        let now = OffsetDateTime::parse(cart["now"].as_str().unwrap_or(NOON), &Rfc3339).expect("a time");
        let session = session(cart, now);
        let snapshot = snapshot(file, cart, &session);
        let mut shop = Self { snapshot, session, now };
        if let Some(prices) = cart["firstShown"].as_object() {
            shop.price().expect("prices");
            for line in &mut shop.session.priced.lines {
                // What isn't named is new in the cart.
                if let Some(price) = prices.get(line.sku.product.as_str()) {
                    line.quoted_price = Minor::new(price.as_i64().expect("a price")).expect("a price");
                }
            }
        }
        shop
    }

    /// The cart's prices, from the one function that makes them.
    pub fn price(&mut self) -> Result<Priced, OutOfRange> {
        let priced = self.price_as(&self.session, self.now)?;
        self.session.payment_options = self.options(&self.session, &priced, self.now)?;
        self.session.priced = priced.clone();
        Ok(priced)
    }

    /// What another session would cost here at another time.
    pub fn price_as(&self, session: &Session, now: OffsetDateTime) -> Result<Priced, OutOfRange> {
        pricing::price(session.into(), &self.snapshot, now)
    }

    /// How a session can be paid.
    pub fn options(
        &self,
        session: &Session,
        priced: &Priced,
        now: OffsetDateTime,
    ) -> Result<Option<Vec<PaymentOption>>, OutOfRange> {
        pricing::payment_options(session.into(), &self.snapshot, priced, now)
    }

    /// The session as the client would see it.
    pub fn view(&self) -> Value {
        let view = SessionView::new(&self.session, self.now, Duration::minutes(30));
        serde_json::to_value(view.with_offers(&self.session).with_taxes(&self.session)).expect("a session")
    }
}

/// A catalog in which much may go without saying.
#[track_caller]
pub fn catalog_file(catalog: &Value) -> CatalogFile {
    let file: CatalogFile = serde_json::from_value(whole(catalog)).unwrap_or_else(|error| panic!("{error}"));
    // A tax code without a rate is a fault in a catalog, but a cart may still have to be priced with it.
    if let Err(faults) = file.check() {
        let faults: Vec<_> = faults.into_iter().filter(|fault| !fault.pointer.ends_with("axCode")).collect();
        assert!(faults.is_empty(), "{faults:?}");
    }
    file
}

/// The whole file of such a catalog.
pub fn whole(catalog: &Value) -> Value {
    let mut catalog = catalog.clone();
    let optional = [("coupons", json!([])), ("shipping", json!({"zones": []})), ("tax", json!({"jurisdictions": []}))];
    for (part, empty) in optional {
        if catalog[part].is_null() {
            catalog[part] = empty;
        }
    }
    for product in catalog["products"].as_array_mut().expect("products") {
        let members = product.as_object_mut().expect("a product");
        let name = members["productId"].clone();
        let variants_count = members.get("variants").is_some();
        let is_digital = members.get("digital") == Some(&json!(true));
        let mut default = |member: &str, value: Value| {
            members.entry(member).or_insert(value);
        };
        default("name", name);
        default("published", json!(true));
        if !is_digital {
            default("weightGrams", json!(500));
        }
        if !variants_count {
            default("stock", json!("unlimited"));
        }
    }
    catalog
}

fn session(cart: &Value, now: OffsetDateTime) -> Session {
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let lines = cart["items"].as_array().expect("items").iter().map(|item| Line {
        sku: Sku {
            product: item["productId"].as_str().expect("a product").parse().expect("a product id"),
            variant: item["variantId"].as_str().map(|id| id.parse().expect("a variant id")),
        },
        attributes: item["attributes"].as_object().map_or_else(Attributes::default, |members| {
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            let members = members.iter().map(|(name, value)| (name.clone(), text(value)));
            Attributes::parse(members.collect()).expect("attributes")
        }),
        quantity: item["quantity"].as_u64().expect("a quantity").try_into().expect("a quantity"),
    });
    let address = |name: &str| {
        let address = &cart[name];
        address.as_object().map(|_| {
            Address::restore(RawAddress {
                state: text(&address["state"]),
                county: text(&address["county"]),
                postal_code: text(&address["postalCode"]),
                country: text(&address["country"]).expect("a country"),
                ..RawAddress::default()
            })
        })
    };
    let coupons = cart["coupons"].as_array().into_iter().flatten();
    let guest = Owner::Guest(GuestId::new(Uuid::from_u128(1)));
    Session {
        id: CheckoutId::new(Uuid::from_u128(2)),
        owner: cart["userId"].as_str().map_or(guest, |user| Owner::User(user.parse().expect("a user id"))),
        status: SessionStatus::Open,
        version: 1,
        currency: cart["currency"].as_str().map_or(Currency::USD, |code| code.parse().expect("a currency")),
        lines: lines.collect(),
        shipping_address: address("shippingAddress"),
        billing_address: address("billingAddress"),
        shipping_method: cart["shippingMethodId"].as_str().map(|id| id.parse().expect("a method id")),
        coupons: coupons.map(|code| code.as_str().expect("a code").parse().expect("a code")).collect(),
        tax_status: TaxStatus {
            certificate: cart["taxExemptionCertificate"].as_str().map(|number| number.parse().expect("a number")),
            vat_number: cart["vatNumber"].as_str().map(|number| number.parse().expect("a VAT number")),
        },
        recover_by_email: false,
        priced: Priced::default(),
        payment_options: None,
        placed: Vec::new(),
        created_at: now,
        updated_at: now,
        active_at: now,
        abandoned_at: None,
    }
}

/// What the stores would answer with.
fn snapshot(file: &CatalogFile, cart: &Value, session: &Session) -> CatalogSnapshot {
    let mut snapshot = CatalogSnapshot::default();
    let mut rules = ShopRules { shipping: file.shipping.rules().expect("shipping"), ..ShopRules::default() };
    if let Some(currencies) = &file.currencies {
        rules.currencies = currencies.currencies().expect("currencies");
    }
    rules.payments = file.payment_methods.as_ref().map(|rules| payment_rules(rules).expect("payment methods"));
    for stored in &file.products {
        let product = stored.product().expect("a product");
        let opening = stored.opening_stock(&product).into_iter();
        snapshot.stock.extend(opening.map(|(sku, of)| (sku, i64::try_from(of.units).expect("a small stock"))));
        snapshot.products.insert(product.id.clone(), product);
    }
    for stored in &file.coupons {
        let coupon = stored.coupon().expect("a coupon");
        let uses = &cart["uses"][coupon.code.as_str()];
        let count = |of: &str| uses[of].as_u64().unwrap_or_default().try_into().expect("a count");
        let has_ordered = cart["hasOrdered"].as_bool().unwrap_or_default();
        let used_up = coupon.total_limit.is_some_and(|limit| count("total") >= limit);
        let uses = CouponUses { used_up, by_customer: count("byCustomer"), has_ordered };
        if coupon.automatic {
            rules.promotions.push(coupon);
        } else if session.coupons.contains(&coupon.code) {
            let code: CouponCode = coupon.code.clone();
            snapshot.coupons.insert(code, (coupon, uses));
        }
    }
    let taxes = file.tax.by_country().expect("taxes");
    for address in [&session.shipping_address, &session.billing_address].into_iter().flatten() {
        let country = address.destination().country();
        if let Some(rules) = taxes.get(country) {
            snapshot.taxes.insert(country.to_owned(), Arc::new(rules.rules().expect("taxes")));
        }
    }
    let certificates = file.tax_exemptions.iter().map(|stored| stored.certificate().expect("a certificate"));
    snapshot.rules = Arc::new(rules);
    snapshot.certificate =
        certificates.into_iter().find(|c| session.tax_status.certificate.as_ref() == Some(&c.number));
    snapshot
}
