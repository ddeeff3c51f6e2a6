//! Reading requests.

use lambda_http::{Request, RequestExt as _, http::header};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{
    domain::{
        ids::{CheckoutId, GuestId},
        invalid::{Faults, Invalid, escaped},
    },
    http::{
        problem::Problem,
        route::{BodyKind, Route},
        shape,
    },
    ports::OrderView,
};

/// The largest body that any route reads, in bytes.
pub const LARGEST_BODY: usize = 1024 * 1024;
/// The longest query string that is read, in bytes.
const MAX_QUERY: usize = 4 * 1024;

/// What makes a request count as more than one attempt.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestSize {
    /// The number of items in its cart.
    pub lines: usize,
    /// The number of coupon codes in it.
    pub codes: usize,
}

/// What a request asks a route to do, parsed into the domain's types.
pub trait Command: Sized {
    /// The largest body that is read, in bytes. Fifty lines with two addresses need a tenth of it.
    const MAX_BODY: usize = 64 * 1024;

    /// # Errors
    /// A 4xx problem that names every fault.
    fn decode(request: &Request) -> Result<Self, Problem>;

    /// The session it is about, so that the admission can fetch its copy too.
    fn checkout(&self) -> Option<CheckoutId> {
        None
    }

    /// What it shows of the caller's orders, so that the admission can ask the cache too.
    fn view(&self) -> Option<OrderView> {
        None
    }

    /// The guest that the body names.
    fn guest(&self) -> Option<GuestId> {
        None
    }

    /// Whether it may try a card.
    fn pays_online(&self) -> bool {
        false
    }

    fn size(&self) -> RequestSize {
        RequestSize::default()
    }
}

/// A route without a body or parameters.
impl Command for () {
    fn decode(_: &Request) -> Result<Self, Problem> {
        Ok(())
    }
}

/// The body's raw bytes; none if there is no body.
pub fn bytes(request: &Request) -> &[u8] {
    request.body().as_ref()
}

/// Refuses a body or a query that is too large. This check comes before any other use of them.
///
/// # Errors
/// 413 or 414.
pub fn check_size(request: &Request, most: usize) -> Result<(), Problem> {
    let (body, query) = (bytes(request).len(), request.uri().query().map_or(0, str::len));
    if body > most {
        let detail = format!("the body has {body} bytes; at most {most} are read");
        return Err(Problem::new(413, "PAYLOAD_TOO_LARGE", "The body is too large", detail));
    }
    if query > MAX_QUERY {
        let detail = format!("the query has {query} bytes; at most {MAX_QUERY} are read");
        return Err(Problem::new(414, "QUERY_TOO_LONG", "The query is too long", detail));
    }
    Ok(())
}

/// Refuses the body of a request to a route that reads none: nobody should believe that it had an effect.
///
/// # Errors
/// 400.
pub fn refuse_unread(request: &Request, route: Route) -> Result<(), Problem> {
    if route.spec().body == BodyKind::Nothing && !is_empty(request) {
        return Err(Problem::malformed("this route takes no body: send the request without one"));
    }
    Ok(())
}

/// Whether there is no body, or nothing but white space in it.
fn is_empty(request: &Request) -> bool {
    bytes(request).trim_ascii().is_empty()
}

/// The JSON object of a body, and the faults of its shape: with these, the rest of it can still be judged.
///
/// # Errors
/// 400 or 415 if it is no JSON object.
pub fn json<T: DeserializeOwned>(request: &Request) -> Result<(T, Faults), Problem> {
    plain(request)?;
    if let Some(content_type) = request.headers().get(header::CONTENT_TYPE)
        && !is_json(content_type.to_str().unwrap_or_default())
    {
        let detail =
            "the body must be sent as Content-Type: application/json, or another type that ends in +json, in UTF-8";
        return Err(Problem::new(415, "UNSUPPORTED_MEDIA_TYPE", "The body is not JSON", detail));
    }
    let bytes = bytes(request);
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(Problem::malformed("the body begins with a byte order mark: send it without"));
    }
    // JSON begins with ASCII characters, so a null byte among the first four means UTF-16 or UTF-32.
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") || bytes.iter().take(4).any(|byte| *byte == 0) {
        return Err(Problem::malformed("the body must be UTF-8, not UTF-16 or UTF-32"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::malformed("the body is not UTF-8"))?;
    if !text.trim_start().starts_with('{') {
        return Err(Problem::malformed("the body must be a JSON object"));
    }
    shape::read(text).map_err(Problem::validation)
}

/// Refuses a body with a content encoding such as gzip: bodies are not decoded.
pub fn plain(request: &Request) -> Result<(), Problem> {
    let encodings = request.headers().get_all(header::CONTENT_ENCODING).iter();
    let identity = |value: &str| value.split(',').all(|name| ["", "identity"].contains(&&*name.trim().to_lowercase()));
    if encodings.map(|value| value.to_str().unwrap_or("?")).all(identity) {
        return Ok(());
    }
    let detail = "the body must be sent without a Content-Encoding";
    Err(Problem::new(415, "UNSUPPORTED_MEDIA_TYPE", "The body is encoded", detail))
}

/// `application/json`, or a type whose syntax is JSON's (RFC 6839), and no character encoding but UTF-8.
fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(|part| part.trim().to_ascii_lowercase());
    let kind = parts.next().unwrap_or_default();
    let subtype = kind.strip_prefix("application/").unwrap_or_default();
    let token =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b));
    let json = subtype == "json" || subtype.strip_suffix("+json").is_some_and(token);
    json && parts
        .filter_map(|part| part.strip_prefix("charset=").map(|name| name.trim_matches('"').to_owned()))
        .all(|name| ["utf-8", "utf8"].contains(&name.as_str()))
}

/// Refuses a query that has a parameter twice, because it is ambiguous.
pub fn query_once(request: &Request) -> Result<(), Problem> {
    let query = request.query_string_parameters();
    let mut faults = Faults::default();
    let mut names: Vec<_> = query.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    for pair in names.chunk_by(PartialEq::eq).filter(|names| names.len() > 1) {
        faults.add(format!("/query/{}", escaped(pair[0])), "must be given once");
    }
    faults.finish(Some(())).map_err(Problem::validation)
}

/// A JSON object within a body. Without this, serde also accepts a list for a struct, field by field.
#[derive(Clone, Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Members(std::marker::PhantomData))
    }
}

/// A member for which null and absence differ. Use it with `#[serde(default)]`.
#[derive(Clone, Debug, Default)]
pub enum Member<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

/// Like [`json`], but a missing body counts as an empty object.
pub fn optional_json<T: DeserializeOwned + Default>(request: &Request) -> Result<(T, Faults), Problem> {
    if is_empty(request) { Ok(Default::default()) } else { json(request) }
}

/// A path parameter, parsed.
pub fn path<T: std::str::FromStr<Err: std::fmt::Display>>(request: &Request, name: &str) -> Result<T, Problem> {
    let parameters = request.path_parameters();
    let text = parameters.first(name).unwrap_or_default();
    text.parse().map_err(|error| Problem::validation(vec![Invalid::new(format!("/path/{name}"), format!("{error}"))]))
}

#[cfg(feature = "openapi")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator};

    use super::{Member, Object};

    impl<T: JsonSchema> JsonSchema for Object<T> {
        fn schema_name() -> Cow<'static, str> {
            T::schema_name()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            T::json_schema(generator)
        }
    }

    impl<T: JsonSchema> JsonSchema for Member<T> {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
            Option::<T>::schema_name()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            Option::<T>::json_schema(generator)
        }
    }
}
