//! Correcting an order that isn't delivered yet, without making its prices wrong.

use time::OffsetDateTime;

use crate::domain::{
    actor::Actor,
    address::{Address, RawAddress},
    catalog::CatalogSnapshot,
    correction::{AddressPatch, Corrected, Correction, MAX_CORRECTIONS},
    ids::Sku,
    invalid::{Faults, Invalid},
    note::LONGEST_NOTE,
    order::{Customer, Order, OrderStatus},
    place::Destination,
    shipping::TooVague,
    tax::{Jurisdiction, NoTax, Relief},
    text::{email, note, phone},
};

const SHIPPING: &str = "/shippingAddress";
const BILLING: &str = "/billingAddress";

/// Why an order isn't corrected. Nothing of it is changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CorrectionRefusal {
    /// Every fault of the values.
    #[error("the correction has faults")]
    Invalid(Vec<Invalid>),
    #[error("the order is at version {version} by now: look at it again")]
    OtherVersion { version: u64 },
    #[error("an order that is {0} can't be corrected any more")]
    Over(OrderStatus),
    #[error("the order is being cancelled, so it can't be corrected any more")]
    CalledOff,
    #[error("a parcel has left with the addresses as they are: only e-mail address and phone number can be corrected")]
    ParcelHasLeft,
    #[error("nothing of the order is shipped, so it has no shipping address")]
    NothingShipped,
    #[error("{why}; cancel the order and have it placed again, for the other address")]
    OtherDestination { pointer: &'static str, why: OtherDestination },
    #[error("an order may be corrected {MAX_CORRECTIONS} times, and this one was")]
    TooMany,
}

/// What the order was priced by, and what would be different at the new address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OtherDestination {
    #[error("the order was priced for {from}, and the address would be in {to}")]
    Country { from: String, to: String },
    #[error("the order was priced for {from}, and the address would be in {to}")]
    Region { from: String, to: String },
    #[error("the order was priced for {from}, and the address would be in {to}")]
    Zone { from: String, to: String },
    #[error("{} can't be shipped there as it can now: {message}", .sku.path())]
    Restriction { sku: Sku, message: String },
    #[error("the order was taxed by {from}, and at the address it would be by {to}")]
    Tax { from: String, to: String },
    #[error("the tax exemption certificate {0}")]
    Certificate(&'static str),
}

impl OtherDestination {
    /// What it is that depends on the place.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Country { .. } => "country",
            Self::Region { .. } => "region",
            Self::Zone { .. } => "zone",
            Self::Restriction { .. } => "restriction",
            Self::Tax { .. } => "tax",
            Self::Certificate(_) => "certificate",
        }
    }
}

/// The values of an order after a correction.
struct Values {
    shipping: Option<Address>,
    billing: Address,
    customer: Customer,
    reason: String,
}

impl Order {
    /// Corrects addresses, e-mail address and phone number. `rules` are those of today, of the order's products and
    /// countries: an address where they differ from those at the address before is refused. The same values again
    /// change nothing. Returns whether anything changed.
    ///
    /// # Errors
    /// [`CorrectionRefusal`]: every fault of the values, or the first reason why they don't fit the order.
    pub fn correct(
        &mut self,
        correction: &Correction,
        rules: &CatalogSnapshot,
        actor: Actor,
        now: OffsetDateTime,
    ) -> Result<bool, CorrectionRefusal> {
        let Values { shipping, billing, customer, reason } = self.corrected(correction)?;
        let contact = [
            ("/customerInfo/email", self.customer.email != customer.email),
            ("/customerInfo/phone", self.customer.phone != customer.phone),
        ];
        let contact = contact.iter().filter(|(_, differs)| *differs).map(|(pointer, _)| (*pointer).to_owned());
        let of_shipping = self.shipping_address.as_ref().zip(shipping.as_ref());
        let of_shipping = of_shipping.map(|(before, after)| differing(SHIPPING, before, after)).unwrap_or_default();
        let of_billing = differing(BILLING, &self.billing_address, &billing);
        let has_moved = !of_shipping.is_empty() || !of_billing.is_empty();
        let members: Vec<String> = of_shipping.into_iter().chain(of_billing).chain(contact).collect();
        if members.is_empty() {
            return Ok(false);
        }
        self.may_be_corrected(correction.expected_version, has_moved)?;
        if let Some((before, after)) = self.shipping_address.as_ref().zip(shipping.as_ref()) {
            self.check_place(SHIPPING, before.destination(), after.destination(), rules, now)?;
        }
        // The buyer's country counts only where nothing is shipped.
        if !self.ships() {
            self.check_place(BILLING, self.billing_address.destination(), billing.destination(), rules, now)?;
        }
        self.shipping_address = shipping;
        self.billing_address = billing;
        self.customer = customer;
        self.corrections.push(Corrected { at: now, actor, reason: Some(reason), members });
        self.updated_at = now;
        Ok(true)
    }

