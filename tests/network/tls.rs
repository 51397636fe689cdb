//! TLS against real ends: every wrong one is refused, and the log says which wrong it is.

use std::thread;

use serde_json::json;

use crate::certificates::Authority;
use crate::common::{Board, NEW, request};
use crate::tls_end::{End, Kind, Terms, prove_by};

/// Over both routes, side by side.
fn on_both(run: impl Fn(Kind) + Sync) {
    thread::scope(|scope| {
        scope.spawn(|| run(Kind::Mosquitto));
        scope.spawn(|| run(Kind::Stunnel));
    });
}

/// The panel's log says all of this in one line, and upstream is not reached.
fn refused(board: &Board, said: &[&str]) {
    let mut daemon = board.start();
    let line = daemon.wait_for(said[0]);
    assert!(said.iter().all(|part| line.contains(part)), "{said:?}: {line}");
    assert_eq!(board.run(&["status", "--json"]).json()["reached"], json!([]));
}

fn reached(board: &Board) {
    let _daemon = board.start();
    board.wait_until_reached();
}

#[test]
fn a_certificate_of_a_trusted_authority_is_accepted() {
    on_both(|kind| {
        let ours = Authority::new("ours");
        let end = End::start(kind, &Terms::good(&ours));
        reached(&end.board(&ours));
    });
}

#[test]
fn a_certificate_of_another_authority_is_refused() {
    on_both(|kind| {
        let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
        let end = End::start(kind, &Terms::good(&theirs));
        refused(&end.board(&ours), &["an authority that this panel does not trust", "`ca_file`"]);
    });
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    on_both(|kind| {
        let ours = Authority::new("ours");
        let end =
            End::start(kind, &Terms { certificate_for: "other.example", ..Terms::good(&ours) });
        refused(&end.board(&ours), &["not for localhost", "other.example"]);
    });
}

#[test]
fn a_certificate_that_has_ended_is_refused() {
    on_both(|kind| {
        let ours = Authority::new("ours");
        let end = End::start(kind, &Terms { years: (2001, 2002), ..Terms::good(&ours) });
        refused(&end.board(&ours), &["its certificate ended at 2002-01-01", "renew"]);
    });
}

#[test]
fn a_certificate_that_has_not_begun_is_refused() {
    on_both(|kind| {
        let ours = Authority::new("ours");
        let end = End::start(kind, &Terms { years: (2100, 2200), ..Terms::good(&ours) });
        refused(&end.board(&ours), &["its certificate begins at 2100-01-01", "set the clock"]);
    });
}

#[test]
fn an_end_that_wants_a_client_certificate_gets_the_panels() {
    on_both(|kind| {
        let (ours, clients) = (Authority::new("ours"), Authority::new("clients"));
        let end = End::start(kind, &Terms { clients: Some(&clients), ..Terms::good(&ours) });
        let board = end.board(&ours);
        prove_by(&board, &clients);
        reached(&board);
    });
}

#[test]
fn without_the_client_certificate_that_is_wanted_the_log_says_so() {
    on_both(|kind| {
        let (ours, clients) = (Authority::new("ours"), Authority::new("clients"));
        let end = End::start(kind, &Terms { clients: Some(&clients), ..Terms::good(&ours) });
        refused(&end.board(&ours), &["it wants a client certificate", "`client_cert_file`"]);
    });
}

#[test]
fn a_client_certificate_whose_authority_the_end_has_dropped_is_told() {
    on_both(|kind| {
        let (ours, clients) = (Authority::new("ours"), Authority::new("clients"));
        let end = End::start(kind, &Terms { clients: Some(&clients), ..Terms::good(&ours) });
        let board = end.board(&ours);
        prove_by(&board, &Authority::new("dropped"));
        refused(&board, &["does not accept this panel's client certificate"]);
    });
}

/// In front of billing; the handshake is the same code on both routes.
#[test]
fn tls_1_3_alone_is_enough_and_tls_1_2_is_refused() {
    let ours = Authority::new("ours");
    let only = |version| Terms { version: Some(version), ..Terms::good(&ours) };
    reached(&End::start(Kind::Stunnel, &only("TLSv1.3")).board(&ours));
    let end = End::start(Kind::Stunnel, &only("TLSv1.2"));
    refused(&end.board(&ours), &["does not speak TLS 1.3"]);
}

#[test]
fn rsa_keys_are_as_good_on_both_ends() {
    on_both(|kind| {
        let ours = Authority::rsa("ours");
        let end = End::start(kind, &Terms { clients: Some(&ours), ..Terms::good(&ours) });
        let board = end.board(&ours);
        prove_by(&board, &ours);
        reached(&board);
    });
}

#[test]
fn a_whole_change_is_made_over_mutual_tls() {
    on_both(|kind| {
        let (ours, clients) = (Authority::new("ours"), Authority::new("clients"));
        let end = End::start(kind, &Terms { clients: Some(&clients), ..Terms::good(&ours) });
        let board = end.board(&ours);
        prove_by(&board, &clients);
        let mut daemon = board.start();
        board.wait_until_reached();
        match end.billing() {
            Some(billing) => {
                billing.create_old();
                billing.replace_old();
            }
            None => assert_eq!(
                board.run_with(&["apply", "-"], request("r-1").to_string().as_bytes()).code,
                0
            ),
        }
        daemon.wait_for("the report has arrived");
        assert_eq!(board.mac(), NEW);
    });
}
