//! Where a request comes from, behind proxies: what they add to `X-Forwarded-For` counts, and nobody else's word does.

use serde_json::json;
use shared::{
    app::App,
    config::{Config, vars::Vars},
    http::{route::Route, source},
};
use tests::{
    event::Event,
    world::{Setup, World, cart},
};

const SECRET: &str = "a-secret-of-the-proxy-0123456789abcdef";
const OLD: &str = "the-secret-before-it-0123456789abcdefg";
/// What API Gateway saw: the proxy, or somebody who pretends to be one.
const SEEN: &str = "198.51.100.1";

fn settings(world: &World, more: &[(&str, &str)]) -> Config {
    let mut settings = world.settings().clone();
    settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Config::read(Vars::new(settings)).unwrap_or_else(|error| panic!("{error}"))
}

fn from(config: &Config, event: &Event) -> String {
    source::address(&event.request(), &config.limits.proxies).map_or_else(String::new, |address| address.to_string())
}

fn event(forwarded_for: &str) -> Event {
    Event::post(Route::Initiate.path()).source_ip(SEEN).header("x-forwarded-for", forwarded_for)
}

/// Every spelling, and one to five proxies: the entry that counts is the one that the outermost of them wrote.
#[tokio::test]
async fn the_entry_that_the_outermost_proxy_wrote_counts_however_it_is_spelled() {
    let world = World::new().await;
    let clients = [
        ("203.0.113.50", "203.0.113.50"),
        (" 203.0.113.50 ", "203.0.113.50"),
        ("203.0.113.50:49152", "203.0.113.50"),
        ("::ffff:203.0.113.50", "203.0.113.50"),
        ("[::ffff:203.0.113.50]:443", "203.0.113.50"),
        ("2001:db8::50", "2001:db8::50"),
        ("2001:DB8:0:0::50", "2001:db8::50"),
        ("[2001:db8::50]", "2001:db8::50"),
        ("[2001:db8::50]:443", "2001:db8::50"),
        ("\"[2001:db8::50]:443\"", "2001:db8::50"),
        // What no proxy writes: then the address that API Gateway saw counts.
        ("", SEEN),
        ("unknown", SEEN),
        ("_hidden", SEEN),
        ("203.0.113.50.1", SEEN),
        ("203.0.113.50:port", SEEN),
        ("203.0.113.50 203.0.113.51", SEEN),
        ("[203.0.113.50", SEEN),
        ("0xCB007132", SEEN),
    ];
    for hops in 1..=5 {
        let config = settings(&world, &[("TRUSTED_PROXY_HOPS", &hops.to_string()), ("TRUSTED_PROXY_SECRET", SECRET)]);
        // The proxies behind the outermost one write each other, and the client whatever it likes.
        let proxies: Vec<String> = (1..hops).map(|number| format!(",10.0.0.{number}")).collect();
        let proxies = proxies.concat();
        for (client, expected) in clients {
            for forged in ["", "192.0.2.1,", "192.0.2.1, 192.0.2.2,192.0.2.3,", "garbage, ,;,"] {
                for gateway in ["", ", 198.51.100.1", ",::ffff:198.51.100.1", ",198.51.100.1:4711"] {
                    let value = format!("{forged}{client}{proxies}{gateway}");
                    let event = event(&value).header("x-proxy-secret", SECRET);
                    assert_eq!(from(&config, &event), expected, "{hops} hops, {value}");
                }
            }
        }
        // Fewer entries than proxies: it didn't come the whole way.
        let short = (2..hops).map(|number| format!("10.0.0.{number}")).collect::<Vec<_>>().join(",");
        assert_eq!(from(&config, &event(&short).header("x-proxy-secret", SECRET)), SEEN, "{hops} hops, {short}");
    }
}