    fn ships(&self) -> bool {
        self.lines.iter().any(|line| !line.digital)
    }

    /// Everything checked as `PUT /address` and the confirmation check it.
    fn corrected(&self, correction: &Correction) -> Result<Values, CorrectionRefusal> {
        let mut faults = Faults::default();
        let customer = Customer {
            email: match correction.email.optional(Some(self.customer.email.clone())) {
                Some(same) if same == self.customer.email => same,
                given => email(&mut faults, "/customerInfo/email", &given.unwrap_or_default()),
            },
            phone: match correction.phone.optional(self.customer.phone.clone()) {
                same if same == self.customer.phone => same,
                given => phone(&mut faults, "/customerInfo/phone", given),
            },
            ..self.customer.clone()
        };
        let reason = note(&mut faults, "/reason", Some(correction.reason.clone()), LONGEST_NOTE);
        if reason.is_none() {
            faults.add("/reason", "must say why it is corrected");
        }
        let mut elsewhere = None;
        let mut merged = |pointer: &'static str, patch: &Option<AddressPatch>, current: &Address| {
            let Some(patch) = patch.as_ref().filter(|patch| **patch != AddressPatch::default()) else {
                return Some(current.clone());
            };
            let parsed = Address::parse(patch.on(current.to_raw()));
            // A state or postal code of another country is no fault of its own: the country is what is refused.
            if let Err(invalid) = &parsed {
                let to = Address::restore(patch.on(current.to_raw())).destination().country().to_owned();
                let from = current.destination().country().to_owned();
                let of_country = |fault: &Invalid| ["/state", "/postalCode"].contains(&fault.pointer.as_str());
                if to != from && invalid.iter().all(of_country) {
                    elsewhere = Some((pointer, OtherDestination::Country { from, to }));
                    return None;
                }
            }
            faults.nest(pointer, parsed)
        };
        let shipping = self.shipping_address.as_ref().map(|now| merged(SHIPPING, &correction.shipping_address, now));
        let billing = merged(BILLING, &correction.billing_address, &self.billing_address);
        let faults = match faults.finish(Some(())) {
            Err(faults) => return Err(CorrectionRefusal::Invalid(faults)),
            Ok(()) => Vec::new(),
        };
        if let Some((pointer, why)) = elsewhere {
            return Err(CorrectionRefusal::OtherDestination { pointer, why });
        }
        if correction.shipping_address.is_some() && self.shipping_address.is_none() {
            return Err(CorrectionRefusal::NothingShipped);
        }
        let values = billing.zip(reason).map(|(billing, reason)| Values {
            shipping: shipping.flatten(),
            billing,
            customer,
            reason,
        });
        values.ok_or(CorrectionRefusal::Invalid(faults))
    }

    fn may_be_corrected(&self, expected: Option<u64>, has_moved: bool) -> Result<(), CorrectionRefusal> {
        let version = self.version;
        if expected.is_some_and(|expected| expected != version) {
            return Err(CorrectionRefusal::OtherVersion { version });
        }
        match self.status {
            OrderStatus::Pending
            | OrderStatus::Confirmed
            | OrderStatus::Processing
            | OrderStatus::PartiallyShipped
            | OrderStatus::Shipped => {}
            OrderStatus::Delivered | OrderStatus::Cancelled | OrderStatus::Refunded | OrderStatus::Returned => {
                return Err(CorrectionRefusal::Over(self.status));
            }
        }
        if self.cancellation.is_some() {
            return Err(CorrectionRefusal::CalledOff);
        }
        if has_moved && self.fulfillments.iter().any(|parcel| self.is_parcel(&parcel.items)) {
            return Err(CorrectionRefusal::ParcelHasLeft);
        }
        if self.corrections.len() >= MAX_CORRECTIONS {
            return Err(CorrectionRefusal::TooMany);
        }
        Ok(())
    }

    /// Refuses a place where anything that the price depended on would be another: country and region always, the rest
    /// by the rules of today.
    fn check_place(
        &self,
        pointer: &'static str,
        from: &Destination,
        to: &Destination,
        rules: &CatalogSnapshot,
        now: OffsetDateTime,
    ) -> Result<(), CorrectionRefusal> {
        if from == to {
            return Ok(());
        }
        match self.other_place(from, to, rules, now) {
            Some(why) => Err(CorrectionRefusal::OtherDestination { pointer, why }),
            None => Ok(()),
        }
    }

    fn other_place(
        &self,
        from: &Destination,
        to: &Destination,
        rules: &CatalogSnapshot,
        now: OffsetDateTime,
    ) -> Option<OtherDestination> {
        let labels = || (from.label().to_owned(), to.label().to_owned());
        if from.country() != to.country() {
            let (from, to) = labels();
            return Some(OtherDestination::Country { from, to });
        }
        // A region that wasn't known may be added: then the rules decide.
        let was_known = from.label() != from.country();
        if was_known && from.label() != to.label() {
            let (from, to) = labels();
            return Some(OtherDestination::Region { from, to });
        }
        if self.ships() {
            let zone = |place| match rules.rules.shipping.zone(place) {
                Ok(Some(zone)) => format!("the shipping zone {}", zone.id),
                Ok(None) => "no shipping zone".to_owned(),
                Err(TooVague { missing }) => format!("a shipping zone that {missing} would tell"),
            };
            let (from_zone, to_zone) = (zone(from), zone(to));
            if from_zone != to_zone {
                return Some(OtherDestination::Zone { from: from_zone, to: to_zone });
            }
        }
        for line in self.lines.iter().filter(|line| !line.digital) {
            let Some(product) = rules.products.get(&line.sku.product) else { continue };
            let message = product.refusal(to).filter(|message| product.refusal(from).as_ref() != Some(message));
            if let Some(message) = message {
                return Some(OtherDestination::Restriction { sku: line.sku.clone(), message });
            }
        }
        let taxes = |place: &Destination| match rules.taxes.get(place.country()) {
            None => Err(NoTax::NoRule(place.label().to_owned())),
            Some(of) => of.applying(place),
        };
        let (from_taxes, to_taxes) = (taxes(from), taxes(to));
        if from_taxes.as_ref().ok().map(ids) != to_taxes.as_ref().ok().map(ids) {
            return Some(OtherDestination::Tax { from: named(&from_taxes), to: named(&to_taxes) });
        }
        let covers = |place| rules.certificate.as_ref().map(|of| of.covers(place, self.owner.user(), now));
        if matches!(self.relief, Some(Relief::Exempt(_))) && covers(from) != covers(to) {
            return Some(OtherDestination::Certificate("doesn't hold there as it does now"));
        }
        None
    }
}

