//! The gradebook's column of a link, where the platform tells of none: found, or made, once.

use chrono::{DateTime, TimeDelta, Utc};
use lti::ags::{LineItem, LineItemFilter};
use lti::claims::AgsEndpoint;
use lti::token::{intersect, scope};
use serde::{Deserialize, Serialize};

use super::grades::SendScore;
use super::outbox::store as outbox;
use crate::app::App;
use crate::courses;
use crate::db::{self, Tx};
use crate::ids::ResourceLinkId;
use crate::jobs::{self, Failure, Job};
use crate::platforms::services::{self, ColumnState, Link, Offered, ServiceCallError};
use crate::platforms::{self, Registration};
use crate::tenants;

/// Our word for columns that hold a course's score.
const TAG: &str = "passerelle";
const MAXIMUM: f64 = 100.0;
/// A platform that is down for that long will not have a column.
const GIVE_UP: TimeDelta = TimeDelta::days(5);

/// Where the scores of a launch go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    At(String),
    /// It is being looked for.
    Wanted,
    Nowhere,
}

/// The column of a learner's launch. Where the platform tells of none and lets us look, somebody
/// looks from now on: one job a link, however many launches come at once.
pub async fn of_launch(
    tx: &mut Tx,
    link: ResourceLinkId,
    offer: Option<&AgsEndpoint>,
    now: DateTime<Utc>,
) -> db::Result<Column> {
    let Some(offer) = offer else { return Ok(Column::Nowhere) };
    let granted = |wanted| !intersect([wanted], &offer.scopes).is_empty();
    if !granted(scope::SCORE) {
        return Ok(Column::Nowhere);
    }
    if let Some(line_item) = &offer.line_item {
        return Ok(Column::At(line_item.to_string()));
    }
    if offer.line_items.is_none() || !granted(scope::LINE_ITEM_READ) {
        return Ok(Column::Nowhere);
    }
    if services::want_column(tx, link, now).await? {
        look(tx, link, now).await?;
        return Ok(Column::Wanted);
    }
    let known = services::of_link(tx, link).await?;
    Ok(match known.map(|known| (known.column_state, known.column_url)) {
        Some((ColumnState::There, Some(url))) => Column::At(url),
        Some((ColumnState::Wanted, _)) => Column::Wanted,
        _ => Column::Nowhere,
    })
}

/// After a refusal, for the trainer who asks for it.
pub(super) async fn look_again(
    tx: &mut Tx,
    link: ResourceLinkId,
    now: DateTime<Utc>,
) -> db::Result<()> {
    if services::want_column_again(tx, link, now).await? {
        look(tx, link, now).await?;
    }
    Ok(())
}

async fn look(tx: &mut Tx, link: ResourceLinkId, now: DateTime<Utc>) -> db::Result<()> {
    jobs::enqueue(tx, &FindColumn { link, since: now }, now, now, None).await
}

#[derive(Debug, Serialize, Deserialize)]
pub struct FindColumn {
    pub link: ResourceLinkId,
    pub since: DateTime<Utc>,
}

impl Job for FindColumn {
    const KIND: &'static str = "find-column";
}

/// What is needed to look.
struct Search {
    link: Link,
    registration: Registration,
    offered: Offered,
    /// The column as we would make it.
    ours: LineItem,
}

impl FindColumn {
    pub async fn run(self, app: &App, attempt: i64) -> Result<(), Failure> {
        let retry = |error: db::Error| Failure::backoff(attempt, error);
        let mut tx = app.db.read().await.map_err(retry)?;
        let search = self.search(&mut tx).await.map_err(retry)?;
        drop(tx);
        let Some(search) = search else {
            let detail = "the link opens no course any more";
            return self.settle(app, ColumnState::Refused, None, Some(detail)).await;
        };
        if search.offered.column_state != ColumnState::Wanted {
            return Ok(());
        }
        match search.find_or_make(app).await {
            Ok(url) => self.settle(app, ColumnState::There, Some(url), None).await,
            Err(error) if error.is_temporary() && app.clock.now() - self.since < GIVE_UP => {
                match error.retry_after() {
                    Some(after) => {
                        let after = after.max(TimeDelta::seconds(30));
                        Err(Failure::Retry { after, reason: error.to_string() })
                    }
                    None => Err(Failure::backoff(attempt, error)),
                }
            }
            Err(error) => {
                let detail = error.to_string();
                self.settle(app, ColumnState::Refused, None, Some(&detail)).await
            }
        }
    }

