//! What a laptop's API serves beside the API itself: a shop to look at, the document of the interface, and a page to read it
//! and to try it out.

use std::path::PathBuf;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::Answer;

const DOCUMENT: &str = "/openapi.json";
const PAGE: &str = "/docs";
const SCRIPT: &str = "/docs/scalar.js";
/// The shop's folder. Its files are served beside its page.
const SHOP: &str = "docs/examples/shop";
const SHOP_PAGE: &str = "index.html";
/// The shop runs its own scripts only, and asks this server only.
const SHOP_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The pages of a running stack.
#[derive(Clone, Debug)]
pub struct Pages {
    /// Where docs/openapi.json and the shop are.
    pub project: PathBuf,
    /// Whom the page calls as, unless its reader says otherwise: the guest of the examples.
    pub guest: String,
    /// None: the tokens come from another issuer.
    pub user: Option<String>,
    pub staff: Option<String>,
}

impl Pages {
    /// The page at a path. None: it is a path of the API.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<Answer> {
        let mut is_shop = false;
        let (kind, body) = match path.trim_end_matches('/') {
            DOCUMENT => ("application/json", self.document()?),
            PAGE => ("text/html; charset=utf-8", self.page()),
            SCRIPT => ("text/javascript", scalar_api_reference::get_asset("scalar.js")?.into()),
            other => {
                is_shop = true;
                self.shop(other.strip_prefix('/').unwrap_or(SHOP_PAGE))?
            }
        };
        let mut answer = Response::new(Full::from(if *method == Method::HEAD { Bytes::new() } else { body }));
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if is_shop {
            let policies = [
                (CONTENT_SECURITY_POLICY, SHOP_POLICY),
                (X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (REFERRER_POLICY, "no-referrer"),
                (CACHE_CONTROL, "no-cache"),
            ];
            answer.headers_mut().extend(policies.map(|(name, value)| (name, HeaderValue::from_static(value))));
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            *answer.body_mut() = Full::default();
        }
        Some(answer)
    }

    /// Read anew each time: it changes with the code.
    fn document(&self) -> Option<Bytes> {
        std::fs::read(self.project.join("docs").join("openapi.json")).ok().map(Bytes::from)
    }

    /// A file of the shop, read anew each time: an edit is there after a reload. Names only, no paths.
    fn shop(&self, name: &str) -> Option<(&'static str, Bytes)> {
        let (stem, ending) = name.split_once('.')?;
        let kind = match ending {
            "html" => "text/html; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            _ => return None,
        };
        let is_name = !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let body = is_name.then(|| std::fs::read(self.project.join(SHOP).join(name)).ok())??;
        Some((kind, body.into()))
    }

    fn page(&self) -> Bytes {
        let page = scalar_api_reference::scalar_html(&self.settings(), Some(SCRIPT));
        page.into()
    }

    /// It asks nobody but this machine: no fonts, no telemetry, no assistant.
    fn settings(&self) -> Value {
        json!({
            "url": DOCUMENT,
            "metaData": {"title": "Checkout"},
            "withDefaultFonts": false,
            "telemetry": false,
            "showDeveloperTools": "never",
            "agent": {"disabled": true},
            "mcp": {"disabled": true},
            "hideClientButton": true,
            "persistAuth": true,
            "defaultHttpClient": {"targetKey": "shell", "clientKey": "curl"},
            "authentication": {
                "preferredSecurityScheme": "guest",
                "securitySchemes": {
                    "guest": {"value": self.guest},
                    "user": {"token": self.user},
                    "staff": {"token": self.staff},
                },
            },
        })
    }
}
