//! Platforms' services: members, columns, results and groups, with the tokens they need.
//!
//! What may be called is what a launch offered: its addresses, on the platform's own hosts, with
//! the scopes it granted. No `limit` is ever sent: Moodle's answers to one are broken.

mod roster;
mod store;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use lti::ags::{self, LineItem, LineItemFilter, PlatformResult};
use lti::claims::{AgsEndpoint, GroupsEndpoint, NrpsEndpoint, Platform};
use lti::groups::{self, Group};
use lti::http::{Request, Response};
use lti::nrps::{self, Member};
use lti::paging::{Pager, PagingError};
use lti::service::{self, ServiceError};
use lti::token::{intersect, scope, scope_text};
use url::Url;

use super::Registration;
use super::tokens::TokenError;
use crate::app::App;
use crate::db::{self, Tx};
use crate::ids::{ResourceLinkId, sha256_hex};
use crate::outbound::OutboundError;

pub use roster::{Roster, RosterError, RosterMember, plain, roster};
pub use store::{
    Link, forget_column, link, of_context, of_link, settle_column, want_column, want_column_again,
};

/// More pages than any course has.
const PAGES: usize = 200;

crate::text_enum! {
    /// The column we look for, or make, where the platform tells of none.
    pub enum ColumnState {
        /// Nobody looked yet.
        None = "none",
        Wanted = "wanted",
        There = "there",
        /// The platform will not have one; the detail says why.
        Refused = "refused",
    }
}

/// What the launches of a link offered.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Offered {
    /// `moodle`, `canvas` …; `None` when no launch told.
    pub family: Option<String>,
    line_items: Option<String>,
    line_item: Option<String>,
    grade_scopes: String,
    memberships: Option<String>,
    groups_url: Option<String>,
    group_scopes: String,
    pub column_state: ColumnState,
    /// The column that is ours.
    pub column_url: Option<String>,
    /// What the platform said when it refused one.
    pub column_detail: Option<String>,
}

impl Offered {
    /// The scopes that were granted for grades.
    pub fn grade_scopes(&self) -> Vec<String> {
        self.grade_scopes.split_whitespace().map(str::to_owned).collect()
    }

    fn group_scopes(&self) -> Vec<String> {
        self.group_scopes.split_whitespace().map(str::to_owned).collect()
    }

    /// The column that scores of this link go to: the link's own, else ours.
    pub fn column(&self) -> Option<&str> {
        self.line_item.as_deref().or(self.column_url.as_deref())
    }

    pub fn has_members(&self) -> bool {
        self.memberships.is_some()
    }

    pub fn has_groups(&self) -> bool {
        self.groups_url.is_some()
    }

    pub fn has_results(&self) -> bool {
        !intersect([scope::RESULT_READ], &self.grade_scopes()).is_empty()
    }
}

/// What one launch tells, ready to be stored.
pub(super) struct Offer {
    digest: String,
    family: Option<String>,
    line_items: Option<String>,
    line_item: Option<String>,
    grade_scopes: String,
    memberships: Option<String>,
    groups: Option<String>,
    group_scopes: String,
}

impl Offer {
    fn of(told: &Told<'_>) -> Self {
        let text = |url: &Url| url.to_string();
        let scopes = |scopes: &[String]| scope_text(&scopes.iter().cloned().collect());
        let (grades, groups) = (told.grades, told.groups);
        let mut offer = Self {
            digest: String::new(),
            family: told
                .platform
                .and_then(|platform| platform.family.as_deref())
                .map(str::to_lowercase),
            line_items: grades.and_then(|grades| grades.line_items.as_ref()).map(text),
            line_item: grades.and_then(|grades| grades.line_item.as_ref()).map(text),
            grade_scopes: grades.map(|grades| scopes(&grades.scopes)).unwrap_or_default(),
            memberships: told.names.map(|names| text(&names.memberships)),
            groups: groups.map(|groups| text(&groups.groups)),
            group_scopes: groups.map(|groups| scopes(&groups.scopes)).unwrap_or_default(),
        };
        let parts = [
            offer.family.as_deref(),
            offer.line_items.as_deref(),
            offer.line_item.as_deref(),
            Some(offer.grade_scopes.as_str()),
            offer.memberships.as_deref(),
            offer.groups.as_deref(),
            Some(offer.group_scopes.as_str()),
        ];
        let whole: Vec<&str> = parts.iter().map(|part| part.unwrap_or("\u{0}")).collect();
        offer.digest = sha256_hex(whole.join("\n").as_bytes());
        offer
    }
}

