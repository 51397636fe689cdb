//! The story: one panel takes over another's identity, with real parts, step by step.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use intercom_billing::mqtt::link::Choice;
use intercom_billing::service::{Service, Settings};
use intercom_billing::store::macs::Believed;
use intercom_wire::topics;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::broker_watch;
use crate::caller::{Caller, LIMIT};
use crate::panel::{DemoPanel, NEW_SERIAL_NUMBER, OLD_MAC, OLD_SERIAL_NUMBER};
use crate::say::say;

/// The MAC address that the documented example asks for.
const NEW_MAC: &str = "22:0D:CE:38:E7:15";
/// How long a board that already has the new MAC address has to show up. There is none here.
const GRACE: Duration = Duration::from_secs(1);

/// Runs the demo; goes on until Ctrl-C, or ends by itself if `once`.
///
/// # Errors
/// A part could not be started, or the panel did not get its new identity.
pub(crate) async fn run(once: bool) -> Result<()> {
    let dir = TempDir::with_prefix("intercom-demo-")?;
    let dir = dir.path();
    say("demo", &format!("everything is under {}, and gone when this ends", dir.display()));
    let mut service = Service::start(Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        tls: None,
        database: dir.join("billing.sqlite").into(),
        broker: Choice::BuiltIn(([127, 0, 0, 1], 0).into()),
        hosts: Vec::new(),
        open: false,
        grace: GRACE,
        boards: Believed::FirstSight,
        signing_key: None,
        credential_key: None,
    })
    .await?;
    let broker = service.mqtt.context("the built-in broker does not listen")?;
    service.broker_is_up().await?;
    let url = format!("http://{}", service.http);
    say(
        "billing",
        &format!("serves the documented API on {url}, with its MQTT broker on {broker}"),
    );
    let caller = Caller::new(&url);

    caller.post(&old_intercom()).await?;
    say(
        "operator",
        &format!(
            "POSTs the intercom as it is now: MAC {OLD_MAC}, serial number {OLD_SERIAL_NUMBER}"
        ),
    );
    let watch = broker_watch::start(broker);
    let panel = DemoPanel::start(&dir.join("panel"), broker)?;
    say(
        "panel",
        &format!("a sandboxed board starts the daemon: its link has {}", panel.link_mac()?),
    );
    wait("the panel to subscribe", || async { panel.is_online() }).await?;

    let body = documented_patch();
    say("operator", &format!("sends PATCH /api/v1/billing/intercoms\n{body}"));
    let answer = caller.patch(&body).await?;
    ensure!(answer["status"] == "pending", "billing answers {answer}");
    say("billing", "answers 200 at once: the intercom is pending");
    wait("billing to show the intercom as installed", || async {
        let shown = caller.show(NEW_MAC).await.ok();
        shown.is_some_and(|shown| shown["status"] == "installed")
    })
    .await?;
    wait("billing to read the report", || async { panel.has_reported() }).await?;
    let shown = caller.show(NEW_MAC).await?;
    report_result(&panel, &shown)?;
    if !once {
        say_what_to_try(&url, broker, panel.root())?;
        tokio::signal::ctrl_c().await.context("cannot watch for Ctrl-C")?;
        say("demo", "stopping");
    }
    watch.abort();
    panel.stop();
    service.stop().await;
    Ok(())
}

/// Checks the link's own file and billing's own answer.
fn report_result(panel: &DemoPanel, shown: &Value) -> Result<()> {
    let link = panel.link_mac()?;
    let identity = panel.runtime_identity()?;
    let serial_number = &identity["serial_number"];
    ensure!(link.eq_ignore_ascii_case(NEW_MAC), "the panel's link carries {link}, not {NEW_MAC}");
    ensure!(*serial_number == NEW_SERIAL_NUMBER, "the panel's runtime files say {identity}");
    ensure!(shown["mac"] == NEW_MAC, "billing shows {shown}");
    ensure!(shown["source"] == "auto-replace", "billing shows {shown}");
    say("panel", &format!("its link has {link}, and identity.json says {NEW_SERIAL_NUMBER}"));
    say("billing", &format!("shows the intercom as installed, source auto-replace:\n{shown}"));
    Ok(())
}

fn say_what_to_try(url: &str, broker: std::net::SocketAddr, root: &Path) -> Result<()> {
    let topic = topics::patch(NEW_MAC.parse()?, &"by-hand".parse()?);
    let back = json!({
        "mac": NEW_MAC, "new_mac": OLD_MAC, "new_serial_number": OLD_SERIAL_NUMBER,
        "model": "3516EV200", "group_id": 1
    });
    let by_hand = json!({"mac": NEW_MAC, "new_serial_number": "BY-HAND-1", "model": "3516EV200"});
    println!(
        "\nTry next, in another terminal, in this order:\n\n  \
         mosquitto_pub -h {} -p {} -q 1 -t {topic} -m '{by_hand}'\n\n  \
         curl -X PATCH {url}/api/v1/billing/intercoms -H 'Content-Type: application/json' -d '{back}'\n\n\
         Watch the panel meanwhile, in this folder (cargo builds the command first):\n\n  \
         cargo run -p intercom-agent -- status --follow --root {}\n\n\
         A page with all replacements is at {url}/. Ctrl-C ends the demo.\n",
        broker.ip(),
        broker.port(),
        root.display()
    );
    Ok(())
}

fn old_intercom() -> Value {
    json!({
        "serial_number": OLD_SERIAL_NUMBER, "mac": OLD_MAC, "vendor": "example",
        "model": "3516EV200", "name": "Front door", "department": 1,
        "group_external_id": "00000000-0000-0000-0000-000000000001"
    })
}

/// The body of the documented example, as it is printed there.
fn documented_patch() -> Value {
    json!({
        "group_external_id": "00000000-0000-0000-0000-000000000001",
        "flat_from": 1,
        "flat_to": 15,
        "new_serial_number": NEW_SERIAL_NUMBER,
        "mac": OLD_MAC,
        "new_mac": NEW_MAC,
        "model": "3516EV200",
        "name": "intercom name",
        "department": 1,
        "log_extra": {"some": "information"}
    })
}

async fn wait<F: Future<Output = bool>>(what: &str, mut done: impl FnMut() -> F) -> Result<()> {
    let start = Instant::now();
    while !done().await {
        if start.elapsed() > LIMIT {
            bail!("waited {} s for {what}", LIMIT.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
