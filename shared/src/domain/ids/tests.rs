//! Ids as people, pages and stores write them.

use super::*;

#[test]
fn an_owner_reads_back_as_it_was_written() {
    for text in
        ["user#auth0|42", "guest#a3bb189e-8bf9-4c2d-9f43-1d2e3f4a5b6c", "erased#01936b2e-1c2d-7e3f-8a4b-5c6d7e8f9a0b"]
    {
        assert_eq!(text.parse::<Owner>().unwrap().to_string(), text);
    }
    assert!("user#a#b".parse::<Owner>().is_err());
    assert!("guest#not-a-uuid".parse::<Owner>().is_err());
}

#[test]
fn a_guest_is_a_random_uuid() {
    for good in ["a3bb189e-8bf9-4c2d-9f43-1d2e3f4a5b6c", "01936b2e-1c2d-7e3f-8a4b-5c6d7e8f9a0b"] {
        assert!(good.parse::<GuestId>().is_ok(), "{good}");
    }
    for (what, bad) in [
        ("nil", "00000000-0000-0000-0000-000000000000"),
        ("max", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        ("version 1", "c232ab00-9414-11ec-b3c8-9f6bdeced846"),
        ("version 2", "000003e8-9414-21ec-b300-9f6bdeced846"),
        ("version 3", "5df41881-3aed-3515-88a7-2f4a814cf09e"),
        ("version 5", "2ed6657d-e927-568b-95e1-2665a8aea6a2"),
        ("version 6", "1ec9414c-232a-6b00-b3c8-9f6bdeced846"),
        ("version 8", "2489e9ad-2ee2-8e00-8ec9-32d5f69181c0"),
        ("variant of NCS", "a3bb189e-8bf9-4c2d-1f43-1d2e3f4a5b6c"),
        ("variant of Microsoft", "a3bb189e-8bf9-4c2d-cf43-1d2e3f4a5b6c"),
        ("variant of the future", "a3bb189e-8bf9-4c2d-ef43-1d2e3f4a5b6c"),
        ("zeros", "00000000-0000-4000-8000-000000000000"),
        ("ones", "11111111-1111-4111-9111-111111111111"),
        ("one", "00000000-0000-4000-8000-000000000001"),
        ("zeros of version 7", "01936b2e-1c2d-7000-8000-000000000000"),
        ("braces", "{a3bb189e-8bf9-4c2d-9f43-1d2e3f4a5b6}"),
        ("no hyphens", "a3bb189e8bf94c2d9f431d2e3f4a5b6c"),
    ] {
        assert!(bad.parse::<GuestId>().is_err(), "{what}");
    }
    // What was stored before is read.
    let old = "guest#c232ab00-9414-11ec-b3c8-9f6bdeced846";
    assert_eq!(old.parse::<Owner>().unwrap().to_string(), old);
}

#[test]
fn an_order_says_when_it_was_placed() {
    let id: OrderId = "01936b2e-1c2d-7e3f-8a4b-5c6d7e8f9a0b".parse().unwrap();
    assert_eq!(id.placed_at().unwrap().unix_timestamp(), 0x0193_6b2e_1c2d / 1000);
    assert_eq!("a3bb189e-8bf9-4c2d-9f43-1d2e3f4a5b6c".parse::<OrderId>().unwrap().placed_at(), None);
}

#[test]
fn what_is_pasted_around_an_id_is_taken_off() {
    assert_eq!("\u{200B}save\u{2011}20\u{a0}".parse::<CouponCode>().unwrap().as_str(), "SAVE-20");
    assert_eq!("ＳＡＶＥ２０".parse::<CouponCode>().unwrap().as_str(), "SAVE20");
    assert_eq!("\u{FEFF}espresso\u{2013}beans ".parse::<ProductId>().unwrap().as_str(), "espresso-beans");
    assert_eq!("CA\u{00AD}/12".parse::<CertificateNumber>().unwrap().as_str(), "CA/12");
    for user in [" ada", "ada\u{200B}", "ａｄａ", "ada "] {
        assert!(user.parse::<UserId>().is_err(), "{user:?}");
    }
}

#[test]
fn an_id_has_one_spelling() {
    let id: GuestId = "A3BB189E-8BF9-4C2D-9F43-1D2E3F4A5B6C".parse().unwrap();
    assert_eq!(id.to_string(), "a3bb189e-8bf9-4c2d-9f43-1d2e3f4a5b6c");
    assert!("a3bb189e8bf94c2d9f431d2e3f4a5b6c".parse::<GuestId>().is_err());
    assert_eq!(" save20 ".parse::<CouponCode>().unwrap().as_str(), "SAVE20");
}

#[test]
fn a_coupon_is_called_as_a_shop_calls_it() {
    for (written, stored) in [
        ("10% off", "10% OFF"),
        ("10%\u{a0}\u{2009} Off", "10% OFF"),
        ("früh-2026", "FRÜH-2026"),
        ("скидка10", "СКИДКА10"),
        ("春のセール", "春のセール"),
        ("दीवाली", "दीवाली"),
        ("خصم", "خصم"),
    ] {
        assert_eq!(written.parse::<CouponCode>().unwrap().as_str(), stored);
        assert_eq!(stored.parse::<CouponCode>().unwrap().as_str(), stored, "read again from the store");
    }
    for bad in ["", " ", "A#B", "A/B", "A\u{0}B", "<b>", "A\"B", "🎁", &"ж".repeat(41)] {
        assert!(bad.parse::<CouponCode>().is_err(), "{bad:?}");
    }
}
