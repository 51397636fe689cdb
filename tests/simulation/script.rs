//! What happens around the board, at given times.

use intercom_agent::agent::{Agent, BackTo, Delivery};
use intercom_agent::decide::{Delivered, Signature, Timing, Via};
use intercom_agent::record::Route;
use intercom_wire::Mac;

use super::disk::Unsynced;
use super::link::Driver;
use super::power::Fault;
use super::requests::Asked;
use super::seams::Simulated;
use super::sources::SerialSource;
use super::world::{Hardware, Hooks, Shared};

/// One thing that happens.
#[derive(Debug, Clone)]
pub enum Action {
    /// Somebody sends a PATCH.
    Post(Asked),
    /// An installer applies a payload at the board.
    Apply {
        asked: Asked,
        offline: bool,
    },
    /// An installer wants an earlier identity back.
    RollBack {
        back_to: BackTo,
        offline: bool,
    },
    /// A route is down, or up again.
    Down(Route, bool),
    /// Nothing is reached under this address, or is again.
    Unreachable(Mac, bool),
    /// The traffic leaves by another link, or by the panel's own again.
    ByAnotherLink(bool),
    /// The path swallows everything without a word, or does so no more.
    Silent(bool),
    /// The process sleeps for so many milliseconds.
    Sleep(u64),
    /// Another board has this address, or has let go of it.
    Taken(Mac, bool),
    Driver(Driver),
    Hooks(Hooks),
    /// The environment cannot be read, or can be again.
    Locked(bool),
    /// What the source of the serial number answers.
    Serial(SerialSource),
    /// The interface is there, or is not yet.
    LinkThere(bool),
    /// Some other program sets the link's address.
    Meddle(Mac),
    /// The link loses its IP address.
    LoseAddress,
    Capacity(usize),
    ReadOnly(bool),
    Volatile(bool),
    RuntimeFilesFail(bool),
    /// The flash takes writes and stays as it is.
    Swallow(bool),
    /// No message is lost or delayed any more.
    Calm,
    /// An operation from here on fails.
    Fault(Option<Fault>),
    /// The power fails.
    Cut(Unsynced),
    /// The process is killed.
    Kill,
}

/// How a cut of the script ends the boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    Power(Unsynced),
    Process,
}

/// Does it; tells if the board went dark by it.
pub fn perform(world: &Shared, agent: &mut Agent<Simulated>, action: Action) -> Option<Death> {
    match action {
        Action::Apply { asked, offline } => {
            agent.deliver(by_hand(asked, offline));
            return None;
        }
        Action::RollBack { back_to, offline } => {
            // Why it cannot be begun is told to the installer.
            let _ = agent.roll_back_by_hand(back_to, offline);
            return None;
        }
        Action::Cut(unsynced) => return Some(Death::Power(unsynced)),
        Action::Kill => return Some(Death::Process),
        action => {
            let tells = matches!(action, Action::Meddle(_) | Action::LoseAddress);
            happen(&mut world.borrow_mut(), action);
            if tells {
                agent.link_changed();
            }
        }
    }
    None
}

/// The same where no agent runs.
pub fn happen(hardware: &mut Hardware, action: Action) {
    {
        match action {
            Action::Post(asked) => hardware.post(asked),
            Action::Down(Route::Mqtt, down) => hardware.cloud.mqtt_down = down,
            Action::Down(Route::Http | Route::Billing, down) => hardware.cloud.http_down = down,
            Action::Unreachable(mac, true) => hardware.cloud.unreachable.push(mac),
            Action::Unreachable(mac, false) => hardware.cloud.unreachable.retain(|m| *m != mac),
            Action::ByAnotherLink(other) => {
                hardware.cloud.by_another_link = other;
                hardware.cloud.other_link_at = hardware.now;
            }
            Action::Silent(silent) => hardware.set_silent(silent),
            Action::Sleep(millis) => hardware.sleep(millis),
            Action::Taken(mac, true) => hardware.take(mac),
            Action::Taken(mac, false) => hardware.cloud.taken.retain(|m| *m != mac),
            Action::Driver(driver) => hardware.link.driver = driver,
            Action::Hooks(hooks) => hardware.hooks = hooks,
            Action::LoseAddress => hardware.link.lacks_address = true,
            Action::Meddle(mac) => hardware.link.give(mac),
            Action::Locked(locked) => hardware.environments.locked = locked,
            Action::Serial(source) => hardware.sources.serial = source,
            Action::LinkThere(is_there) => hardware.link.is_there = is_there,
            Action::Capacity(bytes) => hardware.disk.capacity = bytes,
            Action::ReadOnly(read_only) => hardware.disk.read_only = read_only,
            Action::Volatile(volatile) => hardware.disk.volatile = volatile,
            Action::RuntimeFilesFail(fail) => hardware.link.files_fail = fail,
            Action::Calm => hardware.cloud.weather = None,
            Action::Swallow(swallow) => hardware.environments.swallow(swallow),
            Action::Fault(fault) => {
                let used = hardware.power.used();
                let at_last = |fault: Fault| Fault { at: used + fault.at, ..fault };
                hardware.power.fault(fault.map(at_last));
            }
            Action::Apply { .. } | Action::RollBack { .. } | Action::Cut(_) | Action::Kill => {}
        }
        hardware.weather_changed();
    }
}

fn by_hand(asked: Asked, offline: bool) -> Delivery {
    let delivered = Delivered {
        via: Via::Installer,
        timing: Timing::Live,
        signature: Signature::Missing,
        is_fresh: true,
        deferrals: 0,
    };
    Delivery { request: asked.request, delivered, ack_token: None, route: None, offline }
}
