//! The MQTT route: a persistent session with the broker, for as long as the daemon runs.
//!
//! Each connection has its own client. A client that outlives its connection would deliver events of
//! the old one, retransmit under stale packet IDs, and may hang when two of them collide.

mod acknowledgements;
pub(crate) mod attempt;
mod client;
mod closings;
mod delivery;
mod end;
mod explanations;
mod former;
pub mod line;
mod outgoing;
mod presence;
mod report_size;
mod session;
mod topics;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use intercom_wire::signature::Keys;
use log::{info, warn};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{Health, Place, RouteCommand, RouteEnd, RouteEvent};
use crate::agent::seams::{ConnectIdentity, Connection, Event};
use crate::config::{Broker, MqttSettings};
use crate::record::Route;
use crate::upstream::cause::{Cause, MqttCause};
use acknowledgements::Acknowledgements;
use closings::Closings;
use end::SessionEnd;
use explanations::Explanations;
use former::FormerMacs;
use outgoing::Outgoing;
use session::Session;
use turn::{Rounds, Turn};

/// The broker with its settings, and what a connection needs to reach it.
struct Service {
    settings: MqttSettings,
    place: Place,
    health: Health,
    turn: Turn,
}

impl Service {
    /// The same for connections that are not the route's own: nobody is told of them.
    fn apart(&self) -> Self {
        let (settings, place) = (self.settings.clone(), self.place.clone());
        Service { settings, place, health: Health::default(), turn: self.turn }
    }

    /// Where the attempt goes.
    fn broker(&self) -> &Broker {
        self.settings.brokers.at(self.turn.broker)
    }
}

/// Runs the route until the daemon drops its end.
pub async fn run(
    settings: MqttSettings,
    place: Place,
    keys: Keys,
    mut end: RouteEnd,
    events: mpsc::Sender<RouteEvent>,
) {
    let (health, turn) = (end.health.clone(), Turn::default());
    let mut service = Service { settings, place, health, turn };
    let mut outgoing = Outgoing::default();
    let mut acknowledgements = Acknowledgements::default();
    let mut former = FormerMacs::default();
    let mut explanations = Explanations::default();
    while let Some((mut connect_as, connection)) = next_identity(&mut end).await {
        let mut rounds = Rounds::new(&connect_as.board, service.settings.brokers.all().len());
        let mut closings = Closings::default();
        service.turn.address = 0;
        loop {
            end.health.leads_to(service.broker());
            let began = Instant::now();
            let session = Session::new(
                &service,
                &keys,
                (&mut connect_as, connection, &mut former),
                &events,
                &mut outgoing,
                &mut acknowledgements,
            );
            let ended = match session {
                Ok(session) => session.run(&mut end).await,
                Err(why) => SessionEnd::Lost { why, was_reachable: false },
            };
            let (why, was_reachable) = match ended {
                SessionEnd::GivenUp => break,
                SessionEnd::Lost { why, was_reachable } => tokio::select! {
                    why = explanations.explain(&service, &connect_as, why) => (why, was_reachable),
                    // `next_identity` finds out whether it is closed.
                    _ = end.connect_as.changed() => break,
                },
                SessionEnd::Closed { silence } => {
                    let why = match outgoing.closed_over_report() {
                        Some((bytes, true)) => MqttCause::ReportTooLarge { bytes },
                        Some((bytes, false)) => MqttCause::ClosedOverReport { bytes },
                        None => closings.closed_after(began.elapsed(), silence),
                    };
                    let was_reachable = !matches!(why, MqttCause::TakenOver);
                    (Arc::new(why.into()), was_reachable)
                }
            };
            outgoing.connection_lost();
            acknowledgements.connection_lost();
            let pause = rounds.pause(&mut service.turn, was_reachable);
            if was_reachable {
                explanations.forget();
            }
            end.health.failed(&why);
            end.health.rests(pause);
            let tenths = pause.as_millis() / 100;
            let broker = service.broker();
            warn!("MQTT: {broker}: {why}; connecting again in {}.{} s", tenths / 10, tenths % 10);
            // What was not acknowledged comes again from the same one.
            if !matches!(*why, Cause::Mqtt(MqttCause::AskAgain)) {
                service.turn.broker = service.turn.broker.wrapping_add(1);
            }
            let lost = Event::Lost { route: Route::Mqtt, connection };
            if events.send(RouteEvent::Event(lost)).await.is_err() {
                return;
            }
            if !wait(&mut end, pause, &mut outgoing, (&mut connect_as, connection)).await {
                break;
            }
        }
        end.health.given_up();
        outgoing.connection_lost();
        acknowledgements.connection_lost();
    }
    info!("MQTT: the route is closed");
}

/// The next identity to connect as; `None` once the daemon has dropped its end.
async fn next_identity(end: &mut RouteEnd) -> Option<(ConnectIdentity, Connection)> {
    end.health.waits_for_the_agent();
    loop {
        end.connect_as.has_changed().ok()?;
        if let Some(connect_as) = end.connect_as.borrow_and_update().clone() {
            return Some(connect_as);
        }
        end.connect_as.changed().await.ok()?;
    }
}

/// Waits before the next attempt; `false` if the route is to connect as another identity instead.
async fn wait(
    end: &mut RouteEnd,
    pause: Duration,
    outgoing: &mut Outgoing,
    (connect_as, connection): (&mut ConnectIdentity, Connection),
) -> bool {
    let until = Instant::now() + pause;
    loop {
        tokio::select! {
            changed = end.connect_as.changed() => {
                // `next_identity` finds out whether it is closed.
                let _ = changed;
                return false;
            }
            command = end.commands.recv() => match command {
                Some(RouteCommand::Send(id, report)) => outgoing.report(id, &report),
                Some(RouteCommand::Claim(of)) if of == connection => connect_as.confirm(),
                // The rest belongs to a connection: the agent asks again when there is one.
                Some(
                    RouteCommand::Acknowledge(_)
                    | RouteCommand::Announce
                    | RouteCommand::Claim(_)
                    | RouteCommand::LookUp(..)
                    | RouteCommand::AskAgain
                    | RouteCommand::Prove,
                ) => {}
                None => return false,
            },
            () = sleep_until(until) => return true,
        }
    }
}
