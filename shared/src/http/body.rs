//! Reading requests.

use lambda_http::{Body, Request, RequestExt as _, http::header};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{
    domain::{ids::CheckoutId, invalid::Invalid},
    http::problem::Problem,
};

/// The longest query that is read, in bytes.
const MAX_QUERY: usize = 4 * 1024;

/// What a route is asked to do, parsed from a request into the domain's own types.
pub trait Command: Sized {
    /// The largest body that is read, in bytes. Fifty lines with two addresses need a tenth of it.
    const MAX_BODY: usize = 64 * 1024;

    /// # Errors
    /// A 4xx problem that names every fault.
    fn decode(request: &Request) -> Result<Self, Problem>;

    /// The session it is about, so that its copy can be fetched together with the limit.
    fn checkout(&self) -> Option<CheckoutId> {
        None
    }

    /// How many lines there are in the cart that it brings.
    fn lines(&self) -> usize {
        0
    }
}

/// Nothing is asked for beyond the route itself.
impl Command for () {
    fn decode(_: &Request) -> Result<Self, Problem> {
        Ok(())
    }
}

/// The body as it came.
pub fn bytes(request: &Request) -> &[u8] {
    match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    }
}

/// Refuses what is too large to be looked at: nothing else is done with a body or a query before this.
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

/// The JSON object of a body.
pub fn json<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    if let Some(content_type) = request.headers().get(header::CONTENT_TYPE) {
        let kind = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            let detail = "the body must be sent as Content-Type: application/json";
            return Err(Problem::new(415, "UNSUPPORTED_MEDIA_TYPE", "The body is not JSON", detail));
        }
    }
    let text = std::str::from_utf8(bytes(request)).map_err(|_| Problem::malformed("the body is not UTF-8"))?;
    if !text.trim_start().starts_with('{') {
        return Err(Problem::malformed("the body must be a JSON object"));
    }
    let mut source = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut source).map_err(|error| {
        let pointer = pointer(error.path());
        let fault = error.into_inner();
        let detail = if fault.is_syntax() || fault.is_eof() {
            format!("the body is not JSON: {fault}")
        } else {
            fault.to_string()
        };
        Problem::validation(vec![Invalid::new(missing_field(pointer, &detail), detail)])
    })?;
    source.end().map_err(|error| Problem::malformed(format!("the body is not JSON: {error}")))?;
    Ok(value)
}

/// A JSON object within a body. A struct alone would also take a list, field by field.
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

/// A member whose null is not the same as its absence; to be read with `#[serde(default)]`.
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

/// Like [`json`], where no body at all means the same as an empty object.
pub fn optional_json<T: DeserializeOwned + Default>(request: &Request) -> Result<T, Problem> {
    let empty = match request.body() {
        Body::Text(text) => text.trim().is_empty(),
        Body::Binary(bytes) => bytes.is_empty(),
        _ => true,
    };
    if empty { Ok(T::default()) } else { json(request) }
}

/// A path parameter, parsed.
pub fn path<T: std::str::FromStr<Err: std::fmt::Display>>(request: &Request, name: &str) -> Result<T, Problem> {
    let parameters = request.path_parameters();
    let text = parameters.first(name).unwrap_or_default();
    text.parse().map_err(|error| Problem::validation(vec![Invalid::new(format!("/path/{name}"), format!("{error}"))]))
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use std::fmt::Write as _;
    path.iter().fold(String::new(), |mut out, segment| {
        match segment {
            serde_path_to_error::Segment::Seq { index } => {
                let _ = write!(out, "/{index}");
            }
            serde_path_to_error::Segment::Map { key } => {
                let _ = write!(out, "/{}", key.replace('~', "~0").replace('/', "~1"));
            }
            serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => {}
        }
        out
    })
}

/// A missing field is reported where it should be; the path to an unknown one is that of the field already.
fn missing_field(pointer: String, detail: &str) -> String {
    let field = detail.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match field {
        Some(field) => format!("{pointer}/{field}"),
        None => pointer,
    }
}
