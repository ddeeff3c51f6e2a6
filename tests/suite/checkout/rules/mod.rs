//! The commerce rules as a customer meets them: through the handlers, with a shop that changes under their hands.

mod attributes;
mod backorder;
mod cash;
mod changes;
mod claims;
mod coupons;
mod currencies;
mod delivery;
mod digital;
mod free;
mod items;
mod most;
mod no_changes;
mod one_call;
mod payment_methods;
mod places;
mod taxes;
mod totals;

use serde_json::Value;
use tests::world::{World, sample_catalog};

/// Changes the shop's catalog while it is open.
async fn change_catalog(world: &World, change: impl FnOnce(&mut Value)) {
    let mut catalog = sample_catalog();
    change(&mut catalog);
    let catalog = serde_json::from_value(catalog).expect("a catalog");
    world.app().catalog.load_catalog(&catalog, &[].into(), || ()).await.unwrap_or_else(|error| panic!("{error:?}"));
}

/// The product of this id in a catalog.
fn product<'a>(catalog: &'a mut Value, id: &str) -> &'a mut Value {
    let products = catalog["products"].as_array_mut().expect("products");
    products.iter_mut().find(|product| product["productId"] == id).unwrap_or_else(|| panic!("no {id}"))
}

/// The codes of a session's problems.
fn problems(session: &Value) -> Vec<&str> {
    let problems = session["problems"].as_array().unwrap_or_else(|| panic!("no session: {session:#}"));
    problems.iter().filter_map(|problem| problem["code"].as_str()).collect()
}
