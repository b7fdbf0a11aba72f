//! Lists, page by page.

use engine_core::kind_info::KindInfo;
use engine_core::object::Object;
use engine_core::ports::{ListQuery, Page, PageSink, ProviderError};
use engine_core::value::Value;
use futures::future;
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::failure::Subject;
use crate::path::{self, Query};
use crate::transport::{Call, Transport, json};

/// Objects a page: the size at which kubectl asks too.
const PAGE: &str = "500";
/// As many items are not worth dividing.
const FEW: usize = 32;
/// How often a list whose continuation expired begins anew.
const MAX_RESTARTS: usize = 3;

/// One page as the server sends it. Its items are found first and read then, all at once.
#[derive(Deserialize)]
struct ListBody<'a> {
    #[serde(default)]
    metadata: ListMeta,
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct ListMeta {
    #[serde(rename = "continue")]
    next: Option<String>,
    resource_version: Option<String>,
}

/// One page, read.
pub(crate) struct ListPage {
    /// Objects.
    pub(crate) objects: Vec<Object>,
    /// Where the next page begins, `None` for the last.
    pub(crate) next: Option<String>,
    /// The version of the collection.
    pub(crate) resource_version: String,
}

/// What asking for a page gave.
pub(crate) enum Fetched {
    /// A page.
    Page(ListPage),
    /// 410: the continuation is too old.
    Expired,
}

/// Lists objects of a kind. While the sink works on a page, the next one is on its way.
///
/// # Errors
/// A page cannot be had, or continuations expire again and again.
///
/// # Source
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks>
pub(crate) async fn list(
    transport: &Transport,
    query: &ListQuery,
    sink: PageSink<'_>,
) -> Result<(), ProviderError> {
    for _ in 0..=MAX_RESTARTS {
        let mut fetched = fetch(transport, query, None).await?;
        while let Fetched::Page(page) = fetched {
            let Some(next) = page.next else {
                sink(Page::Items(page.objects));
                return Ok(());
            };
            let following = fetch(transport, query, Some(&next));
            let deliver = async { sink(Page::Items(page.objects)) };
            let (following, ()) = future::join(following, deliver).await;
            fetched = following?;
        }
        sink(Page::Restart);
    }
    Err(ProviderError::Server(format!(
        "listing {} began anew {MAX_RESTARTS} times because the server forgot where it was",
        query.kind.kind
    )))
}

/// Asks for one page.
///
/// # Errors
/// The server refuses, or does not answer.
pub(crate) async fn fetch(
    transport: &Transport,
    query: &ListQuery,
    next: Option<&str>,
) -> Result<Fetched, ProviderError> {
    let path = path::collection(&query.kind, query.namespace.as_deref())?;
    // No resourceVersion: the answer is as new as a read of the store, never an old cache's.
    let uri = Query::default()
        .with("limit", PAGE)
        .with_some("labelSelector", query.labels.as_deref())
        .with_some("continue", next)
        .on(&path);
    let reply = transport.send(&Call::get(uri)).await?;
    if next.is_some() && reply.status == http::StatusCode::GONE {
        return Ok(Fetched::Expired);
    }
    let reply = reply.success(subject(&query.kind))?;
    let body: ListBody<'_> = reply.json()?;
    // A few are read here before another core has begun.
    let items = body.items.unwrap_or_default().into_par_iter().with_min_len(FEW);
    let objects = items.map(|item| Ok(with_type(json(item.get().as_bytes())?, &query.kind)));
    Ok(Fetched::Page(ListPage {
        objects: objects.collect::<Result<_, ProviderError>>()?,
        next: body.metadata.next.filter(|next| !next.is_empty()),
        resource_version: body.metadata.resource_version.unwrap_or_default(),
    }))
}

/// Returns the subject of requests for a whole kind.
pub(crate) fn subject(kind: &KindInfo) -> Subject {
    Subject { secret: kind.kind.is("", "Secret"), bound: false }
}

/// Adds `apiVersion` and `kind`, which servers leave out of the items of built-in kinds.
fn with_type(mut item: Value, kind: &KindInfo) -> Object {
    if item.get("apiVersion").is_none() {
        let api_version = kind.api_version().to_string();
        item.set_at(&["apiVersion"], Value::string(api_version));
    }
    if item.get("kind").is_none() {
        item.set_at(&["kind"], Value::string(kind.kind.kind.clone()));
    }
    Object::new(item)
}
