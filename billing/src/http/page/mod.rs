//! The page for people: what needs an operator, and the replacements. It is written on the server,
//! loads nothing from elsewhere and can be read without scripts.

mod asset;
mod home;
mod layout;
mod sign_in;
mod visitor;

use axum::Router;
use axum::routing::{get, post};

use crate::operations::Billing;

/// The routes of the page. Who may see one, its handler says: see `visitor`.
pub(super) fn routes() -> Router<Billing> {
    Router::new()
        .route("/", get(home::show).post(home::press))
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/style.css", get(asset::style))
}
