//! TLS against real ends: every wrong one is refused, and the log says which wrong it is.

use std::thread;

use intercom_test_support::certificates::{Authority, Keys};
use intercom_test_support::{Board, NEW, request};
use serde_json::json;

use crate::tls_end::{End, Kind, Speaks, Terms, prove_by};

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

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];
const CHACHA20: Speaks = Speaks {
    version: None,
    ciphers: Some("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"),
    ciphersuites: Some("TLS_CHACHA20_POLY1305_SHA256"),
};
const AES: Speaks = Speaks {
    version: None,
    ciphers: Some("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"),
    ciphersuites: Some("TLS_AES_128_GCM_SHA256"),
};

#[test]
fn tls_1_2_alone_and_1_3_alone_are_enough_with_either_kind_of_cipher() {
    let ours = &Authority::new("ours");
    thread::scope(|scope| {
        for version in VERSIONS {
            for ciphers in [Speaks::default(), CHACHA20, AES] {
                scope.spawn(move || {
                    on_both(|kind| {
                        let speaks = Speaks { version: Some(version), ..ciphers };
                        let end = End::start(kind, &Terms { speaks, ..Terms::good(ours) });
                        reached(&end.board(ours));
                    });
                });
            }
        }
    });
}

#[test]
fn what_is_not_spoken_here_is_refused_in_words() {
    let ours = Authority::new("ours");
    let with = |speaks| {
        let end = End::start(Kind::Stunnel, &Terms { speaks, ..Terms::good(&ours) });
        let board = end.board(&ours);
        (end, board)
    };
    let (_end, board) = with(Speaks::only("TLSv1.1"));
    refused(&board, &["none of the versions of TLS that this panel offers", "1.2 and 1.3"]);
    let (_end, board) = with(Speaks::only("TLSv1.2"));
    board.configure("tls_min = \"1.3\"");
    refused(&board, &["none of the versions of TLS that this panel offers", "`tls_min"]);
    let cbc = Speaks { ciphers: Some("ECDHE-ECDSA-AES256-SHA"), ..Speaks::only("TLSv1.2") };
    let (_end, board) = with(cbc);
    refused(&board, &["no cipher, curve or signature in common", "AES-GCM"]);
    let ccm = Speaks { ciphersuites: Some("TLS_AES_128_CCM_SHA256"), ..Speaks::only("TLSv1.3") };
    let (_end, board) = with(ccm);
    refused(&board, &["no cipher, curve or signature in common", "AES-GCM"]);
}

#[test]
fn over_tls_1_2_a_missing_client_certificate_is_told_among_the_causes() {
    let (ours, clients) = (Authority::new("ours"), Authority::new("clients"));
    on_both(|kind| {
        let speaks = Speaks::only("TLSv1.2");
        let end =
            End::start(kind, &Terms { clients: Some(&clients), speaks, ..Terms::good(&ours) });
        refused(&end.board(&ours), &["it wants a client certificate", "`client_cert_file`"]);
    });
}

#[test]
fn keys_of_every_usual_kind_are_good_on_both_ends() {
    thread::scope(|scope| {
        for keys in [Keys::P256, Keys::P384, Keys::Rsa2048, Keys::Rsa4096, Keys::Ed25519] {
            scope.spawn(move || {
                let ours = Authority::of(keys, "ours");
                for version in VERSIONS {
                    on_both(|kind| {
                        let speaks = Speaks::only(version);
                        let terms = Terms { clients: Some(&ours), speaks, ..Terms::good(&ours) };
                        let end = End::start(kind, &terms);
                        let board = end.board(&ours);
                        prove_by(&board, &ours);
                        reached(&board);
                    });
                }
            });
        }
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
