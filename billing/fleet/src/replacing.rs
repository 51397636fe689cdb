//! Replacements: an operator's PATCH for each panel, and what has become of it.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hyper::Method;
use serde_json::Value;

use crate::caller::Caller;
use crate::identities;
use crate::servers::Servers;
use crate::timings::{Timings, rate};
use crate::watch::Watch;

/// Sends one PATCH after the other; the panels answer meanwhile.
///
/// # Errors
/// A report is lost: nothing has happened for `standstill`, and billing does not show all of them as
/// installed.
pub(super) async fn replace(
    servers: &Servers,
    what: &str,
    numbers: Range<usize>,
    standstill: Duration,
) -> Result<()> {
    let broker = servers.mqtt.last().context("no broker")?;
    let mut watch = Watch::start(*broker).await?;
    let begun = Instant::now();
    let (asked, answered) = ask_for(servers.http, numbers.clone()).await?;
    let read = watch.all_of(numbers.clone(), standstill).await?;
    let last = read.values().max().map_or(begun, |at| *at);
    let took = (last - begun).as_secs_f64();
    let mut installed = Timings::default();
    for (number, asked) in numbers.clone().zip(asked) {
        if let Some(at) = read.get(&number) {
            installed.add(*at - asked);
        }
    }
    let count = count_installed(servers.http, numbers.clone()).await?;
    let lost = numbers.len() - count;
    println!(
        "{what:<18} {count} of {} installed in {took:.1} s, {:.0}/s; reports lost: {lost}\n  \
         PATCH answered   {answered}\n  PATCH to the end {installed}",
        numbers.len(),
        rate(count, took),
    );
    ensure!(lost == 0, "{lost} reports are lost");
    Ok(())
}

/// Sends a PATCH for each panel. Returns when each was sent, and how long the answers took.
pub(super) async fn ask_for(
    http: SocketAddr,
    numbers: Range<usize>,
) -> Result<(Vec<Instant>, Timings)> {
    let mut operator = Caller::connect(http).await?;
    let (mut asked, mut answered) = (Vec::new(), Timings::default());
    for number in numbers {
        asked.push(Instant::now());
        let body = identities::patch(number)?;
        let path = "/api/v1/billing/intercoms";
        let answer = operator.call(Method::PATCH, path, Some(&body)).await?;
        ensure!(answer.status.is_success(), "PATCH: {} {:?}", answer.status, answer.body);
        answered.add(answer.took);
    }
    Ok((asked, answered))
}

/// How many of these panels billing shows as installed under their new identity.
pub(super) async fn count_installed(http: SocketAddr, numbers: Range<usize>) -> Result<usize> {
    let mut operator = Caller::connect(http).await?;
    let mut count = 0;
    for number in numbers {
        let new = identities::new(number)?;
        let path = format!("/api/v1/billing/intercoms/show?mac={}", new.mac);
        let answer = operator.call(Method::GET, &path, None).await?;
        let shown: Value = serde_json::from_slice(&answer.body)?;
        let serial_number = new.serial_number.map(|serial_number| serial_number.to_string());
        if shown["status"] == "installed"
            && shown["serial_number"].as_str() == serial_number.as_deref()
        {
            count += 1;
        }
    }
    Ok(count)
}
