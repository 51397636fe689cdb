//! One attempt to reach the service, to look at the way: by the route's own client, with questions
//! that change nothing there.

use std::sync::{Arc, OnceLock};

use intercom_wire::signature::Keys;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use ureq::Body;
use ureq::http::header::{ALLOW, CONNECTION, CONTENT_ENCODING};
use ureq::http::{Response, StatusCode};

use super::Service;
use super::client::TimeLimits;
use super::elements::Elements;
use super::exchange::Exchange;
use super::trouble::Trouble;
use super::worker::{Done, Job, Worker};
use crate::agent::seams::{ConnectIdentity, Connection};
use crate::config::HttpSettings;
use crate::record::Route;
use crate::upstream::cause::{Cause, HttpCause, PanelCause, Said};
use crate::upstream::legs::Leg;
use crate::upstream::{Health, Place};

/// Tries once to reach the service. `health` is told of each leg.
pub(crate) async fn attempt(
    route: Route,
    settings: HttpSettings,
    place: Place,
    connect_as: ConnectIdentity,
    health: Health,
) -> Result<(), Arc<Cause>> {
    let service = Arc::new(Service {
        route,
        settings,
        place,
        keys: Keys::default(),
        limits: TimeLimits::for_a_look(),
        nonce: OnceLock::new(),
        runtime: Handle::current(),
        health,
    });
    // It only gets the events of polls, and there are none.
    let (events, _) = mpsc::channel(1);
    let looked = match Worker::start(&service, connect_as, Connection::default(), events) {
        Ok(mut worker) => {
            worker.begin(Job::Look);
            match worker.done().await {
                Some(Done::Looked(looked)) => looked,
                _ => Err(PanelCause::no_resources("its thread has ended").into()),
            }
        }
        Err(why) => Err(PanelCause::no_resources(why).into()),
    };
    looked.map_err(|trouble| trouble.cause)
}

/// Reads the list up to its first element.
///
/// # Errors
/// That it is none.
fn read_beginning(response: Response<Body>) -> Result<(), Trouble> {
    if response.headers().contains_key(CONTENT_ENCODING) {
        return Err(HttpCause::Compressed.into());
    }
    let mut elements = Elements::open(response.into_body().into_reader())?;
    elements.next()?;
    Ok(())
}

impl Exchange {
    /// Asks what changes nothing.
    pub(super) fn look(&self) -> Result<(), Trouble> {
        let (leg, found) = match self.service.route {
            Route::Billing => (Leg::Api, self.ask_api()),
            Route::Http | Route::Mqtt => (Leg::List, self.ask_list().map(|found| (found, None))),
        };
        let (found, doubt) = found.map_err(|trouble| self.service.explained(trouble))?;
        self.service.health.passes(leg, found);
        if let Some(cause) = doubt {
            self.service.health.doubts(Cause::from(cause).advice());
        }
        Ok(())
    }

    /// Asks for the list of pending requests without saying for which panel, which is no poll: the
    /// service says that something is missing, or gives a list. Of that the beginning is read, by the
    /// same rules as a poll's: a captive portal answers with a page of its own.
    fn ask_list(&self) -> Result<String, Trouble> {
        let url = self.url(&self.service.settings.pending)?;
        let request = self.client.get(url).header(CONNECTION, "close");
        let response = self.authorized(request)?.call()?;
        match response.status() {
            StatusCode::NO_CONTENT => Ok("it answers that nothing is pending".to_owned()),
            status if status.is_success() => {
                read_beginning(response)?;
                Ok("it answers with a list".to_owned())
            }
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                Ok("it answers, and takes the token".to_owned())
            }
            _ => Err(Trouble::answer(&self.service, response)),
        }
    }

    /// Asks for this panel's record, and which methods may be used: never a PATCH, which would change
    /// the record. Where nothing is there by either question, `url` may be wrong.
    fn ask_api(&self) -> Result<(String, Option<HttpCause>), Trouble> {
        let is_known = self.show(self.mac())?.is_some();
        let found = match is_known {
            true => "it knows this panel",
            false => "it answers, and does not know this panel",
        };
        let url = self.url(&self.service.settings.status)?;
        let request = self.client.options(url).header(CONNECTION, "close");
        let response = self.authorized(request)?.call()?;
        // RFC 9110, sections 9.3.7 and 15.5.6. Who names no methods tells nothing.
        let allowed = response.headers().get(ALLOW).and_then(|allowed| allowed.to_str().ok());
        match allowed {
            Some(methods) if methods.split(',').any(|method| method.trim() == "PATCH") => {
                Ok((format!("{found}; PATCH is let through"), None))
            }
            Some(methods) => {
                let said = self.service.without_token(&format!("only {methods}"));
                let said = Said::new(said.as_deref());
                Err(HttpCause::Method { said }.into())
            }
            None => {
                let is_nothing_there = !is_known && response.status() == StatusCode::NOT_FOUND;
                let doubt = HttpCause::UnknownIntercom { said: Said::default() };
                Ok((
                    format!("{found}; it does not say whether PATCH is let through"),
                    is_nothing_there.then_some(doubt),
                ))
            }
        }
    }
}
