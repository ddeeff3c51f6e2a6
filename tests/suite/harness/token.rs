use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, errors::ErrorKind, jwk::JwkSet};
use serde_json::Value;
use tests::token::{self, Signer, Token};

fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[token::AUDIENCE]);
    validation.set_issuer(&[token::ISSUER]);
    validation
}

#[test]
fn tokens_of_both_public_key_algorithms_pass_by_their_key_set() {
    let signers = [(Signer::rs256(), Algorithm::RS256), (Signer::es256(), Algorithm::ES256)];
    let keys: JwkSet = serde_json::from_str(&token::jwks(&[&signers[0].0, &signers[1].0])).unwrap();

    for (signer, algorithm) in &signers {
        let signed = signer.sign(&Token::staff("ada"));
        let kid = jsonwebtoken::decode_header(&signed).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
        let claims = decode::<Value>(&signed, &key, &validation(*algorithm)).unwrap().claims;
        assert_eq!((claims["sub"].as_str(), claims["roles"][0].as_str()), (Some("ada"), Some("staff")));
    }
}

#[test]
fn tokens_of_the_shared_secret_pass_until_they_expire() {
    let key = DecodingKey::from_secret(token::HS256_SECRET.as_bytes());
    let check = |signed: &str| decode::<Value>(signed, &key, &validation(Algorithm::HS256)).map(drop);

    check(&Signer::hs256().sign(&Token::of("ada"))).unwrap();
    let expired = check(&Signer::hs256().sign(&Token::of("ada").expired())).unwrap_err();
    assert_eq!(expired.kind(), &ErrorKind::ExpiredSignature);
    let forged = check(&Signer::with_secret("another secret").sign(&Token::of("ada"))).unwrap_err();
    assert_eq!(forged.kind(), &ErrorKind::InvalidSignature);
    check(&Token::of("ada").unsigned()).unwrap_err();
}

#[test]
fn a_key_set_holds_no_private_key() {
    let keys = token::jwks(&[&Signer::rs256(), &Signer::es256()]);
    assert!(!keys.contains("\"d\":"), "{keys}");
}
