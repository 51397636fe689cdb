//! A scenario: a world, what happens in it, and how it may end.

use std::time::Duration;

use intercom_agent::agent::Rules;
use intercom_agent::environment::Policy;
use intercom_agent::record::Route;
use intercom_wire::{Identity, Outcome};

use super::driver::Run;
use super::flash::{Environments, Kept};
use super::link::LinkState;
use super::requests::{ID, MODEL, Topic, mac, serial};
use super::script::{Action, happen};
use super::sources::SerialSource;
use super::truth::Truth;
use super::world::{Happening, Hardware, SERIAL};

/// How it may end: the identity, and what was reported last about the request `r`.
pub type Ending = (Identity, Option<Outcome>);

/// A world, and what happens in it.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: &'static str,
    pub kept: Kept,
    pub policy: Policy,
    /// Whether the board has a serial number and an ID by itself.
    pub is_bare: bool,
    /// The board starts for the first time.
    pub is_new: bool,
    pub link: LinkState,
    /// Whether the environment has the link's address.
    pub has_ethaddr: bool,
    /// Where the serial number is read.
    pub serial: SerialSource,
    /// What is in the way when the board starts for the first time.
    pub at_first: Vec<Action>,
    pub routes: Vec<Route>,
    /// What happened long ago.
    pub before: Vec<Action>,
    /// What happens, at which millisecond after the start.
    pub script: Vec<(u64, Action)>,
    /// The first one without any cut; any of them with one.
    pub endings: Vec<Ending>,
    /// How often the record is written without any cut.
    pub records: u32,
    /// The record is spoiled before the start.
    pub spoiled: bool,
}

pub const HOUR: u64 = 3_600_000;

impl Scenario {
    pub fn new(
        name: &'static str,
        script: Vec<(u64, Action)>,
        endings: &[Ending],
        records: u32,
    ) -> Self {
        Scenario {
            name,
            kept: Kept::Redundant,
            policy: Policy::RedundantOnly,
            is_bare: false,
            is_new: false,
            link: LinkState::new(mac('A')),
            has_ethaddr: true,
            serial: SerialSource::Environment,
            at_first: Vec::new(),
            routes: vec![Route::Mqtt],
            before: Vec::new(),
            script,
            endings: endings.to_vec(),
            records,
            spoiled: false,
        }
    }

    pub fn keeping(self, kept: Kept, policy: Policy) -> Self {
        Scenario { kept, policy, ..self }
    }

    pub fn after(self, before: Vec<Action>) -> Self {
        Scenario { before, ..self }
    }

    /// The board starts for the first time, with this in the way.
    pub fn first(self, at_first: Vec<Action>) -> Self {
        Scenario { is_new: true, at_first, ..self }
    }

    /// Its requests are in the list instead.
    pub fn listed(mut self) -> Self {
        for (_, action) in &mut self.script {
            if let Action::Post(asked) = action {
                asked.topic = Topic::List;
            }
        }
        self
    }

    pub fn over(self, routes: &[Route]) -> Self {
        Scenario { routes: routes.to_vec(), ..self }
    }

    pub fn rules(&self) -> Rules {
        Rules {
            interface: "eth0".into(),
            configured_id: (!self.is_bare).then_some(ID),
            models: vec![MODEL.into()],
            require_signature: false,
            confirm_within: Duration::from_secs(180),
            settle: Duration::from_secs(5),
            changes_per_hour: 50,
            routes: self.routes.clone(),
            tells_billing: false,
            environment: self.policy,
            mac_variable: Some("ethaddr".into()),
            serial_number_variable: Some(SERIAL.into()),
        }
    }

    /// The world just before the start; the power is off.
    pub fn prepared(&self) -> Hardware {
        let (own_mac, own_serial) = (mac('A').to_string(), serial('A'));
        let mut variables = vec![("bootcmd", "bootm")];
        if self.has_ethaddr {
            variables.push(("ethaddr", &own_mac));
        }
        let in_environment = self.serial == SerialSource::Environment;
        if in_environment && !self.is_bare {
            variables.push((SERIAL, &own_serial));
        }
        let environments = Environments::new(self.kept, &variables);
        let has_serial_number =
            if in_environment { environments.found().is_some() && !self.is_bare } else { true };
        let truth = Truth::of(&self.link, &environments, has_serial_number);
        let mut hardware = Hardware::new(self.rules(), self.link.clone(), environments);
        hardware.sources.serial = self.serial;
        hardware.watch.truth = truth;
        for action in &self.at_first {
            happen(&mut hardware, action.clone());
        }
        if self.is_new {
            self.schedule(&mut hardware);
            return hardware;
        }
        for (at, action) in self.before.iter().enumerate() {
            let time = 60_000 + at as u64 * HOUR / 4;
            hardware.at(time, Happening::Script(action.clone()));
        }
        let mut run = Run::new(hardware);
        run.live_to_the_end();
        run.switch_off();
        assert_eq!(run.broken(), Vec::<String>::new(), "{}, before it began", self.name);
        let mut hardware = run.hardware();
        hardware.disk.records = 0;
        if self.spoiled {
            hardware.disk.spoil("record.json");
            hardware.watch.spoiled = true;
        }
        self.schedule(&mut hardware);
        hardware
    }

    fn schedule(&self, hardware: &mut Hardware) {
        for (after, action) in &self.script {
            // The board takes 20 s to start.
            let time = hardware.now + 20_000 + after;
            hardware.at(time, Happening::Script(action.clone()));
        }
    }
}
