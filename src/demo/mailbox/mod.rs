//! A mailbox for the demo and the tests: a real SMTP receiver and pages that show every
//! mail it took. Everything is kept in memory, the newest thousand.

mod faults;
mod pages;
mod parts;
mod smtp;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;

pub use self::faults::MailFaults;
use super::campus::views::{TemplateError, Views};

/// Mails kept; older ones are forgotten.
const KEPT: usize = 1_000;
/// Conversations at the same time.
const CONNECTIONS: usize = 64;

/// Where the mailbox reads the time.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// A mail as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Counts from 1.
    pub id: u64,
    /// Reverse path of the envelope; empty for `<>`.
    pub envelope_from: String,
    /// Recipients accepted in this transaction.
    pub recipients: Vec<String>,
    /// The message without dot-stuffing, lines ended by CRLF.
    pub raw: Bytes,
    pub received_at: DateTime<Utc>,
}

/// Why the mailbox could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {source}")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error("the pages of the demo cannot be read: {0}")]
    Templates(#[from] TemplateError),
}

struct Inner {
    mails: Mutex<VecDeque<Received>>,
    faults: Mutex<MailFaults>,
    /// Mails received so far; waiters watch it.
    count: watch::Sender<u64>,
    clock: Clock,
    views: Views,
}

/// A running mailbox; clones share it.
#[derive(Clone)]
pub struct Mailbox {
    /// Where it speaks SMTP.
    pub smtp_address: SocketAddr,
    inner: Arc<Inner>,
}

/// Starts the receiver on `bind` (port 0 takes a free one). It stops when `shutdown`
/// resolves.
pub async fn start(
    bind: SocketAddr,
    clock: Clock,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Mailbox, StartError> {
    let bound = |source| StartError::Bind { address: bind, source };
    let listener = TcpListener::bind(bind).await.map_err(bound)?;
    let smtp_address = listener.local_addr().map_err(bound)?;
    let inner = Arc::new(Inner {
        mails: Mutex::new(VecDeque::new()),
        faults: Mutex::new(MailFaults::default()),
        count: watch::Sender::new(0),
        clock,
        views: Views::load()?,
    });
    let mailbox = Mailbox { smtp_address, inner };
    let stop = CancellationToken::new();
    tokio::spawn({
        let stop = stop.clone();
        async move {
            shutdown.await;
            stop.cancel();
        }
    });
    tokio::spawn(smtp::listen(mailbox.clone(), listener, CONNECTIONS, stop));
    Ok(mailbox)
}

impl Mailbox {
    /// Every mail kept, oldest first.
    pub fn messages(&self) -> Vec<Received> {
        self.mails().iter().cloned().collect()
    }

    /// One mail by its id.
    pub fn message(&self, id: u64) -> Option<Received> {
        self.mails().iter().find(|mail| mail.id == id).cloned()
    }

    /// The first mail that satisfies the predicate, those already here included. `None`
    /// when none came within the time.
    pub async fn wait_for(
        &self,
        mut wanted: impl FnMut(&Received) -> bool,
        within: Duration,
    ) -> Option<Received> {
        let mut count = self.inner.count.subscribe();
        let search = async {
            let mut seen = 0;
            loop {
                let fresh: Vec<Received> =
                    self.mails().iter().filter(|mail| mail.id > seen).cloned().collect();
                if let Some(found) = fresh.iter().find(|mail| wanted(mail)) {
                    return Some(found.clone());
                }
                seen = fresh.last().map_or(seen, |mail| mail.id);
                count.changed().await.ok()?;
            }
        };
        tokio::time::timeout(within, search).await.ok().flatten()
    }

    /// Changes how the receiver misbehaves.
    pub fn misbehave(&self, change: impl FnOnce(&mut MailFaults)) {
        change(&mut self.faults());
    }

    /// Forgets every mail.
    pub fn clear(&self) {
        self.mails().clear();
    }

    /// The pages, under `/mailbox`.
    pub fn routes(&self) -> Router {
        pages::router(self.clone())
    }

    /// A poisoned lock is taken over: a demo keeps running after a failed request.
    fn mails(&self) -> MutexGuard<'_, VecDeque<Received>> {
        self.inner.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, MailFaults> {
        self.inner.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, envelope_from: String, recipients: Vec<String>, raw: Vec<u8>) -> u64 {
        let mut mails = self.mails();
        let id = *self.inner.count.borrow() + 1;
        if mails.len() >= KEPT {
            mails.pop_front();
        }
        mails.push_back(Received {
            id,
            envelope_from,
            recipients,
            raw: raw.into(),
            received_at: (self.inner.clock)(),
        });
        // Still under the lock: ids stay unique and waiters never miss one.
        self.inner.count.send_replace(id);
        id
    }
}
