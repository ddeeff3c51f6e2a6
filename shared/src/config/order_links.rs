//! The settings of order links.

use crate::config::{auth::is_loopback, secret::Secret, vars::Vars};

#[derive(Clone, Debug, Default)]
pub struct OrderLinkConfig {
    /// `ORDER_LINK_SECRET`: what signs the links, at least 32 characters; two, separated by a comma, during a rotation:
    /// the first signs, and both verify. None: there are no links.
    pub secrets: Vec<Secret>,
    /// `ORDER_LINK_URL`: the shop's page that a link opens, without a fragment. Only the function that makes links needs
    /// it.
    pub page: Option<String>,
}

/// Shorter secrets can be guessed.
const SHORTEST_SECRET: usize = 32;
const LONGEST_PAGE: usize = 512;

impl OrderLinkConfig {
    /// Notes every fault.
    pub(super) fn read(vars: &mut Vars) -> Self {
        let text = vars.get("ORDER_LINK_SECRET").unwrap_or_default();
        let texts: Vec<&str> = text.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
        if texts.len() > 2 || texts.iter().any(|text| text.len() < SHORTEST_SECRET) {
            vars.fault(format!(
                "ORDER_LINK_SECRET must be one secret, or two with a comma between, of at least {SHORTEST_SECRET} \
                 characters each"
            ));
        }
        let page = vars.get("ORDER_LINK_URL");
        if let Some(page) = &page {
            let is_secure = page.strip_prefix("https://").is_some_and(|rest| !rest.is_empty());
            let is_whole =
                page.len() <= LONGEST_PAGE && page.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
            if !is_whole || !(is_secure || is_loopback(page)) {
                vars.fault(format!(
                    "ORDER_LINK_URL must be an https:// address of at most {LONGEST_PAGE} characters without a fragment"
                ));
            }
            if texts.is_empty() {
                vars.fault("ORDER_LINK_URL needs ORDER_LINK_SECRET");
            }
        }
        Self { secrets: texts.into_iter().map(Secret::new).collect(), page }
    }
}
