//! What is planned for which change, and what of it is published.

use intercom_wire::{Presence, PresenceState};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::*;
use crate::operations::Refusal;
use crate::store::Store;
use crate::store::intercoms::Name;

fn plan_of(wanted: &[(&str, &str)], obsolete: &[&str]) -> Plan {
    Plan {
        wanted: wanted
            .iter()
            .map(|(topic, payload)| ((*topic).to_owned(), payload.as_bytes().to_vec()))
            .collect(),
        obsolete: obsolete.iter().map(|topic| (*topic).to_owned()).collect(),
        due: Vec::new(),
    }
}

fn queued(published: &mut Published) -> Vec<(String, String)> {
    let text = |payload: Vec<u8>| String::from_utf8(payload).expect("text");
    published.queue.drain(..).map(|m| (m.topic, text(m.payload))).collect()
}

/// A service with the intercoms 1 and 2, each with a pending request for the MAC address
/// 06:00:00:00:00:01 or :02, and nothing to wake it.
fn two_pending(dir: &TempDir, runtime: &Runtime, grace_ms: i64) -> Billing {
    let store = Store::open(&dir.path().join("billing.sqlite")).expect("a store");
    let call = async {
        let billing = Billing::start(store, grace_ms, None).await?;
        for number in [1, 2] {
            let old = format!("02:00:00:00:00:0{number}");
            let new = format!("06:00:00:00:00:0{number}");
            billing.create(json!({"mac": old}).as_object().expect("an object")).await?;
            let patch = json!({"id": number, "new_mac": new, "model": "M", "group_id": 1});
            billing.patch(patch.as_object().expect("an object").clone()).await?;
        }
        Ok::<_, Refusal>(billing)
    };
    let billing = runtime.block_on(call).expect("two requests");
    billing.store.changes().take();
    billing
}

/// The MAC addresses or boards that messages are for: to be published, and to be cleared.
fn planned(runtime: &Runtime, billing: &Billing) -> (Vec<String>, Vec<String>) {
    let plan = runtime.block_on(plan(billing, billing.store.changes().take())).expect("a plan");
    let whose = |topic: &String| {
        let topic = topic.strip_prefix("intercoms/").and_then(|rest| rest.split_once("/patch/"));
        topic.expect("a request's topic").0.to_owned()
    };
    (plan.wanted.keys().map(whose).collect(), plan.obsolete.iter().map(whose).collect())
}

fn presence(board: &str, state: PresenceState) -> Option<Presence> {
    Some(Presence::of(board.parse().expect("a board"), state))
}

const NEW_1: &str = "06:00:00:00:00:01";
const OLD_1: &str = "02:00:00:00:00:01";

#[test]
fn only_requests_that_something_has_changed_for_are_planned() {
    let (dir, runtime) = (TempDir::new().expect("a directory"), Runtime::new().expect("one"));
    let billing = two_pending(&dir, &runtime, 3_600_000);
    let planned = || planned(&runtime, &billing);
    assert_eq!(planned(), (vec![], vec![]), "nothing has changed");
    let new_1 = NEW_1.parse().expect("a MAC");
    let comes = billing.on_presence(new_1, presence("die-9", PresenceState::Online));
    runtime.block_on(comes).expect("a presence");
    assert_eq!(planned(), (vec![NEW_1.to_owned(), "by-board/die-9".to_owned()], vec![]));
    let again = billing.on_presence(new_1, presence("die-9", PresenceState::Online));
    runtime.block_on(again).expect("a presence");
    assert_eq!(planned(), (vec![], vec![]), "no news");
    let elsewhere = "06:00:00:00:00:77".parse().expect("a MAC");
    let moves = billing.on_presence(elsewhere, presence("die-9", PresenceState::Online));
    runtime.block_on(moves).expect("a presence");
    assert_eq!(planned(), (vec![NEW_1.to_owned()], vec!["by-board/die-9".to_owned()]));
    runtime.block_on(billing.delete(Name::Id(1))).expect("deleted");
    let both = vec![NEW_1.to_owned(), "by-board/die-9".to_owned()];
    assert_eq!(planned(), (vec![], both), "until its clearing is acknowledged");
}

#[test]
fn a_superseded_request_is_cleared_and_its_successor_published() {
    let (dir, runtime) = (TempDir::new().expect("a directory"), Runtime::new().expect("one"));
    let billing = two_pending(&dir, &runtime, 0);
    let open = billing.store.read(offers::every_open_request);
    let open = runtime.block_on(open).expect("two requests");
    let all = open.into_iter().map(Changed::Request).collect();
    runtime.block_on(plan(&billing, all)).expect("a plan");
    let patch = json!({"id": 1, "new_mac": "06:00:00:00:00:99", "model": "M", "group_id": 1});
    let patched = billing.patch(patch.as_object().expect("an object").clone());
    runtime.block_on(patched).expect("another request");
    let wanted = [OLD_1, "06:00:00:00:00:99"].map(str::to_owned).to_vec();
    let obsolete = [OLD_1, NEW_1].map(str::to_owned).to_vec();
    assert_eq!(planned(&runtime, &billing), (wanted, obsolete));
}

#[test]
fn only_what_differs_is_published() {
    let mut published = Published::default();
    published.set_plan(plan_of(&[("a", "1")], &["left over"]));
    assert_eq!(
        queued(&mut published),
        [("a".into(), "1".into()), ("left over".into(), String::new())]
    );
    published.set_plan(plan_of(&[("a", "1")], &["left over"]));
    assert_eq!(queued(&mut published), []);
    published.set_plan(plan_of(&[("a", "2")], &[]));
    assert_eq!(queued(&mut published), [("a".into(), "2".into())]);
}

#[test]
fn a_topic_that_is_wanted_again_before_its_clearing_was_acknowledged_stays_written_down() {
    let mut published = Published::default();
    let clearing = Message { topic: "a".into(), payload: Vec::new() };
    published.set_plan(plan_of(&[], &["a"]));
    published.set_plan(plan_of(&[("a", "1")], &[]));
    assert!(!published.has_cleared(&clearing));
    published.set_plan(plan_of(&[], &["a"]));
    assert!(published.has_cleared(&clearing));
}
