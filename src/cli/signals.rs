//! What the init system or a person tells the daemon by signals.

use std::io;

use log::{info, warn};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::args::Common;
use super::exit::Failure;
use crate::config::Settings;
use crate::daemon::End;
use crate::root::Root;

/// The signals of the daemon, and the settings that are in force.
pub(super) struct Signals<'c> {
    common: &'c Common,
    pub(super) root: Root,
    pub(super) settings: Settings,
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    /// They would end the daemon if nobody took them.
    _ignored: [Signal; 2],
}

impl<'c> Signals<'c> {
    /// Takes the signals from now on.
    pub(super) fn take(common: &'c Common, root: Root, settings: Settings) -> io::Result<Self> {
        Ok(Signals {
            common,
            root,
            settings,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            _ignored: [signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?],
        })
    }

    /// Ready when the daemon is to end, or to go on with the new settings.
    pub(super) async fn end(&mut self) -> End {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return End::Stop,
                _ = self.interrupt.recv() => return End::Stop,
                _ = self.hang_up.recv() => match self.read_again() {
                    Ok(()) => return End::Reload,
                    Err(Failure { message, .. }) => {
                        warn!("the configuration stays as it was: {message}");
                    }
                },
            }
        }
    }

    fn read_again(&mut self) -> Result<(), Failure> {
        let (root, mut new) = super::settings(self.common)?;
        new.require_upstream(&root).map_err(Failure::usage)?;
        let old = &self.settings;
        if new.interface != old.interface {
            warn!("restart needed: `interface` is still {}", old.interface);
            new.interface.clone_from(&old.interface);
            new.mac_variable.clone_from(&old.mac_variable);
        }
        if new.state_dir != old.state_dir {
            warn!("restart needed: `state_dir` is still {}", old.state_dir.display());
            new.state_dir.clone_from(&old.state_dir);
        }
        log::set_max_level(new.log_level);
        info!("the configuration has been read again");
        self.settings = new;
        Ok(())
    }
}
