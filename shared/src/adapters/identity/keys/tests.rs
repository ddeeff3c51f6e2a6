//! A provider that changes its keys, fails, and hangs.

use std::{
    cell::Cell,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;
use crate::{
    adapters::identity::Tokens,
    config::auth::{AuthConfig, VerifierConfig},
    ports::{Identities as _, IdentityError},
};

thread_local! {
    /// What time it is for the test of this thread.
    static NOW_S: Cell<i64> = const { Cell::new(0) };
}

fn clock() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Span::seconds(NOW_S.get())
}

fn wait(seconds: i64) {
    NOW_S.set(NOW_S.get() + seconds);
}

/// An identity provider; counts how often it is asked for its keys.
#[derive(Debug, Default)]
struct Provider {
    fails: bool,
    hangs: bool,
    key_ids: Vec<&'static str>,
    cache_control: &'static str,
    asked: usize,
}

impl Provider {
    fn answer(&mut self) -> String {
        self.asked += 1;
        if self.fails {
            return "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned();
        }
        let point = URL_SAFE_NO_PAD.encode([1; 32]);
        let key = |id| format!(r#"{{"kty":"EC","crv":"P-256","kid":"{id}","x":"{point}","y":"{point}"}}"#);
        let keys: Vec<_> = self.key_ids.iter().map(key).collect();
        let body = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        let (length, cache) = (body.len(), self.cache_control);
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\ncache-control: {cache}\r\nconnection: close\r\n\r\n{body}"
        )
    }
}

fn started(provider: Provider) -> (Tokens, Arc<Mutex<Provider>>) {
    // As a function does before its first token.
    crate::adapters::crypto::install();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let provider = Arc::new(Mutex::new(provider));
    let served = Arc::clone(&provider);
    std::thread::spawn(move || {
        let mut hanging = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let _ = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).count();
            let mut provider = served.lock().unwrap();
            let answer = provider.answer();
            if provider.hangs {
                hanging.push(stream);
            } else {
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    });
    let text = ToString::to_string;
    let verifier = VerifierConfig {
        keys: KeySource::Url(url),
        roots: Roots::CompiledIn,
        issuer: text("i"),
        audiences: vec![text("a")],
        roles_claim: text("roles"),
        staff_role: text("staff"),
    };
    (Tokens::new(&AuthConfig { verifier: Some(verifier) }, clock).unwrap(), provider)
}

/// Why a token of this key is refused, and how often the provider has been asked by then.
async fn refused(tokens: &Tokens, provider: &Mutex<Provider>, key_id: &str) -> (IdentityError, usize) {
    let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"ES256","kid":"{key_id}"}}"#));
    let error = tokens.verify(&format!("{header}.e30.AAAA")).await.unwrap_err();
    (error, provider.lock().unwrap().asked)
}

const UNKNOWN: IdentityError = IdentityError::Refused("the token's key is unknown");
const KNOWN: IdentityError = IdentityError::Refused("the token's signature or claims are not valid");
const OUT_OF_REACH: IdentityError = IdentityError::KeysUnavailable;

#[tokio::test]
async fn keys_are_asked_for_again_for_an_unknown_one_but_not_at_once() {
    let (tokens, provider) = started(Provider { key_ids: vec!["old"], ..Provider::default() });
    tokens.warm_up().await;
    provider.lock().unwrap().key_ids.push("new");

    assert_eq!(refused(&tokens, &provider, "new").await, (UNKNOWN, 1));
    wait(60);
    assert_eq!(refused(&tokens, &provider, "new").await, (KNOWN, 2));
    assert_eq!(refused(&tokens, &provider, "made-up").await, (UNKNOWN, 2));
    assert_eq!(refused(&tokens, &provider, "old").await, (KNOWN, 2));
}

