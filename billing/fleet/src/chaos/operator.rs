//! The operator: asks for replacements all the time, through both billing processes, and again where one does
//! not answer.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use hyper::{Method, StatusCode};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::caller::Caller;
use crate::identities;

/// The pause between two replacements.
const PAUSE: Duration = Duration::from_millis(60);
/// A process that does not answer within this time is not asked further.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// Every so many doors, two are asked for one MAC address at the same moment, through both processes.
const RIVALS_EVERY: usize = 10;

pub(super) struct Operator {
    over: Arc<AtomicBool>,
    asking: JoinHandle<Result<Asked>>,
}

/// What was asked for and acknowledged.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// How often a panel's new identity was acknowledged as asked for.
    pub(super) doors: usize,
    /// How often two asked for one MAC address, and both got it.
    pub(super) both_got_it: usize,
    rivals: usize,
    /// How often an answer had to be asked for again, by its cause.
    again: BTreeMap<String, usize>,
}

impl Operator {
    pub(super) fn start(http: Vec<SocketAddr>, panels: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let asking = tokio::spawn(ask(http, panels, over.clone()));
        Operator { over, asking }
    }

    /// Asks for nothing more; what it has asked for.
    pub(super) async fn stop(self) -> Result<Asked> {
        self.over.store(true, Ordering::Relaxed);
        self.asking.await?
    }
}

/// Goes round the doors, as long as there is one that was not asked for.
async fn ask(http: Vec<SocketAddr>, panels: usize, over: Arc<AtomicBool>) -> Result<Asked> {
    let mut asked = Asked::default();
    let [first, second] = http[..] else { anyhow::bail!("there are two processes") };
    let mut number = 0;
    while number + 1 < panels && !over.load(Ordering::Relaxed) {
        if number % RIVALS_EVERY == 0 {
            let wanted = identities::spare(number)?;
            let body = |door| identities::patch_to(door, wanted);
            let (one, other) = (body(number)?, body(number + 1)?);
            let (one, other) = tokio::join!(once(first, &one), once(second, &other));
            asked.rivals += 1;
            let got = [one, other]
                .iter()
                .filter(|answer| answer.as_ref().is_ok_and(StatusCode::is_success))
                .count();
            asked.doors += got;
            asked.both_got_it += usize::from(got == 2);
            number += 2;
        } else {
            let body = identities::patch(number)?;
            let mut turn = number;
            while !over.load(Ordering::Relaxed) {
                match once(http[turn % 2], &body).await {
                    Ok(status) if status.is_success() => {
                        asked.doors += 1;
                        break;
                    }
                    Ok(status) => *asked.again.entry(status.to_string()).or_default() += 1,
                    Err(why) => *asked.again.entry(why.to_string()).or_default() += 1,
                }
                turn += 1;
                sleep(PAUSE).await;
            }
            number += 1;
        }
        sleep(PAUSE).await;
    }
    Ok(asked)
}

async fn once(http: SocketAddr, body: &Value) -> Result<StatusCode> {
    let asked = async {
        let mut caller = Caller::connect(http).await?;
        anyhow::Ok(
            caller.call(Method::PATCH, "/api/v1/billing/intercoms", Some(body)).await?.status,
        )
    };
    timeout(ANSWERS_WITHIN, asked).await.context("no answer in time")?
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} replacements, {} times two at once for one MAC address",
            self.doors, self.rivals
        )?;
        for (why, count) in &self.again {
            write!(f, "\n  asked again      {count} times: {why}")?;
        }
        Ok(())
    }
}
