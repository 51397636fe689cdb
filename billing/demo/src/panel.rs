//! The demo's panel: a sandboxed board, run by the daemon's own code.

use std::fs;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::thread;

use anyhow::{Context, Result};
use intercom_agent::config;
use intercom_agent::control::{self, Answer, Ask, Asked};
use intercom_agent::daemon::{self, Connectivity, End};
use intercom_agent::panel::Panel;
use intercom_agent::root::Root;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::say::say;

/// The identity of the documented example's panel before the PATCH.
pub(super) const OLD_MAC: &str = "AA:BB:CC:DD:EE:FF";
pub(super) const OLD_SERIAL_NUMBER: &str = "OLD_SERIAL_001";
/// What the documented example asks for.
pub(super) const NEW_SERIAL_NUMBER: &str = "new_serial_number";

const LINK: &str = "sys/class/net/eth0/address";
const RUNTIME: &str = "run/intercom-agent";

/// A running panel.
pub(super) struct DemoPanel {
    root: PathBuf,
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl DemoPanel {
    /// Creates the board's files and starts the daemon on its own thread.
    pub(super) fn start(root: &Path, broker: SocketAddr) -> Result<Self> {
        write(&root.join(LINK), &format!("{}\n", OLD_MAC.to_lowercase()))?;
        write(&root.join("etc/serial"), OLD_SERIAL_NUMBER)?;
        write(&root.join("etc/intercom-agent.toml"), &configuration(broker))?;
        let sandbox = Root::sandbox(root);
        let settings = config::load(&sandbox, None)?;
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the panel's thread")?;
        let (ready, is_ready) = oneshot::channel();
        let thread = thread::spawn(move || {
            let panel = Panel::open(sandbox, settings);
            let stop = pin!(async {
                // An error means that the panel was dropped: it stops, too.
                let _ = stopped.await;
                End::Stop
            });
            let run = daemon::run(panel, Connectivity::Online, stop, Some(ready));
            if let Err(why) = runtime.block_on(run) {
                say("panel", &format!("the daemon failed: {why}"));
            }
        });
        follow(root.join(RUNTIME).join(control::SOCKET), is_ready);
        Ok(DemoPanel { root: root.to_owned(), stop, thread })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The MAC address of the board's link now.
    pub(super) fn link_mac(&self) -> Result<String> {
        let text = fs::read_to_string(self.root.join(LINK)).context("the link cannot be read")?;
        Ok(text.trim().to_uppercase())
    }

    /// The identity in the files for the panel's other software.
    pub(super) fn runtime_identity(&self) -> Result<Value> {
        let file = self.root.join(RUNTIME).join("identity.json");
        Ok(serde_json::from_slice(&fs::read(file).context("no runtime files")?)?)
    }

    /// Whether the daemon reaches upstream, as it says on its control socket.
    pub(super) fn is_online(&self) -> bool {
        self.state().is_some_and(|state| state["reached"] != json!([]))
    }

    /// Whether billing has read all that the daemon had to report.
    pub(super) fn has_reported(&self) -> bool {
        self.state().is_some_and(|state| state["unreported"] == 0)
    }

    /// What `status --json` prints; `None` while the daemon does not answer.
    fn state(&self) -> Option<Value> {
        let mut state = None;
        let socket = self.root.join(RUNTIME).join(control::SOCKET);
        let asked = control::ask(&socket, &Ask::Status, |answer| {
            if let Answer::State { told, .. } = answer {
                state = serde_json::from_str(told.text(true)).ok();
            }
        });
        asked.ok().and(state)
    }

    pub(super) fn stop(self) {
        // An error means that it has ended already.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

/// Passes on each step from the daemon's control socket, as `status --follow` does.
fn follow(socket: PathBuf, is_ready: oneshot::Receiver<mpsc::Sender<Asked>>) {
    thread::spawn(move || {
        if is_ready.blocking_recv().is_err() {
            return;
        }
        // A task of the daemon binds the socket a moment later.
        while !socket.exists() {
            thread::sleep(std::time::Duration::from_millis(5));
        }
        // It ends with the daemon.
        let _ = control::follow(&socket, None, &mut |answer| {
            if let Answer::Step(step) = answer {
                say("panel", &step.text);
            }
            ControlFlow::Continue(())
        });
    });
}

fn configuration(broker: SocketAddr) -> String {
    format!(
        "models = [\"3516EV200\"]\nconfirm_within = 20\nsettle = 1\nchanges_per_hour = 100\n\n\
         [serial_number]\nsources = [\"file:/etc/serial\"]\n\n[mqtt]\nurl = \"mqtt://{broker}\"\n"
    )
}

fn write(file: &Path, text: &str) -> Result<()> {
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}
