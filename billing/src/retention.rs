//! Deletes what is older than it is to be kept, once in an hour.

use std::time::Duration;

use crate::operations::Billing;

/// How often.
const EVERY: Duration = Duration::from_secs(3600);
/// For how many days ended requests may be kept.
pub(crate) const DAYS: std::ops::RangeInclusive<i64> = 1..=36_500;

/// Runs until it is dropped.
pub(crate) async fn run(billing: Billing) {
    loop {
        if let Err(why) = billing.delete_old().await {
            tracing::error!("what is old cannot be deleted: {why}");
        }
        if let Err(why) = billing.delete_old_imports().await {
            tracing::error!("old imports cannot be deleted: {why}");
        }
        tokio::time::sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use intercom_test_support::Database;
    use serde_json::{Value, json};

    use super::*;
    use crate::audit::Actor;
    use crate::host::tests::Clock;
    use crate::operations::AuditQuery;
    use crate::store::Store;
    use crate::store::audit::Filter;
    use crate::store::macs::Believed;

    const DAY: i64 = 24 * 3_600_000;

    async fn billing() -> (Billing, Arc<Clock>, Database) {
        let database = Database::new();
        let clock = Arc::new(Clock(AtomicI64::new(1_800_000_000_000)));
        let store = Store::open_on(&database, clock.clone()).expect("a store");
        let billing = Billing::start(store, 0, Believed::FirstSight, None).await.expect("billing");
        (billing, clock, database)
    }

    /// Asks for this MAC address, which supersedes what was asked for before.
    async fn ask(billing: &Billing, id: i64, new_mac: &str) {
        let body = json!({"id": id, "new_mac": new_mac, "model": "M", "group_id": 1});
        billing
            .patch(body.as_object().expect("an object").clone(), Actor::CommandLine)
            .await
            .expect("a request");
    }

    async fn left(billing: &Billing) -> Vec<(i64, Value)> {
        let all = billing.history(None, 5_000).await.expect("the requests").into_iter();
        all.map(|entry| (entry.intercom_id, json!(entry.to.mac))).collect()
    }

    #[tokio::test]
    async fn ended_requests_are_kept_for_as_long_as_is_said_and_the_newest_ones_longer() {
        let (billing, clock, _dir) = billing().await;
        for mac in ["02:00:00:00:00:01", "02:00:00:00:00:02"] {
            let body = json!({"mac": mac});
            billing
                .create(body.as_object().expect("an object"), Actor::CommandLine)
                .await
                .expect("an intercom");
        }
        // More than one batch.
        for number in 0..1_200 {
            ask(&billing, 1, &format!("06:00:00:00:{:02X}:{:02X}", number / 256, number % 256))
                .await;
        }
        ask(&billing, 2, "06:00:00:02:00:01").await;
        billing
            .delete(crate::store::intercoms::Name::Id(2), Actor::CommandLine)
            .await
            .expect("deleted");
        assert_eq!(billing.retention_days().await.expect("a number"), 90);
        clock.0.fetch_add(90 * DAY, Ordering::Relaxed);
        billing.delete_old().await.expect("deleted");
        assert_eq!(left(&billing).await.len(), 1_201, "not yet");
        clock.0.fetch_add(1, Ordering::Relaxed);
        billing.delete_old().await.expect("deleted");
        let newest = [(2, json!("06:00:00:02:00:01")), (1, json!("06:00:00:00:04:AF"))];
        assert_eq!(left(&billing).await, newest);

        billing.set_retention_days(1, Actor::CommandLine).await.expect("set");
        ask(&billing, 1, "06:00:00:01:00:01").await;
        clock.0.fetch_add(DAY + 1, Ordering::Relaxed);
        billing.delete_old().await.expect("deleted");
        let newest = [(1, json!("06:00:00:01:00:01")), (2, json!("06:00:00:02:00:01"))];
        assert_eq!(left(&billing).await, newest);
    }

    #[tokio::test]
    async fn the_audit_log_is_kept_at_least_a_year_whatever_is_said_of_requests() {
        let (billing, clock, _dir) = billing().await;
        billing.set_retention_days(1, Actor::CommandLine).await.expect("set");
        let query = || AuditQuery { filter: Filter::default(), cursor: None, limit: 10 };
        let told = async || billing.audit(query()).await.expect("the log").entries.len();
        for (later, expected) in [(365 * DAY, 1), (1, 0)] {
            clock.0.fetch_add(later, Ordering::Relaxed);
            billing.delete_old().await.expect("deleted");
            assert_eq!(told().await, expected);
        }
        billing.set_retention_days(400, Actor::CommandLine).await.expect("set");
        for (later, expected) in [(400 * DAY, 1), (1, 0)] {
            clock.0.fetch_add(later, Ordering::Relaxed);
            billing.delete_old().await.expect("deleted");
            assert_eq!(told().await, expected);
        }
    }

    #[tokio::test]
    async fn imports_are_kept_as_long_as_ended_requests_but_for_one_that_is_running() {
        let (billing, clock, _dir) = billing().await;
        let body = json!({"mac": "02:00:00:00:00:01", "model": "M"});
        let body = body.as_object().expect("an object");
        billing.create(body, Actor::CommandLine).await.expect("an intercom");
        let text = "mac,new_mac,group_id\n02:00:00:00:00:01,06:00:00:00:00:01,1\n";
        let file = || intercom_import::read(text).expect("a file");
        for _ in 0..2 {
            billing.add_import(file(), Actor::CommandLine).await.expect("an import");
        }
        billing.run_import(2, Actor::CommandLine).await.expect("it is running");
        let left = async || {
            billing.delete_old_imports().await.expect("deleted");
            let page = billing.imports(None, 10).await.expect("a page");
            page.imports.into_iter().map(|import| import.id).collect::<Vec<_>>()
        };
        clock.0.fetch_add(90 * DAY, Ordering::Relaxed);
        assert_eq!(left().await, [2, 1]);
        clock.0.fetch_add(1, Ordering::Relaxed);
        assert_eq!(left().await, [2]);
    }
}
