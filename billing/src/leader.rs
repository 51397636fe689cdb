//! What one process does for all that share a database: it speaks to the broker, runs imports and deletes
//! what is old. With a file there is only one.

use std::time::Duration;

use tokio::time::sleep;

use crate::mqtt::link::Link;
use crate::operations::Billing;
use crate::retention;
use crate::store::Lease;

/// The pause after the database has failed.
const PAUSE: Duration = Duration::from_millis(500);

/// Does it for as long as this process leads, again and again.
pub(crate) async fn lead(billing: Billing, link: Link, lease: Option<Lease>) {
    let Some(mut lease) = lease else { return work(&billing, &link).await };
    loop {
        let lead = tokio::select! {
            lead = lease.won() => lead,
            () = forget(&billing) => continue,
        };
        tracing::info!("this process leads, epoch {}", lead.epoch());
        let led = billing.led(&lead);
        tokio::select! {
            // Whoever leads next has the broker's session to itself.
            biased;
            () = lead.ended() => tracing::warn!("this process leads no more, epoch {}", lead.epoch()),
            () = begin(&led, &link) => {}
        }
    }
}

/// The boards that were connected have some time to show themselves to this process.
async fn begin(billing: &Billing, link: &Link) {
    while let Err(why) = billing.on_connect().await {
        tracing::error!("this process cannot begin to lead: {why}");
        sleep(PAUSE).await;
    }
    work(billing, link).await;
}

async fn work(billing: &Billing, link: &Link) {
    tokio::join!(link.run(billing), retention::run(billing.clone()), billing.clone().run_imports());
}

/// What has changed is nothing to a process that does not lead: whoever begins to lead looks at every
/// open request.
async fn forget(billing: &Billing) {
    loop {
        billing.store.changes().wait().await;
        billing.store.changes().take();
    }
}
