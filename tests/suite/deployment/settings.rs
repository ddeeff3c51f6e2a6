//! What the template lets through starts, and fits into a function's environment.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::{
    app::{App, Clock},
    config::{Config, vars::Vars},
};
use tests::stack::{
    Stack,
    pattern::{Allowed, Dice, in_json},
};

/// What Lambda allows all variables of a function together, as JSON.
const LAMBDA_ALLOWS: usize = 4096;
/// What is kept free for the next settings.
const HEAD_ROOM: usize = 100;
/// The longest name of a stack that always fits. AWS takes 128 characters, and every table is named after it.
const LONGEST_STACK_NAME: usize = 40;

fn parameters(stack: &Stack) -> BTreeMap<String, Allowed> {
    let declared = stack.template()["Parameters"].as_object().unwrap().iter();
    declared.map(|(name, parameter)| (name.clone(), Allowed::by(parameter))).collect()
}

/// What Lambda adds.
fn started(mut environment: BTreeMap<String, String>) -> Result<Config, String> {
    for (name, value) in [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "key")] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    Config::read(Vars::new(environment)).map_err(|error| error.to_string())
}

#[test]
fn every_function_starts_with_whatever_the_template_lets_through() {
    let stack = Stack::new().parameter("JwtIssuer", "https://id.example.com/").parameter("JwtAudience", "checkout");
    let allowed = parameters(&stack);
    let functions = stack.functions();
    let (mut accepted, mut with_keys) = (0, 0);
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let mut drawn = Vec::new();
        let mut deployed = stack.clone();
        for (name, allowed) in &allowed {
            // A pair of settings is rarely good by chance: most stay as they are.
            if dice.roll(3) == 0 || name == "JwtJwks" {
                let value = allowed.draw(&mut dice);
                deployed = deployed.parameter(name, &value);
                drawn.push((name, value));
            }
        }
        if deployed.broken_rule().is_some() {
            continue;
        }
        accepted += 1;
        for function in functions.keys() {
            let config = started(deployed.environment(function));
            let config = config.unwrap_or_else(|error| panic!("seed {seed}: {function}: {error}\n{drawn:#?}"));
            if function == "confirm-order" {
                with_keys += usize::from(config.auth.verifier.is_some());
                let app = App::new(config, Clock::System);
                assert!(app.is_ok(), "seed {seed}: {function}: {:?}\n{drawn:#?}", app.err());
            }
        }
    }
    assert!(accepted > 20 && with_keys > 5, "{accepted} deployments, {with_keys} with keys");
}

#[test]
fn each_edge_of_each_parameter_starts() {
    let stack = Stack::new()
        .parameter("JwtIssuer", "https://id.example.com/")
        .parameter("JwtAudience", "checkout")
        .parameter("StripeSecretKeyFrom", "ssm:/checkout/stripe-key");
    let functions = stack.functions();
    for (name, allowed) in parameters(&stack) {
        for seed in 0..12 {
            let value = allowed.draw(&mut Dice(seed));
            let deployed = stack.clone().parameter(&name, &value);
            if deployed.broken_rule().is_some() {
                continue;
            }
            for function in functions.keys() {
                let started = started(deployed.environment(function));
                assert!(started.is_ok(), "{name}={value:?}: {function}: {}", started.unwrap_err());
            }
        }
    }
}

