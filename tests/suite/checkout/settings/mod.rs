// Over 400 lines because every setting is in its lists.
//! Settings: every fault at once, emptiness as absence, no secret shown.

mod names;

use std::{net::IpAddr, time::Duration};

use shared::{
    adapters::redis::node::client,
    config::{
        Config,
        auth::KeySource,
        limits::Policies,
        payments::{SecretService, SecretSource},
        redis::{Login, Node, Topology},
        roots::Roots,
        vars::{ConfigError, Vars},
    },
    domain::payment::Capture,
};
use time::OffsetDateTime;

/// The least that a function needs.
const NEEDED: [(&str, &str); 9] = [
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "AKIA-not-shown"),
    ("AWS_SECRET_ACCESS_KEY", "aws-secret-not-shown"),
    ("REDIS_HOST", "redis.example.com"),
    ("SESSIONS_TABLE", "s"),
    ("ORDERS_TABLE", "o"),
    ("CATALOG_TABLE", "c"),
    ("INVENTORY_TABLE", "i"),
    ("IDEMPOTENCY_TABLE", "k"),
];

type Settings<'a> = &'a [(&'a str, &'a str)];

/// The least, with these on top.
fn read(settings: Settings<'_>) -> Result<Config, ConfigError> {
    let all = NEEDED.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::read(Vars::new(all.collect::<std::collections::BTreeMap<_, _>>()))
}

fn faults(settings: Settings<'_>) -> Vec<String> {
    read(settings).err().map(|error| error.0).unwrap_or_default()
}

#[test]
fn the_least_is_enough_and_the_rest_is_as_promised() {
    let config = read(&[]).unwrap();

    assert_eq!(config.redis.prefix, "cannbe:");
    assert_eq!(config.redis.nodes, [Node { host: "redis.example.com".to_owned(), port: 6379 }]);
    assert!(matches!(config.redis.topology, Topology::Single));
    assert!(config.redis.tls.is_none() && matches!(config.redis.login, Login::Nobody));
    assert_eq!(config.redis.idle_limit, Duration::from_secs(60));
    assert_eq!(config.times.session_ttl.whole_seconds(), 1800);
    assert_eq!(config.times.session_trust.whole_seconds(), 30);
    assert_eq!(config.times.order_cache.whole_seconds(), 600);
    assert_eq!(config.times.order_list_cache.whole_seconds(), 300);
    assert_eq!(config.times.request, Duration::from_secs(8));
    assert_eq!(config.redis.timeout, Duration::from_millis(150));
    assert_eq!(config.dynamodb.timeout, Duration::from_secs(1));
    let limits = &config.limits;
    for (Policies { anonymous, signed_in }, count, seconds) in [
        (limits.initiate, 10, 300),
        (limits.calculate_shipping, 20, 60),
        (limits.calculate_tax, 20, 60),
        (limits.apply_coupon, 10, 60),
        (limits.confirm_order, 5, 300),
    ] {
        assert_eq!((anonymous.count, anonymous.window), (count, Duration::from_secs(seconds)));
        assert_eq!(signed_in, anonymous);
    }
    assert_eq!(limits.proxies.hops, 0);
    assert!(!limits.trusts(IpAddr::from([127, 0, 0, 1])));
    assert!(config.auth.verifier.is_none());
    assert_eq!(config.roots, Roots::CompiledIn);
    assert_eq!(config.telemetry.log_level.to_string(), "INFO");
    assert!(config.stripe.is_none(), "without a key no cards are taken");
}

#[test]
fn cards_need_a_key_and_nothing_else() {
    let stripe = read(&[("STRIPE_SECRET_KEY", "sk_live_1")]).unwrap().stripe.unwrap();

    assert_eq!(stripe.url, "https://api.stripe.com");
    assert_eq!(stripe.timeout, Duration::from_secs(5));
    assert_eq!((stripe.capture, stripe.time.whole_seconds()), (Capture::Automatic, 1800));
    assert!(stripe.webhook_secret.is_none(), "and every event is refused");

    let stored = [
        ("STRIPE_SECRET_KEY_FROM", "ssm:/checkout/stripe-key"),
        ("STRIPE_WEBHOOK_SECRET_FROM", "secretsmanager:checkout/stripe#webhook"),
        ("PAYMENT_CAPTURE", "manual"),
    ];
    let stripe = read(&stored).unwrap().stripe.unwrap();
    let SecretSource::Stored(key) = stripe.key else { panic!("{:?}", stripe.key) };
    assert_eq!((key.service, key.name.as_str(), key.member), (SecretService::Ssm, "/checkout/stripe-key", None));
    let Some(SecretSource::Stored(webhook)) = stripe.webhook_secret else { panic!("it is stored") };
    assert_eq!((webhook.service, webhook.name.as_str()), (SecretService::SecretsManager, "checkout/stripe"));
    assert_eq!((webhook.member.as_deref(), stripe.capture), (Some("webhook"), Capture::Manual));
}

