//! Examples in the document. Requests are those of the files in events/, which the stack of `make dev` can answer. Answers
//! are real ones: recorded while the suite runs with `RECORD_ANSWERS` set to a folder, and kept in
//! tests/data/answers.json.

use std::{collections::BTreeMap, env, fs, path::PathBuf, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use shared::http::route::Route;

use crate::servers::root;

const PATH: &str = "tests/data/answers.json";

/// Bodies by `{function} {status}` of successes, and by code of problems.
pub static EXAMPLES: LazyLock<BTreeMap<String, Value>> = LazyLock::new(kept);

fn kept() -> BTreeMap<String, Value> {
    let text = fs::read_to_string(root().join(PATH)).unwrap_or_else(|error| panic!("{PATH}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{PATH}: {error}"))
}

/// The good event of a function; none if it has none.
pub fn event(function: &str) -> Option<Value> {
    let text = fs::read_to_string(root().join("events").join(format!("{function}.json"))).ok()?;
    serde_json::from_str(&text).ok()
}

/// The body of a function's good event.
pub fn request(function: &str) -> Option<Value> {
    let event = event(function)?;
    let body = event["body"].as_str()?.as_bytes().to_vec();
    let body = if event["isBase64Encoded"] == true { STANDARD.decode(body).ok()? } else { body };
    serde_json::from_slice(&body).ok()
}

fn folder() -> Option<PathBuf> {
    env::var_os("RECORD_ANSWERS").map(PathBuf::from)
}

/// The name of a success's example.
pub fn of_success(function: &str, status: u16) -> String {
    format!("{function} {status}")
}

/// Keeps an answer, if answers are recorded: of each kind the first.
pub fn record(route: Route, status: u16, code: Option<&str>, body: &Value) {
    let Some(folder) = folder().filter(|_| !body.is_null()) else { return };
    let name = code.map_or_else(|| of_success(route.function(), status), ToOwned::to_owned);
    let path = folder.join(name);
    if !path.exists() {
        fs::write(path, body.to_string()).expect("RECORD_ANSWERS is a folder that can be written to");
    }
}

/// Makes tests/data/answers.json of what was recorded; what wasn't stays.
/// Before anything asks for [`EXAMPLES`]: the document that is written has them.
pub fn collect() {
    let Some(folder) = folder() else { return };
    let mut all = kept();
    for file in fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()) {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).expect("text");
        all.insert(name, serde_json::from_str(&text).expect("JSON"));
    }
    let text = serde_json::to_string_pretty(&all).expect("JSON");
    fs::write(root().join(PATH), text + "\n").expect("written");
}
