//! One exchange with the service: a poll or a report.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use intercom_wire::{Errors, MAX_REQUEST_BYTES, Mac, Report, Request, Unreadable};
use log::{debug, warn};
use tokio::sync::{mpsc, oneshot};
use ureq::http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use ureq::http::{HeaderValue, Response, StatusCode};
use ureq::{Body, RequestBuilder};

use super::Service;
use super::answer;
use super::elements::{Element, Elements};
use super::retry_after::retry_after;
use super::trouble::Trouble;
use super::undecided::Undecided;
use crate::agent::seams::{ConnectIdentity, Connection, Event};
use crate::agent::{Delivery, Handling};
use crate::config::{Template, Values};
use crate::decide::{Delivered, Signature, Timing, Via};
use crate::record::Route;
use crate::upstream::RouteEvent;
use crate::upstream::cause::{HttpCause, PanelCause};

/// The service, for one identity of the board.
pub(super) struct Exchange {
    pub(super) service: Arc<Service>,
    pub(super) client: ureq::Agent,
    connect_as: ConnectIdentity,
    connection: Connection,
    events: mpsc::Sender<RouteEvent>,
    given_up: Arc<AtomicBool>,
    /// The ETag of the list in which every request is decided. The service need not send it again.
    decided_list: Option<HeaderValue>,
    /// Whether the agent knows that the service cannot be reached.
    told_lost: bool,
}

/// A poll that was answered.
#[derive(Debug)]
pub(super) struct Polled {
    /// When the service wants to be asked again at the earliest.
    pub(super) retry_after: Option<Duration>,
}

impl Exchange {
    pub(super) fn new(
        service: Arc<Service>,
        client: ureq::Agent,
        connect_as: ConnectIdentity,
        connection: Connection,
        events: mpsc::Sender<RouteEvent>,
        given_up: Arc<AtomicBool>,
    ) -> Self {
        Exchange {
            service,
            client,
            connect_as,
            connection,
            events,
            given_up,
            decided_list: None,
            told_lost: false,
        }
    }

    /// Asks for the pending requests and hands each to the agent.
    pub(super) fn poll(&mut self, all: bool, changing: bool) -> Result<Polled, Trouble> {
        if all {
            self.decided_list = None;
        }
        let polled = self.ask(changing).map_err(|trouble| self.service.explained(trouble));
        if let Err(trouble) = &polled {
            if !self.given_up.load(Ordering::Acquire) {
                self.service.health.failed(&trouble.cause);
            }
            if !self.told_lost {
                self.told_lost = true;
                self.tell(Event::Lost { route: Route::Http, connection: self.connection });
            }
        }
        polled
    }

    fn ask(&mut self, changing: bool) -> Result<Polled, Trouble> {
        let identity = &self.connect_as.identity;
        let nonce = self.service.nonce()?;
        let mut request = self
            .client
            .get(self.url(&self.service.settings.pending)?)
            .query("mac", identity.mac.to_string())
            .query("board", self.connect_as.board.as_str())
            .query("nonce", nonce.to_string())
            .query("poll_every", self.service.settings.poll_every.as_secs().to_string())
            // The next request to the service is usually the next poll.
            .header(CONNECTION, "close");
        if let Some(serial_number) = &identity.serial_number {
            request = request.query("serial_number", serial_number.as_str());
        }
        if changing {
            request = request.query("changing", "true");
        }
        if let Some(id) = self.connect_as.id {
            request = request.query("id", id.to_string());
        }
        if let Some(list) = &self.decided_list {
            request = request.header(IF_NONE_MATCH, list);
        }
        let response = self.authorized(request)?.call()?;
        let retry_after = retry_after(response.headers());
        match response.status() {
            StatusCode::NOT_MODIFIED if self.decided_list.is_some() => self.reached(),
            StatusCode::NO_CONTENT => {
                self.decided_list = None;
                self.reached();
                self.tell(Event::Listed { connection: self.connection });
            }
            status if status.is_success() => self.read_list(response)?,
            _ => return Err(Trouble::answer(&self.service, response)),
        }
        Ok(Polled { retry_after })
    }