#[test]
fn every_fault_is_told_at_once() {
    let bad = [
        ("SESSIONS_TABLE", ""),
        ("INVENTORY_TABLE", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_ENDPOINT_URL_DYNAMODB", "localhost:8000"),
        ("DYNAMODB_TIMEOUT_MS", "1"),
        ("REDIS_PORT", "70000"),
        ("REDIS_SSL", "yes"),
        ("REDIS_USERNAME", "shop"),
        ("REDIS_PREFIX", "with space"),
        ("REDIS_TIMEOUT_MS", "1e3"),
        ("REDIS_IDLE_SECONDS", "0"),
        ("REDIS_TOPOLOGY", "ring"),
        ("REDIS_CA", "no/such/file.pem"),
        ("SSL_CERT_FILE", "no/such/file.pem"),
        ("RATE_LIMIT_CART_LINES", "-1"),
        ("REQUEST_TIMEOUT_MS", "-8000"),
        ("SESSION_TTL_SECONDS", "59"),
        ("SESSION_TRUST_SECONDS", "301"),
        ("ORDER_CACHE_SECONDS", "0"),
        ("ORDER_LIST_CACHE_SECONDS", "86401"),
        ("RATE_LIMIT_INITIATE", "10"),
        ("RATE_LIMIT_CALCULATE_SHIPPING", "0/60"),
        ("RATE_LIMIT_CALCULATE_TAX", "10/0"),
        ("RATE_LIMIT_APPLY_COUPON_SIGNED_IN", "ten/60"),
        ("RATE_LIMIT_CONFIRM_ORDER", "10001/60"),
        ("RATE_LIMIT_TRUSTED_CIDRS", "10.0.0.0/8, 10.0.0.0/33, example.com"),
        ("TRUSTED_PROXY_HOPS", "11"),
        ("JWT_HS256_SECRET", "short"),
        ("STRIPE_SECRET_KEY_FROM", "vault:stripe"),
        ("STRIPE_WEBHOOK_SECRET_FROM", "/checkout/webhook"),
        ("STRIPE_API_URL", "http://stripe.example.com"),
        ("STRIPE_TIMEOUT_MS", "0"),
        ("PAYMENT_CAPTURE", "later"),
        ("PAYMENT_LIMIT_SECONDS", "299"),
        ("PAYMENT_ACTION_SECONDS", "59"),
        ("OPEN_ORDERS_CALLER", "5"),
        ("DECLINE_LIMITS", "5/10"),
        ("OPEN_ORDERS_ADDRESS", "0/200"),
        ("LOG_LEVEL", "verbose"),
    ];

    let found = faults(&bad);

    for (name, _) in bad {
        let count = found.iter().filter(|fault| fault.contains(name)).count();
        assert!(count >= 1, "{name} isn't told: {found:#?}");
    }
    for name in ["JWT_ISSUER is missing", "JWT_AUDIENCE is missing", "10.0.0.0/33", "example.com"] {
        assert!(found.iter().any(|fault| fault.contains(name)), "{name} isn't told: {found:#?}");
    }
    let report = ConfigError(found.clone()).to_string();
    assert!(report.starts_with(&format!("{} setting(s) must be corrected:", found.len())), "{report}");
    assert_eq!(report.lines().count(), found.len() + 1);
}

#[test]
fn an_empty_setting_is_an_absent_one() {
    let optional = [
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "DYNAMODB_TIMEOUT_MS",
        "REDIS_URL",
        "REDIS_PORT",
        "REDIS_USERNAME",
        "REDIS_PASSWORD",
        "REDIS_SSL",
        "REDIS_PREFIX",
        "REDIS_TIMEOUT_MS",
        "REDIS_IDLE_SECONDS",
        "REDIS_TOPOLOGY",
        "REDIS_SENTINEL_MASTER",
        "REDIS_SENTINEL_USERNAME",
        "REDIS_SENTINEL_PASSWORD",
        "REDIS_CA",
        "SSL_CERT_FILE",
        "REDIS_IAM_CACHE",
        "REDIS_IAM_SERVERLESS",
        "RATE_LIMIT_CART_LINES",
        "OPEN_ORDERS_CALLER",
        "DECLINE_LIMITS",
        "OPEN_ORDERS_ADDRESS",
        "POWERTOOLS_SERVICE_NAME",
        "POWERTOOLS_METRICS_NAMESPACE",
        "REQUEST_TIMEOUT_MS",
        "SESSION_TTL_SECONDS",
        "RATE_LIMIT_INITIATE",
        "RATE_LIMIT_INITIATE_SIGNED_IN",
        "RATE_LIMIT_TRUSTED_CIDRS",
        "TRUSTED_PROXY_HOPS",
        "JWT_JWKS",
        "JWT_HS256_SECRET",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "JWT_ROLES_CLAIM",
        "LOG_LEVEL",
    ];
    for nothing in ["", " ", "\t\n"] {
        let settings: Vec<_> = optional.iter().map(|name| (*name, nothing)).collect();
        assert_eq!(format!("{:?}", read(&settings).unwrap()), format!("{:?}", read(&[]).unwrap()));
    }
    for (name, _) in NEEDED {
        let found = faults(&[(name, " ")]);
        assert!(found.len() == 1 && found[0].contains(name) && found[0].contains("missing"), "{name}: {found:?}");
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let issuer = [("JWT_ISSUER", "https://id.example.com"), ("JWT_AUDIENCE", "shop")];
    let secret = ("JWT_HS256_SECRET", "0123456789abcdef0123456789abcdef");
    let url = |url| [("REDIS_HOST", ""), ("REDIS_URL", url)];
    let with_url = |first, second: (&'static str, &'static str)| [url(first)[0], url(first)[1], second];
    let iam = [("REDIS_IAM_CACHE", "cache"), ("REDIS_USERNAME", "shop"), ("REDIS_SSL", "true")];
    let sentinel = [("REDIS_TOPOLOGY", "sentinel"), ("REDIS_SENTINEL_MASTER", "shop")];
    let cases: [(Settings<'_>, &[&str]); 28] = [
        (&[("REDIS_URL", "redis://elsewhere:6379")], &["REDIS_URL", "REDIS_HOST"]),
        (
            &[("REDIS_HOST", ""), ("REDIS_URL", "redis://elsewhere:6379"), ("REDIS_PASSWORD", "secret")],
            &["REDIS_URL", "REDIS_PASSWORD"],
        ),
        (&[("JWT_JWKS", "{}"), secret, issuer[0], issuer[1]], &["JWT_JWKS", "JWT_HS256_SECRET"]),
        (&[("REDIS_USERNAME", "shop")], &["REDIS_USERNAME", "REDIS_PASSWORD"]),
        (&[("REDIS_HOST", "one,two")], &["REDIS_TOPOLOGY"]),
        (&url("redis://one,redis://two"), &["REDIS_TOPOLOGY"]),
        (&with_url("redis://one,rediss://two", ("REDIS_TOPOLOGY", "cluster")), &["REDIS_URL", "differ"]),
        (&with_url("redis://:a@one,redis://:b@two", ("REDIS_TOPOLOGY", "cluster")), &["REDIS_URL", "differ"]),
        (&with_url("redis://one/3", ("REDIS_TOPOLOGY", "cluster")), &["REDIS_URL", "database"]),
        (&with_url("rediss://one", ("REDIS_IAM_CACHE", "cache")), &["REDIS_URL", "REDIS_IAM_CACHE"]),
        (&[("REDIS_HOST", "redis://one")], &["REDIS_HOST"]),
        (&[("REDIS_HOST", "one:port")], &["REDIS_HOST"]),
        (&[("REDIS_TOPOLOGY", "sentinel")], &["REDIS_SENTINEL_MASTER"]),
        (&[("REDIS_SENTINEL_MASTER", "shop")], &["REDIS_SENTINEL_MASTER", "REDIS_TOPOLOGY"]),
        (&[sentinel[0], sentinel[1], ("REDIS_SENTINEL_USERNAME", "shop")], &["REDIS_SENTINEL_PASSWORD"]),
        (&[("REDIS_CA", "-----BEGIN CERTIFICATE-----")], &["REDIS_CA", "REDIS_SSL"]),
        (&[iam[0], iam[1]], &["REDIS_IAM_CACHE", "REDIS_SSL"]),
        (&[iam[0], iam[2]], &["REDIS_IAM_CACHE", "REDIS_USERNAME"]),
        (&[iam[0], iam[1], iam[2], ("REDIS_PASSWORD", "secret")], &["REDIS_IAM_CACHE", "REDIS_PASSWORD"]),
        (&[iam[0], iam[1], iam[2], sentinel[0], sentinel[1]], &["REDIS_IAM_CACHE", "Sentinel"]),
        (&[("REDIS_IAM_SERVERLESS", "true")], &["REDIS_IAM_SERVERLESS", "REDIS_IAM_CACHE"]),
        (&[secret, issuer[0]], &["JWT_AUDIENCE"]),
        (&[secret, issuer[1]], &["JWT_ISSUER"]),
        (&[("JWT_JWKS", "http://id.example.com/jwks"), issuer[0], issuer[1]], &["JWT_JWKS", "https"]),
        (&[("STRIPE_WEBHOOK_SECRET", "whsec_1")], &["STRIPE_WEBHOOK_SECRET", "STRIPE_SECRET_KEY"]),
        (
            &[("STRIPE_SECRET_KEY", "sk_1"), ("STRIPE_SECRET_KEY_FROM", "ssm:/stripe")],
            &["STRIPE_SECRET_KEY ", "STRIPE_SECRET_KEY_FROM"],
        ),
        (&[("STRIPE_SECRET_KEY_FROM", "ssm:")], &["STRIPE_SECRET_KEY_FROM", "NAME"]),
        (&[("STRIPE_SECRET_KEY_FROM", "secretsmanager:#key")], &["STRIPE_SECRET_KEY_FROM", "NAME"]),
    ];
    for (settings, words) in cases {
        let found = faults(settings);
        assert_eq!(found.len(), 1, "{settings:?}: {found:?}");
        assert!(words.iter().all(|word| found[0].contains(word)), "{settings:?}: {found:?}");
    }
}

#[test]
fn keys_come_from_what_the_setting_looks_like() {
    let source = |jwks: &str| {
        let config = read(&[("JWT_JWKS", jwks), ("JWT_ISSUER", "i"), ("JWT_AUDIENCE", "a")]).unwrap();
        config.auth.verifier.expect("a verifier").keys
    };

    assert!(matches!(source(" {\"keys\":[]}"), KeySource::Inline(_)));
    assert!(matches!(source("https://id.example.com/.well-known/jwks.json"), KeySource::Url(_)));
    assert!(matches!(source("http://127.0.0.1:8080/jwks"), KeySource::Url(_)));
    assert!(matches!(source("http://localhost:8080/jwks"), KeySource::Url(_)));
    assert!(matches!(source("keys/jwks.json"), KeySource::File(_)));
    let pretenders = ["http://localhost.evil.example/jwks", "http://127.0.0.1.evil.example/jwks"];
    for url in pretenders {
        let found = faults(&[("JWT_JWKS", url), ("JWT_ISSUER", "i"), ("JWT_AUDIENCE", "a")]);
        assert_eq!(found.len(), 1, "{url}");
    }
}

#[test]
fn a_password_reaches_redis_whatever_is_in_it() {
    let password = "p@ss:w/rd?#%&,ä [x]";
    let in_parts = [("REDIS_USERNAME", "sh:op"), ("REDIS_PASSWORD", password), ("REDIS_SSL", "true")];
    let escaped = "rediss://sh%3Aop:p%40ss%3Aw%2Frd%3F%23%25%26%2C%C3%A4%20%5Bx%5D@redis.example.com";
    let in_url = [("REDIS_HOST", ""), ("REDIS_URL", escaped)];
    for settings in [&in_parts[..], &in_url] {
        let redis = read(settings).unwrap().redis;

        let Login::Password { user, password: found } = &redis.login else { panic!("{:?}", redis.login) };
        assert_eq!((user.as_deref(), found.expose()), (Some("sh:op"), password));
        let client = client(&redis, &redis.nodes[0], &redis.login, OffsetDateTime::now_utc()).unwrap();
        let info = client.get_connection_info();
        assert_eq!(info.redis_settings().username(), Some("sh:op"));
        assert_eq!(info.redis_settings().password(), Some(password));
        assert!(matches!(info.addr(), redis::ConnectionAddr::TcpTls { insecure: false, .. }));
        assert!(info.tcp_settings().nodelay() && info.tcp_settings().keepalive().is_some());
    }
}

#[test]
fn every_topology_is_told_by_its_settings() {
    let hosts = |settings: Settings<'_>| {
        let redis = read(settings).unwrap().redis;
        (redis.nodes.iter().map(ToString::to_string).collect::<Vec<_>>(), redis)
    };

    let (nodes, redis) = hosts(&[("REDIS_TOPOLOGY", "cluster"), ("REDIS_HOST", "one:7000, two:7001,[::1]:7002,::1")]);
    assert!(matches!(redis.topology, Topology::Cluster));
    assert_eq!(nodes, ["one:7000", "two:7001", "[::1]:7002", "[::1]:6379"]);

    let sentinel = [("REDIS_TOPOLOGY", "sentinel"), ("REDIS_SENTINEL_MASTER", "shop")];
    let passwords = [("REDIS_PASSWORD", "for-servers"), ("REDIS_SENTINEL_PASSWORD", "for-sentinels")];
    let all = [sentinel[0], sentinel[1], passwords[0], passwords[1], ("REDIS_HOST", "one,two:26380")];
    let (nodes, redis) = hosts(&all);
    assert_eq!(nodes, ["one:26379", "two:26380"]);
    let Topology::Sentinel { master, login: Login::Password { user: None, password } } = &redis.topology else {
        panic!("{:?}", redis.topology)
    };
    assert_eq!((master.as_str(), password.expose()), ("shop", "for-sentinels"));
    assert!(matches!(&redis.login, Login::Password { password, .. } if password.expose() == "for-servers"));
    let url = [sentinel[0], sentinel[1], ("REDIS_HOST", ""), ("REDIS_URL", "redis://one/2,redis://two:26380/2")];
    let (nodes, redis) = hosts(&url);
    assert_eq!((nodes.join(" ").as_str(), redis.database), ("one:26379 two:26380", 2));

    let iam = [("REDIS_IAM_CACHE", "shop-cache"), ("REDIS_USERNAME", "shop"), ("REDIS_SSL", "true")];
    let serverless = [iam[0], iam[1], iam[2], ("REDIS_TOPOLOGY", "cluster"), ("REDIS_IAM_SERVERLESS", "true")];
    let (_, redis) = hosts(&serverless);
    let Login::Iam(login) = &redis.login else { panic!("{:?}", redis.login) };
    assert_eq!((login.cache.as_str(), login.user.as_str(), login.serverless), ("shop-cache", "shop", true));
    assert_eq!(login.aws.region, "eu-central-1");
}

#[test]
fn no_secret_is_shown() {
    let mut settings = vec![
        ("AWS_SESSION_TOKEN", "session-token-not-shown"),
        ("REDIS_PASSWORD", "password-not-shown"),
        ("JWT_HS256_SECRET", "hs256-secret-not-shown-0123456789abcdef"),
        ("JWT_ISSUER", "https://id.example.com"),
        ("JWT_AUDIENCE", "shop"),
        ("STRIPE_SECRET_KEY", "sk-not-shown"),
        ("STRIPE_WEBHOOK_SECRET", "whsec-not-shown"),
    ];
    let shown = format!("{:?} {:#?}", read(&settings).unwrap(), read(&settings).unwrap());
    assert!(!shown.contains("not-shown"), "{shown}");
    assert!(shown.contains("redis") && shown.contains("[secret]"));

    settings.extend([
        ("REDIS_HOST", ""),
        ("REDIS_PASSWORD", ""),
        ("REDIS_URL", "redis://:url-not-shown@redis.example.com"),
    ]);
    let shown = format!("{:?}", read(&settings).unwrap());
    assert!(!shown.contains("not-shown"), "{shown}");

    settings.extend([("REDIS_URL", "http://:url-not-shown@redis.example.com"), ("LOG_LEVEL", "loud")]);
    let error = read(&settings).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("not-shown"), "{error}");
}