/// What a launch tells of its platform's services.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    pub platform: Option<&'a Platform>,
    pub grades: Option<&'a AgsEndpoint>,
    pub names: Option<&'a NrpsEndpoint>,
    pub groups: Option<&'a GroupsEndpoint>,
}

/// Remembers what a launch of this link offers.
pub async fn remember(
    tx: &mut Tx,
    link: ResourceLinkId,
    told: &Told<'_>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    store::upsert(tx, link, Offer::of(told), now).await
}

/// Why a service did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ServiceCallError {
    #[error("the platform's launches offer no such service")]
    NotOffered,
    #[error("the platform's launches do not grant the scope for it")]
    NotGranted,
    #[error("the address {host:?} is not on the platform's own host")]
    ElsewhereHost { host: String },
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Paging(#[from] PagingError),
    #[error("the platform takes too long")]
    TooSlow,
}

impl ServiceCallError {
    /// A stable word for texts: `learners-roster-{code}`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotOffered => "not-offered",
            Self::NotGranted | Self::Service(ServiceError::Forbidden { .. }) => "not-granted",
            Self::ElsewhereHost { .. } => "elsewhere",
            Self::Token(_) | Self::Service(ServiceError::Unauthorized) => "token",
            Self::Outbound(OutboundError::Timeout { .. }) | Self::TooSlow => "slow",
            Self::Outbound(_) => "unreachable",
            Self::Service(ServiceError::NotFound) => "gone",
            Self::Service(error) if error.is_temporary() => "busy",
            Self::Service(_) | Self::Paging(_) => "unreadable",
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Token(_) | Self::Outbound(_) | Self::TooSlow => true,
            Self::Service(error) => error.is_temporary(),
            Self::NotOffered | Self::NotGranted | Self::ElsewhereHost { .. } | Self::Paging(_) => {
                false
            }
        }
    }

    /// How long the platform asks to wait.
    pub fn retry_after(&self) -> Option<chrono::TimeDelta> {
        match self {
            Self::Service(
                ServiceError::TooManyRequests { retry_after }
                | ServiceError::Server { retry_after, .. },
            ) => *retry_after,
            _ => None,
        }
    }
}

/// Sends one request with an access token of these scopes. A token that the platform refuses is
/// forgotten, and the request is sent once more with a fresh one.
pub async fn call(
    app: &App,
    registration: &Registration,
    scopes: &BTreeSet<String>,
    request: Request,
) -> Result<Response, ServiceCallError> {
    if !registration.owns(&request.url) {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        return Err(ServiceCallError::ElsewhereHost { host });
    }
    if scopes.is_empty() {
        return Err(ServiceCallError::NotGranted);
    }
    let response = send(app, registration, scopes, request.clone()).await?;
    if response.status != 401 {
        return Ok(response);
    }
    app.tokens.forget(registration, scopes).await;
    send(app, registration, scopes, request).await
}

async fn send(
    app: &App,
    registration: &Registration,
    scopes: &BTreeSet<String>,
    request: Request,
) -> Result<Response, ServiceCallError> {
    let secret = app.tokens.access_token(app, registration, scopes).await?;
    let request = request.bearer(&secret);
    let answer = app
        .outbound
        .send(request.method.as_str(), request.url.as_str(), &request.headers, request.body)
        .await?;
    let headers = answer.headers.iter();
    Ok(Response {
        status: answer.status,
        headers: headers.map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect(),
        body: answer.body.to_vec(),
    })
}

/// The address in a text that was stored.
fn address(stored: Option<&str>) -> Result<Url, ServiceCallError> {
    stored.and_then(|text| Url::parse(text).ok()).ok_or(ServiceCallError::NotOffered)
}