fn ids<'r>(of: &Vec<&'r Jurisdiction>) -> Vec<&'r str> {
    of.iter().map(|jurisdiction| jurisdiction.id.as_str()).collect()
}

fn named(taxes: &Result<Vec<&Jurisdiction>, NoTax>) -> String {
    match taxes {
        Ok(of) => ids(of).join(" and "),
        Err(why) => format!("nothing, because {why}"),
    }
}

/// The members in which two addresses differ, by their pointers.
fn differing(pointer: &str, before: &Address, after: &Address) -> Vec<String> {
    let (before, after) = (members(before.to_raw()), members(after.to_raw()));
    let differ = before.into_iter().zip(after).filter(|(before, after)| before != after);
    differ.map(|((name, _), _)| format!("{pointer}/{name}")).collect()
}

/// Each member that an address has, with its name on the wire.
fn members(address: RawAddress) -> [(&'static str, Option<String>); 12] {
    let RawAddress {
        first_name,
        last_name,
        company,
        address_line1,
        address_line2,
        city,
        state,
        county,
        postal_code,
        country,
        phone,
        email,
    } = address;
    [
        ("firstName", Some(first_name)),
        ("lastName", last_name),
        ("company", company),
        ("addressLine1", Some(address_line1)),
        ("addressLine2", address_line2),
        ("city", Some(city)),
        ("state", state),
        ("county", county),
        ("postalCode", postal_code),
        ("country", Some(country)),
        ("phone", phone),
        ("email", email),
    ]
}
