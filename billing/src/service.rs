//! The service as a whole: started, running, stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use intercom_wire::signature::SigningKey;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::audit::Actor;
use crate::credentials::CredentialKey;
use crate::http::{Hosts, Work, router, serve};
use crate::leader::lead;
use crate::lock::Lock;
use crate::mqtt::link::{Choice, Link};
use crate::operations::Billing;
use crate::principal::Secret;
use crate::store::macs::Believed;
use crate::store::{GivenBack, Lease, Location, Store, tokens};
use crate::tls;
use crate::webhooks::Sender;

/// The settings of a service. Port 0 means any free port.
#[derive(Clone)]
pub struct Settings {
    /// Where HTTP is served.
    pub listen: SocketAddr,
    /// The database. A file is made if it is not there.
    pub database: Location,
    /// How HTTP is served by TLS; `None`: it is not.
    pub tls: Option<Arc<tls::Server>>,
    /// Which broker the panels speak to.
    pub broker: Choice,
    /// The names that HTTP callers may call this service by, besides its address and `localhost`.
    pub hosts: Vec<String>,
    /// Whether others than this machine may call although no token has been made.
    pub open: bool,
    /// How long the board with `new_mac` has to show up before the board that the record names is
    /// offered a request.
    pub grace: Duration,
    /// Whose claims of a MAC address count.
    pub boards: Believed,
    /// The key that requests are signed with, if there is one.
    pub signing_key: Option<SigningKey>,
    /// The key that `onvif_credentials` are kept under. Without one they are not kept.
    pub credential_key: Option<CredentialKey>,
}

/// A running service; it ends when this is dropped.
pub struct Service {
    /// Where HTTP is served.
    pub http: SocketAddr,
    /// Where the built-in broker listens; `None` with another broker.
    pub mqtt: Option<SocketAddr>,
    /// Whether reports arrive over MQTT now.
    pub up: watch::Receiver<bool>,
    /// The first operator's token, where this start has made it: whoever started the service needs it,
    /// and only its digest is kept.
    pub first_token: Option<Secret>,
    tasks: JoinSet<()>,
    /// Of the lease to lead, where there is one.
    given_back: Option<GivenBack>,
    _lock: Option<Lock>,
}

impl Service {
    /// Starts the service. HTTP is served when this returns; see [`Service::broker_is_up`] for the
    /// broker. Where others than this machine could call without a token, the first one is made.
    ///
    /// # Errors
    /// The database cannot be used or is another service's, or a port is not free.
    pub async fn start(settings: Settings) -> Result<Self> {
        let Settings { listen, tls, database, broker, hosts, open, grace, boards, .. } = settings;
        let Settings { signing_key, credential_key, .. } = settings;
        let cannot_use = || format!("cannot use the database {database}");
        let lock = database.file().map(Lock::take).transpose().with_context(cannot_use)?;
        let store = Store::open(database.clone()).with_context(cannot_use)?;
        let grace_ms = i64::try_from(grace.as_millis()).context("the grace time is too long")?;
        let is_exposed = match &broker {
            Choice::BuiltIn(mqtt) => is_exposed(listen) || is_exposed(*mqtt),
            Choice::External(_) => is_exposed(listen),
        };
        let needs_token = !open && is_exposed && !store.read(tokens::any).await?;
        let mut billing = Billing::start(store, grace_ms, boards, signing_key).await?;
        match credential_key {
            Some(key) => billing = billing.with_credential_key(key).await?,
            None => tracing::info!("onvif_credentials are not kept: there is no --credentials-key"),
        }
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen} (HTTP)"))?;
        let http = listener.local_addr()?;
        let link = Link::new(&billing, broker).await?;
        let (mqtt, up) = (link.listens_on(), link.up());
        // Last of what can fail: nobody would learn of a token that a failed start has made.
        let first_token = match needs_token {
            true => billing.add_first_token("the first start".to_owned(), Actor::Service).await?,
            false => None,
        };
        let mut tasks = JoinSet::new();
        let (lease, given_back) = billing.store.lease()?.unzip();
        let standing = lease.as_ref().map(Lease::standing);
        tasks.spawn(lead(billing.clone(), link, lease));
        tasks.spawn(Sender::new(&billing)?.run());
        let hosts = Hosts { listen: listen.ip(), names: hosts };
        tasks.spawn(serve(
            listener,
            tls,
            router(billing, Work { up: up.clone(), standing }, hosts),
        ));
        Ok(Service { http, mqtt, up, first_token, tasks, given_back, _lock: lock })
    }

    /// Returns when reports can arrive over MQTT.
    ///
    /// # Errors
    /// The service has ended.
    pub async fn broker_is_up(&mut self) -> Result<()> {
        self.up.wait_for(|up| *up).await.context("the service has ended")?;
        Ok(())
    }

    /// Ends the service. Everything that was answered or acknowledged is in the database, and another
    /// process may lead at once.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        if let Some(given_back) = self.given_back {
            given_back.wait().await;
        }
    }
}

/// Whether others than this machine reach an address.
fn is_exposed(listen: SocketAddr) -> bool {
    !listen.ip().to_canonical().is_loopback()
}
