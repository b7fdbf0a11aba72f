//! Lists, whole or page by page.
//!
//! # Source
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks>

use std::collections::VecDeque;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::convert;
use crate::error::{ApiError, ApiResult};
use crate::request::Params;
use crate::resource::Resource;
use crate::selector::Selector;

/// How many unfinished lists are remembered. The oldest is forgotten first; its client gets 410.
const OPEN_LISTS: usize = 64;

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    pub items: Vec<Arc<Value>>,
    /// The version of the whole list, the same on every page.
    pub version: u64,
    /// How to ask for the next page, if there is one.
    pub next: Option<String>,
    /// How many items follow; unknown where a selector is used.
    pub remaining: Option<usize>,
}

/// Lists of which a client has read some pages. Each keeps the objects as they were when it began.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    open: VecDeque<Rest>,
    last: u64,
}

#[derive(Debug, Clone)]
struct Rest {
    token: u64,
    version: u64,
    items: Vec<Arc<Value>>,
    counted: bool,
}

/// Lists a resource in one namespace, or everywhere if `namespace` is empty.
///
/// # Errors
/// 400 for selectors and tokens that cannot be read, 410 for a page that is no longer kept.
pub(crate) fn list(
    cluster: &mut Cluster,
    resource: &Resource,
    namespace: &str,
    query: &Params,
) -> ApiResult<Page> {
    let limit =
        query.number("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let selector = Selector::parse(query.get("labelSelector"), query.get("fieldSelector"))?;
    let rest = match query.get("continue") {
        "" => {
            check_version(cluster, query)?;
            let objects = cluster.store.list(&resource.group_resource(), namespace);
            let shown = objects.map(|object| convert::to_version(resource, object));
            let items = shown.filter(|object| selector.matches(object)).collect();
            Rest { token: 0, version: cluster.store.version(), items, counted: selector.is_empty() }
        }
        token => cluster.pages.find(token)?,
    };
    Ok(cluster.pages.cut(rest, limit))
}

fn check_version(cluster: &Cluster, query: &Params) -> ApiResult<()> {
    let current = cluster.store.version();
    let Some(asked) = query.number("resourceVersion")? else { return Ok(()) };
    if asked > current {
        return Err(ApiError::TooLargeVersion { asked, current });
    }
    if query.get("resourceVersionMatch") == "Exact" && asked != current {
        return Err(ApiError::Expired("The resourceVersion for the provided list is too old.".into()));
    }
    Ok(())
}

impl Pages {
    // A page may be asked for again, as after a lost connection, so its list stays open.
    fn find(&self, token: &str) -> ApiResult<Rest> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok();
        let number = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| {
            let (_, number) = text.split_once('/')?;
            number.parse::<u64>().ok()
        });
        let Some(number) = number else {
            return Err(ApiError::BadRequest("continue key is not valid: illegal base64 data".into()));
        };
        self.open.iter().find(|rest| rest.token == number).cloned().ok_or_else(|| {
            ApiError::Expired(
                "The provided continue parameter is too old to display a consistent list result. You must start a new \
                 list without the continue parameter."
                    .into(),
            )
        })
    }

    fn cut(&mut self, mut rest: Rest, limit: Option<usize>) -> Page {
        let Some(limit) = limit.filter(|limit| *limit < rest.items.len()) else {
            return Page { items: rest.items, version: rest.version, next: None, remaining: None };
        };
        let following = rest.items.split_off(limit);
        let remaining = rest.counted.then_some(following.len());
        self.last += 1;
        let token = self.last;
        let next = URL_SAFE_NO_PAD.encode(format!("{}/{token}", rest.version));
        self.open.push_back(Rest { token, version: rest.version, items: following, counted: rest.counted });
        if self.open.len() > OPEN_LISTS {
            self.open.pop_front();
        }
        Page { items: rest.items, version: rest.version, next: Some(next), remaining }
    }
}