#[tokio::test]
async fn without_the_proxys_secret_nobody_chooses_an_address() {
    let world = World::new().await;
    let hops = ("TRUSTED_PROXY_HOPS", "1");
    let both = format!("{SECRET}, {OLD}");
    let forged = || event("203.0.113.50");
    let with = |secret: &str| forged().header("x-proxy-secret", secret);
    for (more, event, expected) in [
        // No proxies: the header is anybody's.
        (&[][..], with(SECRET), SEEN),
        (&[("TRUSTED_PROXY_SECRET", SECRET)], with(SECRET), SEEN),
        (&[("API_ENDPOINT_DISABLED", "true")], forged(), SEEN),
        // Proxies of which nothing can be known.
        (&[hops], forged(), SEEN),
        (&[hops], with(SECRET), SEEN),
        (&[hops, ("API_ENDPOINT_DISABLED", "false")], forged(), SEEN),
        // Their secret, and what isn't it.
        (&[hops, ("TRUSTED_PROXY_SECRET", SECRET)], with(SECRET), "203.0.113.50"),
        (&[hops, ("TRUSTED_PROXY_SECRET", SECRET)], forged(), SEEN),
        (&[hops, ("TRUSTED_PROXY_SECRET", SECRET)], with(""), SEEN),
        (&[hops, ("TRUSTED_PROXY_SECRET", SECRET)], with(OLD), SEEN),
        (&[hops, ("TRUSTED_PROXY_SECRET", SECRET)], with(&SECRET[1..]), SEEN),
        (&[hops, ("TRUSTED_PROXY_SECRET", SECRET)], with(&SECRET.to_uppercase()), SEEN),
        (&[hops, ("TRUSTED_PROXY_SECRET", SECRET)], with(&format!("{SECRET},{SECRET}")), SEEN),
        // While it is changed, either.
        (&[hops, ("TRUSTED_PROXY_SECRET", &both)], with(SECRET), "203.0.113.50"),
        (&[hops, ("TRUSTED_PROXY_SECRET", &both)], with(OLD), "203.0.113.50"),
        (&[hops, ("TRUSTED_PROXY_SECRET", &both)], with(&both), SEEN),
        // Nobody gets past them.
        (&[hops, ("API_ENDPOINT_DISABLED", "true")], forged(), "203.0.113.50"),
    ] {
        assert_eq!(from(&settings(&world, more), &event), expected, "{more:?}: {:?}", event.value()["headers"]);
    }
}

/// Forty confirms past the proxy, each from an address of its own choice, and one that claims to be trusted.
#[tokio::test]
async fn who_calls_past_the_proxy_is_counted_by_where_they_are() {
    let setup = Setup::default().setting("TRUSTED_PROXY_HOPS", "1").setting("TRUSTED_PROXY_SECRET", SECRET);
    let world = setup.setting("RATE_LIMIT_TRUSTED_CIDRS", "192.0.2.0/24").build().await;
    let guest = world.guest().from_address(SEEN);
    let mut accepted = 0;
    for number in 0..40 {
        let address = if number % 4 == 0 { "192.0.2.7".to_owned() } else { format!("203.0.113.{number}") };
        let event = guest.event(Route::ConfirmOrder).header("x-forwarded-for", address).json(&json!({}));
        accepted += u32::from(guest.send(Route::ConfirmOrder, &event).await.status() != 429);
    }
    assert_eq!(accepted, 5);

    // Through the proxy each customer has a limit of their own, and the shop's own servers have none.
    let through = |address: &str| {
        let event = guest.event(Route::Initiate).header("x-forwarded-for", address).header("x-proxy-secret", SECRET);
        event.json(&json!({"cartItems": cart(&[("espresso-beans", 1)])}))
    };
    for number in 0..12 {
        guest.send(Route::Initiate, &through(&format!("203.0.113.{number}"))).await.expect(201);
        let ours = guest.send(Route::Initiate, &through("192.0.2.7")).await;
        assert_eq!(ours.header("ratelimit"), None);
        ours.expect(201);
    }
    assert!(world.keys.all().contains(&"checkout:203.0.113.3:POST:/api/v1/checkout/initiate".to_owned()));
}

#[tokio::test]
async fn a_secret_is_long_and_is_never_shown() {
    let world = World::new().await;
    for bad in ["short", "a,b", &format!("{SECRET},short"), &format!("{SECRET},{SECRET},{SECRET}")] {
        let mut settings = world.settings().clone();
        settings.insert("TRUSTED_PROXY_SECRET".to_owned(), bad.to_owned());
        let error = Config::read(Vars::new(settings)).unwrap_err().to_string();
        assert!(error.contains("TRUSTED_PROXY_SECRET must be") && !error.contains(SECRET), "{error}");
    }
    let config = settings(&world, &[("TRUSTED_PROXY_SECRET", SECRET)]);
    assert!(!format!("{config:?}").contains(SECRET));
    assert!(!config.limits.proxies.is_ignored());
    let ignored = settings(&world, &[("TRUSTED_PROXY_HOPS", "1")]);
    assert!(ignored.limits.proxies.is_ignored());
    App::new(ignored, shared::app::Clock::System).expect("it starts all the same");
}
