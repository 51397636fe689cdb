//! Commands that wait for an answer: they see each step, and how their request ended.

use std::time::Duration;

use intercom_wire::signature::Keys;
use intercom_wire::{Outcome, RequestId};
use tokio::sync::mpsc;

use super::RealSeams;
use super::apply::apply;
use super::log_level::LogLevel;
use crate::agent::{Agent, BackTo, RollbackError, Status, Step};
use crate::control::{Answer, Ask, Asked, BoardState, Told};

/// All commands that wait.
#[derive(Debug)]
pub(super) struct Watchers {
    watchers: Vec<Watcher>,
    /// Whose signatures count.
    keys: Keys,
    pub(super) log_level: LogLevel,
}

#[derive(Debug)]
struct Watcher {
    answers: mpsc::Sender<Answer>,
    /// The last step that it was told.
    seen: u64,
    until: Until,
}

/// What ends the wait.
#[derive(Debug)]
enum Until {
    /// The command goes away.
    Gone,
    /// The request has an outcome.
    Outcome(RequestId),
    /// The change in progress has ended.
    ChangeEnds,
    /// The board has been put right, and read again.
    BoardRead,
}

impl Watchers {
    pub(super) fn new(keys: Keys, log_level: LogLevel) -> Self {
        Watchers { watchers: Vec::new(), keys, log_level }
    }

    /// Answers a question, or has its asker wait.
    pub(super) fn take(&mut self, agent: &mut Agent<RealSeams>, asked: Asked) {
        let Asked { ask, answers } = asked;
        let seen = agent.steps().total();
        let until = match ask {
            Ask::Status | Ask::Follow => {
                send(&answers, state(agent));
                match ask {
                    Ask::Follow => Ok(Until::Gone),
                    _ => return,
                }
            }
            Ask::Apply { payload, offline } => {
                apply(agent, &self.keys, payload.as_bytes(), offline)
                    .map(Until::Outcome)
                    .map_err(|why| why.to_string())
            }
            Ask::Rollback { factory, offline } => {
                let back_to = if factory { BackTo::Factory } else { BackTo::Previous };
                match agent.roll_back_by_hand(back_to, offline) {
                    Ok(()) => Ok(Until::ChangeEnds),
                    // It is there already: no change is waited for.
                    Err(RollbackError::SameIdentity(_)) => {
                        send(&answers, told(Told::back(&agent.status()), Answer::Back));
                        return;
                    }
                    Err(why) => Err(why.to_string()),
                }
            }
            Ask::TakeBack => {
                agent.take_change_back();
                Ok(Until::ChangeEnds)
            }
            Ask::ForgetSequence => {
                let answer = match agent.forget_sequence() {
                    Ok(forgotten) => told(Told::forgotten(&forgotten), Answer::Forgotten),
                    Err(why) => Answer::Refused(format!("the record cannot be written: {why}")),
                };
                send(&answers, answer);
                return;
            }
            Ask::Log { level, seconds } => {
                match level.parse() {
                    Ok(level) => self.log_level.set(level, Duration::from_secs(seconds.into())),
                    Err(why) => send(&answers, Answer::Refused(why.to_string())),
                }
                return;
            }
            Ask::Restore => {
                agent.put_board_right();
                Ok(Until::BoardRead)
            }
        };
        match until {
            Ok(until) => self.watchers.push(Watcher { answers, seen, until }),
            Err(why) => send(&answers, Answer::Refused(why)),
        }
    }

    /// Tells everybody what is new to them, and lets go of those who have waited long enough.
    pub(super) fn tell(&mut self, agent: &mut Agent<RealSeams>) {
        self.watchers.retain_mut(|watcher| watcher.tell(agent));
    }
}

impl Watcher {
    /// Whether to go on watching.
    fn tell(&mut self, agent: &mut Agent<RealSeams>) -> bool {
        if let Until::BoardRead = self.until {
            // Its steps are part of the answer.
            return if agent.is_reading_board() {
                !self.answers.is_closed()
            } else {
                send(&self.answers, restored(agent, self.seen));
                false
            };
        }
        let seconds_left = agent.change_status().and_then(|change| change.seconds_left);
        for step in agent.steps().after(self.seen) {
            // A reader that is too slow misses steps, never the end.
            if self.answers.capacity() > 1 {
                send(&self.answers, Answer::Step(Step { seconds_left, ..step.clone() }));
            }
        }
        self.seen = agent.steps().total();
        let end = match &self.until {
            Until::Gone | Until::BoardRead => None,
            Until::Outcome(id) => agent.outcome_of(id).cloned(),
            Until::ChangeEnds if agent.record().change.is_some() => None,
            Until::ChangeEnds => {
                send(&self.answers, gone_back(agent));
                return false;
            }
        };
        match end {
            Some(report) => {
                let outcome = report.outcome();
                let ended = |told| Answer::Ended { outcome, told };
                send(&self.answers, told(Told::outcome(&report), ended));
                false
            }
            None => !self.answers.is_closed(),
        }
    }
}

fn gone_back(agent: &mut Agent<RealSeams>) -> Answer {
    let status = agent.status();
    match &status.rollback_undone {
        None => told(Told::back(&status), Answer::Back),
        Some(why) => told(Told::undone(&status, why), |told| Answer::Ended {
            outcome: Some(Outcome::RolledBack),
            told,
        }),
    }
}

fn state(agent: &mut Agent<RealSeams>) -> Answer {
    let status = agent.status();
    let all = Told::state(&status);
    let Status { reached, routes, durable, link_contest, waiting_requests, .. } = status;
    let (reached, routes) = (reached.unwrap_or_default(), routes.unwrap_or_default());
    let (durable, waiting) = (durable.unwrap_or_default(), waiting_requests.unwrap_or_default());
    let link_contest = link_contest.map(|contest| contest.to_string());
    told(all, |told| Answer::State { reached, routes, durable, link_contest, waiting, told })
}

fn restored(agent: &mut Agent<RealSeams>, seen: u64) -> Answer {
    let remarks = agent.steps().after(seen).map(|step| step.text.clone()).collect();
    let agreement = agent.agreement();
    let is_put_right = agreement.is_put_right();
    let not_read = agent.status().not_read;
    let record = agent.record();
    let has_unread = record.has_unread() || agreement.link.is_err();
    let board = BoardState::new(record, agreement.link, not_read, remarks);
    let environment_is_locked = agent.environment_is_locked();
    told(Told::restored(&board), |told| Answer::Restored {
        is_put_right,
        has_unread,
        environment_is_locked,
        told,
    })
}

fn told(told: serde_json::Result<Told>, answer: impl FnOnce(Told) -> Answer) -> Answer {
    match told {
        Ok(told) => answer(told),
        Err(why) => Answer::Refused(format!("the answer cannot be written: {why}")),
    }
}

fn send(answers: &mpsc::Sender<Answer>, answer: Answer) {
    // A command that went away wants no answer.
    let _ = answers.try_send(answer);
}
