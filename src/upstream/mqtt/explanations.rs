//! What looks at the broker have found out, so that the same failure is not looked into each time. Each
//! look is a connection more, and a broker that refuses may be one that has too many: two thousand panels that
//! looked at every failure brought three nodes down for good.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Service, attempt};
use crate::agent::seams::ConnectIdentity;
use crate::upstream::cause::Cause;

/// How long an explanation stands.
const STANDS: Duration = Duration::from_secs(15 * 60);

struct Explanation {
    /// Which of the broker's URLs.
    broker: usize,
    until: Instant,
    why: Arc<Cause>,
}

/// The explanations since the broker was reached.
#[derive(Default)]
pub(super) struct Explanations(Vec<Explanation>);

impl Explanations {
    /// Why an attempt has failed, as well as it is known.
    pub(super) async fn explain(
        &mut self,
        service: &Service,
        connect_as: &ConnectIdentity,
        why: Cause,
    ) -> Arc<Cause> {
        if !attempt::leaves_open(&why) {
            return Arc::new(why);
        }
        let now = Instant::now();
        let broker = service.turn.broker % service.settings.brokers.all().len();
        self.0.retain(|known| now < known.until);
        if let Some(known) = self.0.iter().find(|known| known.broker == broker) {
            return Arc::clone(&known.why);
        }
        let why = Arc::new(attempt::explained(service, connect_as, why).await);
        self.0.push(Explanation { broker, until: now + STANDS, why: Arc::clone(&why) });
        why
    }

    /// The broker was reached: what is refused after that may have another cause.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
