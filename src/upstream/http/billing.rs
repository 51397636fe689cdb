//! A report to a platform that only knows the documented API: the panel sends the PATCH itself.

use std::sync::Arc;

use intercom_wire::{Identity, Mac, NamedBy, Report};
use serde_json::{Map, Value, json};
use ureq::Body;
use ureq::http::header::CONTENT_TYPE;
use ureq::http::{Response, StatusCode};

use super::answer;
use super::exchange::Exchange;
use super::kind::Kind;
use super::trouble::Trouble;
use crate::upstream::cause::{Cause, HttpCause};

impl Exchange {
    /// Tells billing what is installed. If billing refuses the PATCH, its record decides: the new
    /// identity there means that it already knows, from a PATCH whose answer was lost or from its
    /// operator.
    pub(super) fn tell_billing(&self, report: &Report) -> Result<(), Trouble> {
        let Some(installed) = report.identity() else { return Ok(()) };
        let Some(refusal) = self.patch(report, &installed, None)? else { return Ok(()) };
        let shown = self.show(installed.mac)?;
        if shown.as_ref().is_some_and(|shown| is_so(&installed, shown)) {
            return Ok(());
        }
        // A PATCH must name a group. The panel does not know it, but billing does.
        let shown = match (shown, named_by(report)) {
            (None, NamedBy::Mac(before)) => self.show(before)?,
            (None, NamedBy::Id(_)) => self.show(report.previous.mac)?,
            (shown, _) => shown,
        };
        let Some(group) = shown.as_ref().and_then(group) else { return Err(refusal) };
        self.patch(report, &installed, Some(group))?.map_or(Ok(()), Err)
    }

    /// `None` if the PATCH is accepted; otherwise why it is refused.
    fn patch(
        &self,
        report: &Report,
        installed: &Identity,
        group: Option<i64>,
    ) -> Result<Option<Trouble>, Trouble> {
        let url = self.url(&self.service.settings.status)?;
        let request = self.client.patch(url).header(CONTENT_TYPE, "application/json");
        let body = patch(report, installed, group).to_string();
        let response = self.authorized(request)?.send(&body)?;
        match response.status() {
            // Not documented, and can be no page of something else.
            StatusCode::NO_CONTENT => return Ok(None),
            status if status.is_success() => return record(response).map(|_| None),
            _ => {}
        }
        let trouble = Trouble::answer(&self.service, response);
        let trouble = match &*trouble.cause {
            Cause::Http(HttpCause::NotFound { said }) => {
                let said = said.clone();
                Trouble { cause: Arc::new(HttpCause::UnknownIntercom { said }.into()), ..trouble }
            }
            _ => trouble,
        };
        match trouble.kind() {
            Kind::Refused => Ok(Some(trouble)),
            Kind::Passing | Kind::Lasting => Err(trouble),
        }
    }

    /// The intercom with this MAC address, if billing has one.
    pub(super) fn show(&self, mac: Mac) -> Result<Option<Value>, Trouble> {
        let url = self.url(&self.service.settings.pending)?;
        let request = self.client.get(url).query("mac", mac.to_string());
        let response = self.authorized(request)?.call()?;
        match response.status() {
            StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => Ok(None),
            status if status.is_success() => record(response).map(Some),
            _ => Err(Trouble::answer(&self.service, response)),
        }
    }
}

/// The documented record.
///
/// # Errors
/// The answer has none: what answers is not billing.
fn record(response: Response<Body>) -> Result<Value, Trouble> {
    let status = response.status().as_u16();
    let record = answer::json(response)?
        .filter(|record| record.get("id").is_some() || record.get("mac").is_some());
    record.ok_or_else(|| HttpCause::OddStatus { status }.into())
}

/// The intercom as the request named it: the documented API accepts one name only.
fn named_by(report: &Report) -> NamedBy {
    let target = report.target.as_ref();
    let id = target.and_then(|target| target.id).map(NamedBy::Id);
    let mac = target.and_then(|target| target.mac).unwrap_or(report.previous.mac);
    id.unwrap_or(NamedBy::Mac(mac))
}

/// The documented body. The request's ID is part of `log_extra`.
fn patch(report: &Report, installed: &Identity, group: Option<i64>) -> Value {
    let mut log_extra = match &report.log_extra {
        Some(Value::Object(fields)) => fields.clone(),
        Some(other) => Map::from_iter([("log_extra".to_owned(), other.clone())]),
        None => Map::new(),
    };
    if let Some(id) = &report.request_id {
        log_extra.insert("request_id".to_owned(), json!(id));
    }
    if let Some(not_told) = &report.outcomes_not_told {
        log_extra.insert("outcomes_not_told".to_owned(), json!(not_told));
    }
    let (named_by, name) = match named_by(report) {
        NamedBy::Id(id) => ("id", json!(id)),
        NamedBy::Mac(mac) => ("mac", json!(mac)),
    };
    let fields = [
        (named_by, name),
        ("new_mac", json!(installed.mac)),
        ("new_serial_number", json!(installed.serial_number)),
        ("model", json!(report.intercom.model)),
        ("group_id", json!(group)),
        ("log_extra", Value::Object(log_extra)),
    ];
    let mut body = Map::new();
    for (key, value) in fields {
        if !value.is_null() {
            body.insert(key.to_owned(), value);
        }
    }
    Value::Object(body)
}

fn is_so(installed: &Identity, shown: &Value) -> bool {
    let text = |field| shown.get(field).and_then(Value::as_str);
    let serial_number = installed.serial_number.as_ref();
    text("mac").and_then(|text| text.parse().ok()) == Some(installed.mac)
        && serial_number.is_none_or(|wanted| text("serial_number") == Some(wanted.as_str()))
}

fn group(shown: &Value) -> Option<i64> {
    shown.get("group")?.get("id")?.as_i64()
}