#[test]
fn what_would_be_an_outage_is_refused_before_it_is_deployed() {
    let key = r#"{"kty":"EC","crv":"P-256","kid":"1","use":"sig","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    let keys = format!(r#"{{"keys":[{key}]}}"#);
    let bad = [
        ("RateLimitInitiate", "10001/60"),
        ("RateLimitInitiate", "1/86401"),
        ("RateLimitClaimSignedIn", "0/60"),
        ("RateLimitTrustedCidrs", "1.2.3.4/33"),
        ("RateLimitTrustedCidrs", "256.0.0.0/8"),
        ("RateLimitTrustedCidrs", "2001:db8::/129"),
        ("RateLimitTrustedCidrs", "1:2:3:4:5:6:7:8:9/64"),
        ("JwtJwks", r#"{"keys":[]}"#),
        ("JwtJwks", r#"{"keys":[{}]}"#),
        ("JwtJwks", r#"{"x":"keys"}"#),
        ("SessionTtlSeconds", "1800.5"),
        ("SessionTtlSeconds", "59"),
        ("RedisTimeoutMs", "1e2"),
        ("TrustedProxyHops", "6"),
        ("JwtIssuer", " "),
        ("StripeSecretKeyFrom", "ssm:#key"),
        ("RedisPrefix", ""),
    ];
    let stack = Stack::new();
    for (name, value) in bad {
        assert!(!accepts(&stack, name, value), "{name}={value}");
    }
    let good = [
        ("JwtJwks", keys.as_str()),
        ("RateLimitTrustedCidrs", "198.51.100.0/24,2001:db8::/32,::1/128,::/0,fe80:0:0:0:1:2:3:4/64,2001:db8::7/128"),
        ("RateLimitInitiate", "10000/86400"),
        ("SessionTrustSeconds", "0"),
        ("StripeSecretKeyFrom", "secretsmanager:checkout/stripe#key"),
        (
            "StripeSecretKeyFrom",
            "secretsmanager:arn:aws:secretsmanager:eu-central-1:111122223333:secret:stripe-AbCdEf#key",
        ),
    ];
    for (name, value) in good {
        assert!(accepts(&stack, name, value), "{name}={value}");
    }
    let with = |pairs: &[(&str, &str)]| {
        pairs.iter().fold(stack.clone(), |stack, (name, value)| stack.parameter(name, value)).broken_rule()
    };
    assert_eq!(with(&[("JwtJwks", &keys)]).as_deref(), Some("JwtJwks and JwtJwksUrl need JwtIssuer and JwtAudience."));
    assert!(with(&[("JwtJwks", &keys), ("JwtIssuer", "https://id.example.com/")]).is_some());
    assert_eq!(with(&[("JwtJwks", &keys), ("JwtIssuer", "https://id.example.com/"), ("JwtAudience", "shop")]), None);
    assert!(with(&[("StripeWebhookSecretFrom", "ssm:/webhook")]).is_some());
    assert!(with(&[("TrustedProxyHops", "1")]).is_some());
    let secret = ("TrustedProxySecret", "0123456789abcdef0123456789abcdef");
    assert_eq!(with(&[("TrustedProxyHops", "1"), secret]), None);
    assert!(with(&[("AvailabilityZoneA", "us-east-1b")]).is_some());
    assert!(with(&[("AvailabilityZoneA", "us-east-1b"), ("AvailabilityZoneB", "us-east-1b")]).is_some());
    assert_eq!(with(&[("AvailabilityZoneA", "us-east-1b"), ("AvailabilityZoneB", "us-east-1a")]), None);
    assert_eq!(with(&[]), None);
}

/// As `CloudFormation` checks a value: all of it fits the pattern, and the length is within its bounds.
fn accepts(stack: &Stack, name: &str, value: &str) -> bool {
    let parameter = &stack.template()["Parameters"][name];
    let pattern =
        json!({"type": "string", "pattern": format!("^(?:{})$", parameter["AllowedPattern"].as_str().unwrap())});
    let length = |bound: &str, default: u64| parameter[bound].as_u64().unwrap_or(default);
    jsonschema::is_valid(&pattern, &Value::from(value))
        && (length("MinLength", 0)..=length("MaxLength", 4096)).contains(&(value.chars().count() as u64))
}

#[test]
fn the_largest_environment_fits_with_room_to_spare() {
    // Each parameter is a sign of its own, and weighs what the heaviest of its values does.
    let sign = |at: usize| char::from_u32(0xE000 + u32::try_from(at).unwrap()).unwrap();
    let stack = Stack::new().named(&"s".repeat(LONGEST_STACK_NAME));
    let allowed = parameters(&stack);
    let marked =
        allowed.keys().enumerate().fold(stack, |stack, (at, name)| stack.parameter(name, &sign(at).to_string()));
    let heaviest: BTreeMap<char, usize> =
        allowed.values().enumerate().map(|(at, allowed)| (sign(at), allowed.heaviest())).collect();
    let weight = |text: &str| -> usize {
        text.chars().map(|one| heaviest.get(&one).copied().unwrap_or_else(|| in_json(&one.to_string()))).sum()
    };
    // One parameter may take the place of another: each is left empty once.
    let left_out = allowed.keys().map(|name| marked.clone().parameter(name, ""));
    for stack in std::iter::once(marked.clone()).chain(left_out) {
        for function in stack.functions().keys() {
            let variables = stack.environment(function);
            // "NAME":"value", and the braces.
            let sizes = variables.iter().map(|(name, value)| (name.len() + weight(value) + 6, name));
            let mut sizes: Vec<_> = sizes.collect();
            sizes.sort_unstable_by(|one, other| other.cmp(one));
            let total = 1 + sizes.iter().map(|(size, _)| size).sum::<usize>();
            assert!(
                total + HEAD_ROOM <= LAMBDA_ALLOWS,
                "{function}: its variables may take {total} bytes, and {HEAD_ROOM} are to stay free of \
                 {LAMBDA_ALLOWS}. Give its parameter a smaller MaxLength, or leave the variable to the functions that \
                 need it: {sizes:#?}"
            );
        }
    }
}

#[test]
fn the_weight_of_a_pattern_is_that_of_its_heaviest_text() {
    let weight = |pattern: &str, longest: u64| {
        Allowed::by(&json!({"Type": "String", "AllowedPattern": pattern, "MaxLength": longest})).heaviest()
    };
    assert_eq!(weight("^$|^[a-z]{2,5}$", 100), 5);
    assert_eq!(weight("^[a-z\"]*$", 10), 20);
    assert_eq!(weight("^(a|\"b\")*$", 7), 11, "two of three quoted letters, and one plain");
    assert_eq!(weight("^[0-9]{1,3}(,[0-9]{1,3})*$", 8), 8);
    assert_eq!(weight("^ab\\\\$", 10), 4);
    assert_eq!(weight(".*", 10), 60, "what can't be printed takes six");
    assert_eq!(Allowed::by(&json!({"Type": "String"})).heaviest(), 6 * 4096);
    assert_eq!(Allowed::by(&json!({"Type": "String", "AllowedValues": ["a", "abc"]})).heaviest(), 3);
}

#[test]
fn what_sam_local_overrides_is_declared() {
    let file = std::fs::read_to_string(tests::servers::root().join("env.json")).unwrap();
    let file: Value = serde_json::from_str(&file).unwrap();
    let template = tests::servers::template();
    for (whose, variables) in file.as_object().unwrap() {
        let functions: Vec<_> = template
            .functions
            .iter()
            .filter(|function| ["Parameters", &function.logical_id].contains(&whose.as_str()))
            .collect();
        assert!(!functions.is_empty(), "env.json: there is no function {whose}");
        for (name, function) in
            variables.as_object().unwrap().keys().flat_map(|name| functions.iter().map(move |f| (name, f)))
        {
            assert!(function.variables.contains(name), "env.json: {} does not declare {name}", function.name());
        }
    }
}
