//! Serving both origins and running jobs, until told to stop.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::{cleaning, jobs, router};

/// What is under way when the process is told to stop has this long to finish.
const GRACE: Duration = Duration::from_secs(20);

/// Serves pages and content and works on jobs until `stop`; then finishes what is under way.
pub async fn run(
    app: App,
    pages: TcpListener,
    content: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let worker = tokio::spawn(jobs::work(
        app.db.clone(),
        app.clock.clone(),
        app.wake.clone(),
        app.config.workers,
        app.clone(),
        stop.clone(),
    ));
    tokio::spawn(cleaning::run(app.clone(), stop.clone()));
    let serve = |listener: TcpListener, router: axum::Router| {
        let stop = stop.clone();
        async move {
            let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
            axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await
        }
    };
    let served = async {
        tokio::try_join!(
            serve(pages, router::pages(app.clone())),
            serve(content, router::content(app.clone())),
        )
    };
    let limit = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let ended = tokio::select! {
        ended = served => ended.map(|_| ()),
        () = limit => Ok(()),
    };
    stop.cancel();
    if tokio::time::timeout(GRACE, worker).await.is_err() {
        tracing::warn!("jobs were still running; their leases run out and others take over");
    }
    ended
}

/// Serves `/metrics` until `stop`, where the configuration names an address for it. A service that
/// cannot be watched still serves.
pub async fn monitor(app: App, stop: CancellationToken) {
    let Some(address) = app.config.metrics_bind else { return };
    let served = async {
        let listener = TcpListener::bind(address).await?;
        axum::serve(listener, router::monitoring(app).into_make_service())
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
    };
    if let Err(error) = served.await {
        tracing::warn!(%address, %error, "metrics are not served");
    }
}

/// Resolves at Ctrl-C or SIGTERM.
pub async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    let mut terminate =
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(signal) => signal,
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be heard");
                drop(interrupt.await);
                return;
            }
        };
    tokio::select! {
        _ = interrupt => {}
        _ = terminate.recv() => {}
    }
}