#[tokio::test]
async fn a_withdrawn_key_ends_after_five_minutes_whatever_the_provider_says_of_its_age() {
    for (cache_control, life) in [("", 300), ("public, max-age=86400", 300), ("max-age=90", 90), ("no-store", 60)] {
        let (tokens, provider) =
            started(Provider { key_ids: vec!["old", "new"], cache_control, ..Provider::default() });
        tokens.warm_up().await;
        provider.lock().unwrap().key_ids = vec!["new"];

        wait(life - 1);
        assert_eq!(refused(&tokens, &provider, "old").await, (KNOWN, 1), "{cache_control}");
        wait(1);
        assert_eq!(refused(&tokens, &provider, "old").await, (UNKNOWN, 2), "{cache_control}");
        assert_eq!(refused(&tokens, &provider, "new").await, (KNOWN, 2), "{cache_control}");
    }
}

#[tokio::test]
async fn a_stale_set_is_fetched_once_for_all_who_wait_for_it() {
    let (tokens, provider) = started(Provider { key_ids: vec!["key"], ..Provider::default() });
    tokens.warm_up().await;
    wait(300);

    let asking = (0..50).map(|_| refused(&tokens, &provider, "key"));
    for (error, _) in futures_util::future::join_all(asking).await {
        assert_eq!(error, KNOWN);
    }
    assert_eq!(provider.lock().unwrap().asked, 2);
}

#[tokio::test]
async fn a_provider_that_fails_is_left_alone_for_a_while_and_then_asked_again() {
    let (tokens, provider) = started(Provider { fails: true, key_ids: vec!["key"], ..Provider::default() });
    tokens.warm_up().await;

    assert_eq!(refused(&tokens, &provider, "key").await, (OUT_OF_REACH, 1));
    for (rest, asked) in [(5, 2), (10, 3), (20, 4), (40, 5), (60, 6), (60, 7)] {
        wait(rest - 1);
        assert_eq!(refused(&tokens, &provider, "key").await, (OUT_OF_REACH, asked - 1), "{rest}");
        wait(1);
        assert_eq!(refused(&tokens, &provider, "key").await, (OUT_OF_REACH, asked), "{rest}");
    }
    provider.lock().unwrap().fails = false;
    wait(60);
    assert_eq!(refused(&tokens, &provider, "key").await, (KNOWN, 8));
}

#[tokio::test]
async fn keys_outlive_their_provider_by_an_hour() {
    let (tokens, provider) = started(Provider { key_ids: vec!["key"], ..Provider::default() });
    tokens.warm_up().await;
    provider.lock().unwrap().fails = true;
    wait(60);

    // Whether it is made up or new can't be known now.
    assert_eq!(refused(&tokens, &provider, "made-up").await, (OUT_OF_REACH, 2));
    assert_eq!(refused(&tokens, &provider, "key").await, (KNOWN, 2));
    wait(3600 - 61);
    assert_eq!(refused(&tokens, &provider, "key").await, (KNOWN, 3));
    wait(1);
    assert_eq!(refused(&tokens, &provider, "key").await.0, OUT_OF_REACH);
    provider.lock().unwrap().fails = false;
    wait(60);
    assert_eq!(refused(&tokens, &provider, "key").await.0, KNOWN);
}

#[tokio::test]
async fn a_provider_that_hangs_is_waited_for_once() {
    let (tokens, provider) = started(Provider { key_ids: vec!["key"], ..Provider::default() });
    tokens.warm_up().await;
    provider.lock().unwrap().hangs = true;
    wait(300);

    for _ in 0..3 {
        assert_eq!(refused(&tokens, &provider, "key").await, (KNOWN, 2));
    }
}

#[test]
fn an_age_is_read_from_what_providers_send() {
    for (header, age) in [
        ("max-age=60", Some(Span::MINUTE)),
        ("public, Max-Age=\"60\", must-revalidate", Some(Span::MINUTE)),
        ("no-store, max-age=60", Some(Span::ZERO)),
        ("s-maxage=60", None),
        ("max-age=soon", None),
        ("max-age=99999999999999999999", None),
        ("", None),
    ] {
        assert_eq!(max_age(header), age, "{header}");
    }
}
