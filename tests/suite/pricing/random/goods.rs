//! Products, and what of them is in the cart.

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::{
    amounts::{categories, plain_amounts, schedule},
    object, seldom,
    template::Template,
};

/// In an order that is neither theirs byte by byte nor that of the text of product and variant together.
const PRODUCTS: [&str; 8] = ["tea", "a", "a1", "a-1", "b", "aa", "tea-2", "c"];
const VARIANTS: [&str; 3] = ["v1", "v", "v-1"];

/// A line to be: the product and the variant by their place, and the quantity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    product: usize,
    variant: usize,
    quantity: u64,
    oddity: u8,
    typed: usize,
}

/// What is typed for a line, in an order that isn't that of the lines.
fn typed(at: usize) -> Value {
    match at {
        0 => json!({"text": "b"}),
        1 => json!({"text": "a"}),
        2 => json!({"text": "a", "more": "c"}),
        3 => json!({"a": "z"}),
        _ => Value::Null,
    }
}

pub(super) fn item() -> impl Strategy<Value = Item> {
    let quantity = prop_oneof![12 => 1..=4_u64, 4 => 5..=20_u64, 1 => 1..=999_u64];
    let typed = prop_oneof![2 => 0..4_usize, 3 => Just(4)];
    (0..8_usize, 0..3_usize, quantity, 0..200_u8, typed).prop_map(|(product, variant, quantity, oddity, typed)| Item {
        product,
        variant,
        quantity,
        oddity,
        typed,
    })
}

pub(super) fn product() -> impl Strategy<Value = Value> {
    let variants = prop_oneof![3 => Just(0_usize), 2 => 1..=3_usize];
    let variants = (variants, prop::collection::vec((plain_amounts(), schedule(), seldom(weight(), 0.2)), 3));
    let codes = ["standard", "reduced", "zero", "food", "books"].map(Value::from);
    let tax_code = select([vec![Value::Null], codes.to_vec()].concat());
    let published = prop_oneof![100 => Just(Value::Null), 1 => Just(json!(false)), 10 => Just(json!(true))];
    let most = seldom((1..=30_u32).prop_map(Value::from), 0.2);
    let least = seldom((1..=6_u32).prop_map(Value::from), 0.1);
    let units = (least, most).prop_map(|(least, most)| match (least.as_u64(), most.as_u64()) {
        (Some(low), Some(high)) if low > high => (most.clone(), most),
        _ => (least, most),
    });
    let digital = prop::bool::weighted(0.3);
    let weight = (digital, seldom(weight(), 0.6));
    let parts = (plain_amounts(), schedule(), weight, categories(), tax_code, published, units, variants);
    parts.prop_map(|(prices, schedule, weight, categories, tax_code, published, (least, most), (count, variants))| {
        let (digital, weight) = weight;
        let shipped = |weight: Value| if digital { Value::Null } else { weight };
        let variants = variants.into_iter().zip(VARIANTS).take(count).map(|((prices, schedule, weight), id)| {
            let weight = shipped(weight);
            object([
                ("variantId", json!(id)),
                ("name", json!(id)),
                ("prices", prices),
                ("scheduledPrices", schedule),
                ("weightGrams", weight),
                ("stock", json!("unlimited")),
            ])
        });
        object([
            ("prices", prices),
            ("scheduledPrices", schedule),
            ("digital", if digital { json!(true) } else { Value::Null }),
            ("weightGrams", shipped(weight)),
            ("categories", json!(categories)),
            ("taxCode", tax_code),
            ("published", published),
            ("minPerOrder", least),
            ("maxPerOrder", most),
            ("variants", if count == 0 { Value::Null } else { variants.collect() }),
        ])
    })
}

fn weight() -> impl Strategy<Value = Value> {
    prop_oneof![6 => 1..3000_u32, 2 => select(vec![1, 499, 500, 501, 1000]), 1 => Just(1_000_000)].prop_map(Value::from)
}

pub(super) fn products(templates: &[Value], template: &Template) -> Value {
    let products = templates.iter().zip(PRODUCTS).map(|(product, id)| {
        let mut product = template.fill(product);
        product["productId"] = json!(id);
        product
    });
    products.collect()
}

/// The ids of the products at these places of the catalog, without places that it doesn't have.
pub(super) fn ids(places: &Value, products: &Value) -> Vec<Value> {
    let places = places.as_array().unwrap().iter().map(|place| usize::try_from(place.as_u64().unwrap()).unwrap());
    places.filter_map(|place| products.get(place).map(|product| product["productId"].clone())).collect()
}

/// One line for each product and variant with what is typed for it.
pub(super) fn items(items: &[Item], products: &Value) -> Value {
    let products = products.as_array().unwrap();
    let mut lines: Vec<Value> = Vec::new();
    for item in items {
        let product = &products[item.product % products.len()];
        let variants = product["variants"].as_array().map_or(0, Vec::len);
        let variant = VARIANTS.get(item.variant % variants.max(1)).filter(|_| variants > 0);
        let (product, variant) = match item.oddity {
            97 => (product["productId"].clone(), json!("gone")),
            98 => (json!("gone"), Value::Null),
            _ => (product["productId"].clone(), json!(variant)),
        };
        let line = object([
            ("productId", product),
            ("variantId", variant),
            ("quantity", json!(item.quantity)),
            ("attributes", typed(item.typed)),
        ]);
        let is_there = |other: &Value| {
            ["productId", "variantId", "attributes"].into_iter().all(|member| other[member] == line[member])
        };
        if !lines.iter().any(is_there) {
            lines.push(line);
        }
    }
    lines.into()
}
