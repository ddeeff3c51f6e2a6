//! What a laptop's API serves beside the API itself: the document of the interface, and a page to read it and to try it out.

use std::path::PathBuf;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::Answer;

const DOCUMENT: &str = "/openapi.json";
const PAGE: &str = "/docs";
const SCRIPT: &str = "/docs/scalar.js";

/// The pages of a running stack.
#[derive(Clone, Debug)]
pub struct Pages {
    /// Where docs/openapi.json is.
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
        let (kind, body) = match path.trim_end_matches('/') {
            DOCUMENT => ("application/json", self.document()?),
            PAGE => ("text/html; charset=utf-8", self.page()),
            SCRIPT => ("text/javascript", scalar_api_reference::get_asset("scalar.js")?.into()),
            _ => return None,
        };
        let mut answer = Response::new(Full::from(if *method == Method::HEAD { Bytes::new() } else { body }));
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
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