    async fn search(&self, tx: &mut Tx) -> db::Result<Option<Search>> {
        let Some(offered) = services::of_link(tx, self.link).await? else { return Ok(None) };
        let Some(link) = services::link(tx, self.link).await? else { return Ok(None) };
        let registration = platforms::find(tx, link.registration_id).await?;
        let (Some(course), Some(registration)) = (link.course_id, registration) else {
            return Ok(None);
        };
        let Some(course) = courses::find(tx, course).await? else { return Ok(None) };
        let versions = courses::versions(tx, course.id).await?;
        let tenant = tenants::find(tx, registration.tenant_id).await?;
        let title = courses::choose(&versions, tenant.language).map(|found| found.title.clone());
        let ours = LineItem {
            label: title.unwrap_or_else(|| course.slug.clone()),
            score_maximum: MAXIMUM,
            resource_id: Some(format!("course/{}", course.slug)),
            tag: Some(TAG.to_owned()),
            resource_link_id: Some(link.lms_id.clone()),
            ..LineItem::default()
        };
        Ok(Some(Search { link, registration, offered, ours }))
    }

    /// Writes what came of it; scores that waited for the column go out.
    async fn settle(
        &self,
        app: &App,
        state: ColumnState,
        url: Option<String>,
        detail: Option<&str>,
    ) -> Result<(), Failure> {
        let now = app.clock.now();
        let settled = async {
            let mut tx = app.db.write().await?;
            if let Some(url) = &url {
                for score in outbox::aim_waiting(&mut tx, self.link, url).await? {
                    jobs::enqueue(&mut tx, &SendScore { score }, now, now, None).await?;
                }
            }
            let detail = detail.map(str::to_owned);
            services::settle_column(&mut tx, self.link, state, url, detail, now).await?;
            tx.commit().await
        };
        settled.await.map_err(|error| Failure::backoff(1, error))
    }
}

impl Search {
    /// A run that was cut short before it wrote down what it made finds it here.
    async fn find_or_make(&self, app: &App) -> Result<String, ServiceCallError> {
        let link = Some(self.link.lms_id.as_str());
        let filter = LineItemFilter { resource_link_id: link, ..LineItemFilter::default() };
        let all = services::line_items(app, &self.registration, &self.offered, &filter).await?;
        // Not every platform filters what it was asked to.
        let mut of_link: Vec<&LineItem> =
            all.iter().filter(|item| item.resource_link_id.as_deref() == link).collect();
        let is_ours = |item: &&LineItem| {
            item.resource_id == self.ours.resource_id && item.tag == self.ours.tag
        };
        let ours = of_link.iter().copied().find(is_ours);
        // The link's only column is the link's, whoever made it.
        let only = if of_link.len() == 1 { of_link.pop() } else { None };
        let item = match ours.or(only) {
            Some(found) => found.clone(),
            None => {
                let (registration, offered) = (&self.registration, &self.offered);
                services::create_line_item(app, registration, offered, &self.ours).await?
            }
        };
        match item.id {
            Some(url) if self.registration.owns(&url) => Ok(url.to_string()),
            Some(url) => {
                let host = url.host_str().unwrap_or_default().to_owned();
                Err(ServiceCallError::ElsewhereHost { host })
            }
            None => Err(ServiceCallError::NotOffered),
        }
    }
}
