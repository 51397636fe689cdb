//! What was committed since the start, counted. Nothing here grows with the number of intercoms.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Something that is counted once it is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// A request was queued.
    Asked,
    /// A request has ended, in the state of this name.
    Ended(String),
    /// A board was offered a request.
    Offered,
    /// A report was read that changed something.
    Report,
    /// A report was read that changed nothing.
    IgnoredReport,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ending {
    outcome: String,
}

/// The counters. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Counters {
    asked: Counter,
    ended: Family<Ending, Counter>,
    offered: Counter,
    reports: Counter,
    ignored_reports: Counter,
}

impl Counters {
    /// All at zero, so that the first of a kind is an increase.
    pub(super) fn new() -> Self {
        let ended = Family::default();
        for outcome in [
            "installed",
            "rejected",
            "rolled_back",
            "failed",
            "superseded",
            "withdrawn",
            "cancelled",
        ] {
            let _ = ended.get_or_create(&Ending { outcome: outcome.to_owned() });
        }
        Counters {
            asked: Counter::default(),
            ended,
            offered: Counter::default(),
            reports: Counter::default(),
            ignored_reports: Counter::default(),
        }
    }

    pub(super) fn add(&self, counted: impl IntoIterator<Item = Counted>) {
        for counted in counted {
            match counted {
                Counted::Asked => self.asked.inc(),
                Counted::Ended(outcome) => self.ended.get_or_create(&Ending { outcome }).inc(),
                Counted::Offered => self.offered.inc(),
                Counted::Report => self.reports.inc(),
                Counted::IgnoredReport => self.ignored_reports.inc(),
            };
        }
    }

    /// Shows them in a registry.
    pub fn register(&self, registry: &mut Registry) {
        let mut counter =
            |name, help, counter: &Counter| registry.register(name, help, counter.clone());
        counter("requests_asked", "Requests that were queued", &self.asked);
        counter("offers", "Requests that were offered to a board", &self.offered);
        counter("reports", "Reports that changed something", &self.reports);
        counter("reports_ignored", "Reports that changed nothing", &self.ignored_reports);
        registry.register("requests_ended", "Requests that have ended", self.ended.clone());
    }
}