/// Everybody in the context.
pub async fn members(
    app: &App,
    registration: &Registration,
    offered: &Offered,
) -> Result<Vec<Member>, ServiceCallError> {
    let first = address(offered.memberships.as_deref())?;
    // The claim names no scopes: who may see the members is told by the address alone.
    let scopes = BTreeSet::from([scope::MEMBERSHIP_READ.to_owned()]);
    let filter = nrps::Filter::default();
    let mut pager = Pager::new(first.clone());
    let mut request = nrps::members(&first, &filter);
    let mut all = Vec::new();
    for _ in 0..PAGES {
        let url = request.url.clone();
        let response = call(app, registration, &scopes, request).await?;
        all.extend(nrps::parse(&response, &url, app.clock.now())?.members);
        match nrps::next_page(&mut pager, &response, &filter)? {
            Some(next) => request = next,
            None => return Ok(all),
        }
    }
    Err(PagingError::TooMany { limit: PAGES }.into())
}

/// The pages of a list, one after the other.
async fn pages<T>(
    app: &App,
    registration: &Registration,
    scopes: &BTreeSet<String>,
    mut request: Request,
    parse: impl Fn(&Response, DateTime<Utc>) -> Result<Vec<T>, ServiceError>,
) -> Result<Vec<T>, ServiceCallError> {
    let mut pager = Pager::new(request.url.clone());
    let mut all = Vec::new();
    for _ in 0..PAGES {
        let mut next = request.clone();
        let response = call(app, registration, scopes, request).await?;
        all.extend(parse(&response, app.clock.now())?);
        match pager.next(&response)? {
            Some(url) => next.url = url,
            None => return Ok(all),
        }
        request = next;
    }
    Err(PagingError::TooMany { limit: PAGES }.into())
}

/// The columns of the context that we may see.
pub async fn line_items(
    app: &App,
    registration: &Registration,
    offered: &Offered,
    filter: &LineItemFilter<'_>,
) -> Result<Vec<LineItem>, ServiceCallError> {
    let container = address(offered.line_items.as_deref())?;
    let scopes = intersect([scope::LINE_ITEM_READ], &offered.grade_scopes());
    let request = ags::line_items(&container, filter);
    pages(app, registration, &scopes, request, ags::parse_line_items).await
}

/// Makes a column; the answer has its address.
pub async fn create_line_item(
    app: &App,
    registration: &Registration,
    offered: &Offered,
    item: &LineItem,
) -> Result<LineItem, ServiceCallError> {
    let container = address(offered.line_items.as_deref())?;
    let scopes = intersect([scope::LINE_ITEM], &offered.grade_scopes());
    let request = ags::create_line_item(&container, item);
    let response = call(app, registration, &scopes, request).await?;
    Ok(ags::parse_line_item(&response, app.clock.now())?)
}

/// Replaces a column: send what was read, changed.
pub async fn update_line_item(
    app: &App,
    registration: &Registration,
    offered: &Offered,
    line_item: &Url,
    item: &LineItem,
) -> Result<LineItem, ServiceCallError> {
    let scopes = intersect([scope::LINE_ITEM], &offered.grade_scopes());
    let request = ags::update_line_item(line_item, item);
    let response = call(app, registration, &scopes, request).await?;
    Ok(ags::parse_line_item(&response, app.clock.now())?)
}

/// Deletes a column with its grades: only ever one that we made.
pub async fn delete_line_item(
    app: &App,
    registration: &Registration,
    offered: &Offered,
    line_item: &Url,
) -> Result<(), ServiceCallError> {
    let scopes = intersect([scope::LINE_ITEM], &offered.grade_scopes());
    let request = ags::delete_line_item(line_item);
    let response = call(app, registration, &scopes, request).await?;
    Ok(service::check(&response, app.clock.now())?)
}

/// The grades of a column as the platform has them.
pub async fn results(
    app: &App,
    registration: &Registration,
    offered: &Offered,
    line_item: &Url,
) -> Result<Vec<PlatformResult>, ServiceCallError> {
    let scopes = intersect([scope::RESULT_READ], &offered.grade_scopes());
    let request = ags::results(line_item, None);
    pages(app, registration, &scopes, request, ags::parse_results).await
}

/// The groups of the context.
pub async fn groups(
    app: &App,
    registration: &Registration,
    offered: &Offered,
) -> Result<Vec<Group>, ServiceCallError> {
    let url = address(offered.groups_url.as_deref())?;
    let scopes = intersect([scope::GROUP_READ], &offered.group_scopes());
    let request = groups::groups(&url, None);
    pages(app, registration, &scopes, request, groups::parse_groups).await
}