    fn read_list(&mut self, response: Response<Body>) -> Result<(), Trouble> {
        if response.headers().contains_key(CONTENT_ENCODING) {
            return Err(HttpCause::Compressed.into());
        }
        let list = response.headers().get(ETAG).cloned();
        self.decided_list = None;
        let mut elements = Elements::open(response.into_body().into_reader())?;
        self.reached();
        let mut undecided = Undecided::default();
        let mut too_long = 0_u64;
        while let Some(element) = elements.next()? {
            if self.given_up.load(Ordering::Acquire) {
                return Err(self.was_given_up());
            }
            let (size, (request, signature)) = match element {
                Element::Whole(bytes) => (bytes.len(), self.read(bytes)),
                Element::TooLong(bytes) => {
                    too_long += 1;
                    (0, (Err(unreadable(bytes)), Signature::Missing))
                }
            };
            undecided.make_room(size);
            let answer = self.deliver(request, signature)?;
            undecided.add(size, answer);
        }
        if too_long > 0 {
            warn!(
                "{}: {too_long} of its pending requests are longer than {MAX_REQUEST_BYTES} bytes and are not read",
                self.service.settings.base
            );
        }
        if undecided.all_decided() {
            self.decided_list = list;
        }
        self.tell(Event::Listed { connection: self.connection });
        Ok(())
    }

    fn read(&self, element: &[u8]) -> (Result<Request, Unreadable>, Signature) {
        let (payload, signature) = self.service.keys.open(element);
        (Request::read(&payload), signature)
    }

    fn deliver(
        &self,
        request: Result<Request, Unreadable>,
        signature: Signature,
    ) -> Result<oneshot::Receiver<Handling>, Trouble> {
        let nonce = request.as_ref().ok().and_then(|request| request.nonce.as_ref());
        let is_fresh = nonce.is_some() && nonce == self.service.nonce.get();
        let delivery = Delivery {
            request,
            delivered: Delivered {
                via: Via::PendingList,
                timing: Timing::Again,
                signature,
                is_fresh,
                deferrals: 0,
            },
            ack_token: None,
            route: Some(Route::Http),
            offline: false,
        };
        let (handling, answer) = oneshot::channel();
        let event = RouteEvent::Delivery(Box::new(delivery), handling);
        self.events.blocking_send(event).map_err(|_| self.was_given_up())?;
        Ok(answer)
    }

    /// Sends one report.
    pub(super) fn report(&self, report: &Report) -> Result<(), Trouble> {
        self.send(report).map_err(|trouble| self.service.explained(trouble))
    }

    fn send(&self, report: &Report) -> Result<(), Trouble> {
        if self.service.route == Route::Billing {
            return self.tell_billing(report);
        }
        let body = serde_json::to_vec(report).map_err(PanelCause::no_resources)?;
        let request = self
            .client
            .post(self.url(&self.service.settings.status)?)
            .header(CONTENT_TYPE, "application/json");
        let response = self.authorized(request)?.send(&body)?;
        if !response.status().is_success() {
            return Err(Trouble::answer(&self.service, response));
        }
        answer::json(response)?;
        Ok(())
    }

    pub(super) fn url(&self, path: &Template) -> Result<String, Trouble> {
        let values = Values {
            mac: self.connect_as.identity.mac,
            serial_number: self.connect_as.identity.serial_number.as_ref(),
            id: self.connect_as.id,
            model: self.connect_as.model.as_deref(),
            board: &self.connect_as.board,
        };
        let filled = path.fill(&values).map_err(|why| PanelCause::Unfilled {
            what: format!("the path {path}"),
            why: why.to_string(),
        })?;
        Ok(self.service.settings.base.url(&filled))
    }

    /// The MAC address that the panel carries.
    pub(super) fn mac(&self) -> Mac {
        self.connect_as.identity.mac
    }

    /// Adds the token. It is read each time, so that a new one works at once.
    pub(super) fn authorized<B>(
        &self,
        request: RequestBuilder<B>,
    ) -> Result<RequestBuilder<B>, Trouble> {
        let Some(file) = &self.service.settings.token else { return Ok(request) };
        let value = file.read_authorization(&self.service.place.root).map_err(PanelCause::file)?;
        Ok(request.header(AUTHORIZATION, value))
    }

    fn reached(&mut self) {
        self.told_lost = false;
        if !self.given_up.load(Ordering::Acquire) {
            self.service.health.reached();
        }
        self.tell(Event::Reachable { route: Route::Http, connection: self.connection });
    }

    fn tell(&self, event: Event) {
        if !self.given_up.load(Ordering::Acquire)
            && self.events.blocking_send(RouteEvent::Event(event)).is_err()
        {
            debug!("the daemon is ending");
        }
    }

    fn was_given_up(&self) -> Trouble {
        PanelCause::GivenUp.into()
    }
}

fn unreadable(bytes: u64) -> Unreadable {
    let text =
        format!("The body is {bytes} bytes long; a panel reads at most {MAX_REQUEST_BYTES}.");
    Unreadable { id: None, errors: Errors::on("body", text) }
}
