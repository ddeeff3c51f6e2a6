//! Names that look like settings and are none.

use std::{collections::BTreeSet, fs};

use super::{Settings, faults, read};

/// Whatever else is set: a setting that one reading passes over is not misspelt.
#[test]
fn every_reading_knows_the_same_settings_and_the_template_has_no_other() {
    let known = |settings: Settings<'_>| read(settings).map_or_else(|error| error.0, |config| config.unknown);
    let template = tests::servers::root().join("template.yaml");
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&fs::read_to_string(template).unwrap()).expect("YAML");
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut take = |variables: &serde_yaml_ng::Value| {
        let variables = variables["Environment"]["Variables"].as_mapping().into_iter().flatten();
        names.extend(variables.filter_map(|(name, _)| Some(name.as_str()?.to_owned())));
    };
    take(&template["Globals"]["Function"]);
    template["Resources"].as_mapping().unwrap().values().for_each(|resource| take(&resource["Properties"]));
    assert!(names.len() > 40, "{names:?}");
    for name in &names {
        // Each may be refused for what it says; none is called unknown.
        for beside in [
            &[][..],
            &[("REDIS_HOST", ""), ("REDIS_URL", "redis://127.0.0.1")],
            &[("REDIS_HOST", "")],
            &[("REDIS_TOPOLOGY", "sentinel")],
            &[("REDIS_IAM_CACHE", "cache")],
            &[("JWT_HS256_SECRET", "short")],
            &[("JWT_JWKS", "http://example.com")],
            &[("STRIPE_SECRET_KEY", "sk")],
            &[("STRIPE_SECRET_KEY_FROM", "nowhere")],
        ] {
            let mut settings = beside.to_vec();
            settings.push((name, "1"));
            let unknown: Vec<_> = known(&settings).into_iter().filter(|text| text.contains("not a setting")).collect();
            assert!(unknown.is_empty(), "{settings:?}: {unknown:?}");
        }
    }
}

#[test]
fn a_name_that_looks_like_a_setting_and_is_none_is_told_with_the_one_that_was_meant() {
    for (wrong, meant) in [
        ("RATE_LIMIT_INITATE", Some("RATE_LIMIT_INITIATE")),
        ("RATE_LIMIT_INITIATE_SIGNEDIN", Some("RATE_LIMIT_INITIATE_SIGNED_IN")),
        ("RATELIMIT_INITIATE", Some("RATE_LIMIT_INITIATE")),
        ("REDIS_TIMOUT_MS", Some("REDIS_TIMEOUT_MS")),
        ("REDIS_TIMEOUT", Some("REDIS_TIMEOUT_MS")),
        ("REDSI_HOST", Some("REDIS_HOST")),
        ("redis_host", Some("REDIS_HOST")),
        ("STRIPE_SECRETKEY", Some("STRIPE_SECRET_KEY")),
        ("SRIPE_SECRET_KEY", Some("STRIPE_SECRET_KEY")),
        ("JWT_JWK", Some("JWT_JWKS")),
        ("SESSION_TTL_SECOND", Some("SESSION_TTL_SECONDS")),
        ("ORDER_TABLE", Some("ORDERS_TABLE")),
        ("PAYMENT_CAPTUR", Some("PAYMENT_CAPTURE")),
        ("LOGLEVEL", Some("LOG_LEVEL")),
        ("AWS_ENDPOINT_URL_DYNAMO_DB", Some("AWS_ENDPOINT_URL_DYNAMODB")),
        ("TRUSTED_PROXY_HOP", Some("TRUSTED_PROXY_HOPS")),
        ("STRIPE_QUITE_ANOTHER_THING_OF_OURS_THAT_IS_NONE", None),
    ] {
        let config = read(&[(wrong, "a-secret")]).unwrap();
        let expected = match meant {
            Some(meant) => format!("{wrong} is not a setting: did you mean {meant}?"),
            None => format!("{wrong} is not a setting"),
        };
        assert_eq!(config.unknown, [expected]);
    }
    for other in [
        "PATH",
        "HOME",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "_HANDLER",
        "LANG",
        "AWS_ENDPOINT_URL_SQS",
        "SESSION_MANAGER",
        "TERM",
        "HOSTNAME",
    ] {
        assert_eq!(read(&[(other, "x")]).unwrap().unknown, Vec::<String>::new(), "{other}");
    }
    // What is empty is absent.
    assert_eq!(read(&[("REDIS_TIMOUT_MS", "")]).unwrap().unknown, Vec::<String>::new());
    // Where something is missing, a misspelt name is the likely reason.
    let found = faults(&[("REDIS_HOST", ""), ("REDIS_HOTS", "redis.example.com")]);
    assert_eq!(found, ["REDIS_URL or REDIS_HOST is missing", "REDIS_HOTS is not a setting: did you mean REDIS_HOST?"]);
}
