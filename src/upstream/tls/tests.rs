//! TLS as a specification: real handshakes against the same library's server, in memory.

use std::fs;
use std::sync::Arc;

use rcgen::KeyPair;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, OtherError, PeerIncompatible, ServerConfig,
    ServerConnection,
};

use super::testing::{
    NOW, Sandbox, authority, authority_named, certificate, server, server_of, server_that_is,
    server_with,
};
use crate::upstream::cause::{Cause, TlsCause, tls_failure};

/// A handshake with `server`; what the panel says if it fails.
fn connect(client: ClientConfig, server: ServerConfig) -> Result<(), String> {
    let name = ServerName::try_from("billing.example").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    for _ in 0..10 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut unread = bytes.as_slice();
        while !unread.is_empty() {
            server.read_tls(&mut unread).unwrap();
            // The panel only gets its alert.
            let _ = server.process_new_packets();
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut unread = bytes.as_slice();
        while !unread.is_empty() {
            client.read_tls(&mut unread).unwrap();
            // Wrapped, as a socket returns it.
            let failed = |why| std::io::Error::new(std::io::ErrorKind::InvalidData, why);
            if let Err(why) = client.process_new_packets().map_err(failed) {
                return Err(in_words(tls_failure(&why).expect("a TLS failure")));
            }
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok(())
}

#[test]
fn a_server_of_a_trusted_authority_is_connected_to() {
    let (sandbox, authority) = (Sandbox::new("good"), authority());
    sandbox.write("ca.pem", &authority.pem());
    let client = sandbox.client("ca_file = \"/ca.pem\"").unwrap();
    assert_eq!(connect(client, server(&authority, "billing.example", NOW, None)), Ok(()));
}

#[test]
fn without_ca_file_the_systems_authorities_are_trusted() {
    let (sandbox, authority) = (Sandbox::new("system"), authority());
    let none = sandbox.client("").unwrap_err().to_string();
    assert!(none.contains("`ca_file`"), "{none}");
    fs::create_dir_all(sandbox.0.join("etc/ssl")).unwrap();
    sandbox.write("etc/ssl/cert.pem", &authority.pem());
    let client = sandbox.client("").unwrap();
    assert_eq!(connect(client, server(&authority, "billing.example", NOW, None)), Ok(()));
}

#[test]
fn every_wrong_certificate_has_its_own_message() {
    let (sandbox, ours) = (Sandbox::new("wrong"), authority());
    sandbox.write("ca.pem", &ours.pem());
    let said =
        |server| connect(sandbox.client("ca_file = \"/ca.pem\"").unwrap(), server).unwrap_err();

    let other = said(server(&authority_named("other"), "billing.example", NOW, None));
    assert!(other.contains("does not trust") && other.contains("`ca_file`"), "{other}");

    let renewed = said(server(&authority(), "billing.example", NOW, None));
    assert!(renewed.contains("signed with another key"), "{renewed}");

    let name = said(server(&ours, "other.example", NOW, None));
    assert!(name.contains("not for billing.example") && name.contains("other.example"), "{name}");

    let expired = said(server(&ours, "billing.example", (2000, 2001), None));
    assert!(expired.contains("ended at 2001-01-01T00:00:00Z"), "{expired}");

    let not_yet = said(server(&ours, "billing.example", (2100, 2200), None));
    assert!(not_yet.contains("begins at 2100-01-01T00:00:00Z"), "{not_yet}");
    assert!(
        not_yet.contains("the panel's clock says 20") && not_yet.contains("set the clock"),
        "{not_yet}"
    );
}

#[test]
fn server_name_replaces_the_host_in_the_check() {
    let (sandbox, ours) = (Sandbox::new("name"), authority());
    sandbox.write("ca.pem", &ours.pem());
    let client =
        || sandbox.client("ca_file = \"/ca.pem\"\nserver_name = \"other.example\"").unwrap();
    assert_eq!(connect(client(), server(&ours, "other.example", NOW, None)), Ok(()));
    let host = connect(client(), server(&ours, "billing.example", NOW, None)).unwrap_err();
    assert!(host.contains("not for other.example"), "{host}");
    let other = connect(client(), server(&authority_named("other"), "other.example", NOW, None));
    assert!(other.unwrap_err().contains("does not trust"));
}

#[test]
fn a_server_can_want_a_client_certificate() {
    let (sandbox, ours) = (Sandbox::new("mutual"), authority());
    sandbox.write("ca.pem", &ours.pem());
    let wants_one = || server(&ours, "billing.example", NOW, Some(&ours));
    let mine =
        "ca_file = \"/ca.pem\"\nclient_cert_file = \"/mine.pem\"\nclient_key_file = \"/mine.key\"";

    let without =
        connect(sandbox.client("ca_file = \"/ca.pem\"").unwrap(), wants_one()).unwrap_err();
    assert!(without.contains("`client_cert_file`"), "{without}");

    let (good, key) = certificate(&ours, "panel", NOW);
    sandbox.write("mine.pem", &good.pem());
    sandbox.write("mine.key", &key.serialize_pem());
    assert_eq!(connect(sandbox.client(mine).unwrap(), wants_one()), Ok(()));

    let (foreign, key) = certificate(&authority(), "panel", NOW);
    sandbox.write("mine.pem", &foreign.pem());
    sandbox.write("mine.key", &key.serialize_pem());
    let refused = connect(sandbox.client(mine).unwrap(), wants_one()).unwrap_err();
    assert!(refused.contains("does not accept this panel's client certificate"), "{refused}");
}

#[test]
fn insecure_accepts_every_server() {
    let sandbox = Sandbox::new("insecure");
    let client = sandbox.client("insecure = true").unwrap();
    let server = server(&authority_named("stranger"), "other.example", (2000, 2001), None);
    assert_eq!(connect(client, server), Ok(()));
}

#[test]
fn tls_1_2_is_spoken_unless_the_configuration_asks_for_1_3() {
    let (sandbox, ours) = (Sandbox::new("versions"), authority());
    sandbox.write("ca.pem", &ours.pem());
    let with = |settings: &str, version| {
        let client = sandbox.client(&format!("ca_file = \"/ca.pem\"\n{settings}")).unwrap();
        connect(client, server_of(version, &ours, "billing.example", NOW, None))
    };
    for settings in ["", "tls_min = \"1.2\""] {
        assert_eq!(with(settings, &TLS12), Ok(()));
        assert_eq!(with(settings, &TLS13), Ok(()));
    }
    assert_eq!(with("tls_min = \"1.3\"", &TLS13), Ok(()));
    let refused = with("tls_min = \"1.3\"", &TLS12).unwrap_err();
    assert!(refused.contains("none of the versions of TLS that this panel offers"), "{refused}");
}

#[test]
fn every_cipher_of_the_library_is_offered() {
    let (sandbox, ours) = (Sandbox::new("ciphers"), authority());
    sandbox.write("ca.pem", &ours.pem());
    for suite in default_provider().cipher_suites {
        // The certificate's key is for ECDSA.
        if format!("{:?}", suite.suite()).contains("_RSA_") {
            continue;
        }
        let client = sandbox.client("ca_file = \"/ca.pem\"").unwrap();
        let server = server_with(suite, &ours, "billing.example");
        assert_eq!(connect(client, server), Ok(()), "{suite:?}");
    }
}

/// TLS 1.2 has one alert for both causes.
#[test]
fn a_refused_handshake_names_both_possible_causes() {
    let alert = rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure);
    let text = in_words(&alert);
    assert!(text.contains("no cipher, curve or signature in common"), "{text}");
    assert!(text.contains("or it wants a client certificate"), "{text}");
}

#[test]
fn an_older_version_is_named() {
    for (why, says) in [
        (PeerIncompatible::ServerDoesNotSupportTls12Or13, "only speaks TLS 1.1 or older"),
        (PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig, "set `tls_min = \"1.2\"`"),
        (PeerIncompatible::NoKxGroupsInCommon, "no cipher, curve or signature in common"),
    ] {
        let text = in_words(&rustls::Error::PeerIncompatible(why));
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn an_authoritys_own_certificate_is_not_for_a_server() {
    let (sandbox, ours) = (Sandbox::new("self-signed"), authority());
    sandbox.write("ca.pem", &ours.pem());
    let client = sandbox.client("ca_file = \"/ca.pem\"").unwrap();
    let refused = connect(client, server_that_is(&ours)).unwrap_err();
    assert!(refused.contains("that of an authority (CA:TRUE)"), "{refused}");
}

#[test]
fn some_of_many_names_are_shown_and_none_as_the_library_writes_them() {
    let mut presented: Vec<String> =
        (0..300).map(|n| format!("DnsName(\"n{n}.example\")")).collect();
    presented[1] = "DnsName(\"\u{1b}[31m.example\")".to_owned();
    let expected = ServerName::try_from("billing.example").unwrap();
    let why = CertificateError::NotValidForNameContext { expected, presented };
    let text = in_words(&rustls::Error::InvalidCertificate(why));
    assert!(text.contains("but for n0.example, \\u{1b}[31m.example, n2.example"), "{text}");
    assert!(text.contains("and 296 more") && !text.contains("DnsName"), "{text}");
}

#[test]
fn a_certificate_that_tls_does_not_allow_is_explained_in_our_words() {
    for why in [webpki::Error::UnsupportedCertVersion, webpki::Error::PathLenConstraintViolated] {
        let other = CertificateError::Other(OtherError(Arc::new(why)));
        let text = in_words(&rustls::Error::InvalidCertificate(other));
        assert!(!text.contains("Error") && !text.contains("Unsupported"), "{text}");
    }
}

#[test]
fn client_keys_of_every_usual_kind_sign() {
    let sandbox = Sandbox::new("kinds");
    let ours = authority();
    sandbox.write("ca.pem", &ours.pem());
    let mine =
        "ca_file = \"/ca.pem\"\nclient_cert_file = \"/mine.pem\"\nclient_key_file = \"/mine.key\"";
    for kind in
        [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519]
    {
        let key = KeyPair::generate_for(kind).unwrap();
        let params = rcgen::CertificateParams::new(["panel".to_owned()]).unwrap();
        sandbox.write("mine.pem", &params.signed_by(&key, &ours).unwrap().pem());
        sandbox.write("mine.key", &key.serialize_pem());
        for version in [&TLS12, &TLS13] {
            let server = server_of(version, &ours, "billing.example", NOW, Some(&ours));
            assert_eq!(
                connect(sandbox.client(mine).unwrap(), server),
                Ok(()),
                "{kind:?} {version:?}"
            );
        }
    }
    // A key for X25519 cannot sign.
    sandbox.write(
        "mine.key",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n",
    );
    let unusable = sandbox.client(mine).unwrap_err().to_string();
    assert!(unusable.contains("/mine.key: it is neither RSA of 2048 bits"), "{unusable}");
}

#[test]
fn a_client_certificate_that_has_ended_has_its_own_message() {
    let (sandbox, ours) = (Sandbox::new("ended"), authority());
    let (mine, key) = certificate(&ours, "panel", (2000, 2001));
    sandbox.write("ca.pem", &ours.pem());
    sandbox.write("mine.pem", &mine.pem());
    sandbox.write("mine.key", &key.serialize_pem());
    let settings =
        "ca_file = \"/ca.pem\"\nclient_cert_file = \"/mine.pem\"\nclient_key_file = \"/mine.key\"";
    let server = server(&ours, "billing.example", NOW, Some(&ours));
    let refused = connect(sandbox.client(settings).unwrap(), server).unwrap_err();
    assert!(refused.contains("client certificate is not valid now"), "{refused}");
}

#[test]
fn alpn_offers_what_the_configuration_says() {
    let (sandbox, ours) = (Sandbox::new("alpn"), authority());
    sandbox.write("ca.pem", &ours.pem());
    let said = |alpn: &str, protocol: &[u8]| {
        let client = sandbox.client(&format!("ca_file = \"/ca.pem\"\n{alpn}")).unwrap();
        let mut server = server(&ours, "billing.example", NOW, None);
        server.alpn_protocols = vec![protocol.to_vec()];
        connect(client, server)
    };
    assert_eq!(said("alpn = [\"x\", \"mqtt\"]", b"mqtt"), Ok(()));
    assert_eq!(said("", b"mqtt"), Ok(()));
    let none = said("alpn = [\"mqtt\"]", b"http/1.1").unwrap_err();
    assert!(none.contains("check `alpn`"), "{none}");
}

#[test]
fn a_port_without_tls_is_recognised() {
    let (sandbox, authority) = (Sandbox::new("plain"), authority());
    sandbox.write("ca.pem", &authority.pem());
    let config = Arc::new(sandbox.client("ca_file = \"/ca.pem\"").unwrap());
    let name = ServerName::try_from("billing.example").unwrap();
    let mut client = ClientConnection::new(config, name).unwrap();
    client.read_tls(&mut b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice()).unwrap();
    let text = in_words(&client.process_new_packets().unwrap_err());
    assert!(text.contains("does not speak TLS"), "{text}");
}

#[test]
fn a_wrong_file_is_named_with_what_is_wrong() {
    let (sandbox, ours) = (Sandbox::new("files"), authority());
    let (mine, key) = certificate(&ours, "panel", NOW);
    let block = |label: &str, content: &str| {
        format!("-----BEGIN {label}-----\n{content}\n-----END {label}-----\n")
    };
    sandbox.write("ca.pem", &ours.pem());
    sandbox.write("empty.pem", "");
    sandbox.write("marked.pem", &format!("\u{feff}{}", ours.pem().replace('\n', "\r\n")));
    sandbox.write("wide.pem", &ours.pem().chars().flat_map(|c| [c, '\0']).collect::<String>());
    sandbox.write("torn.pem", "-----BEGIN CERTIFICATE-----\nAAAA");
    sandbox.write("junk.pem", &block("CERTIFICATE", "AAAA"));
    sandbox.write("mine.pem", &mine.pem());
    sandbox.write("mine.key", &key.serialize_pem());
    sandbox.write("other.key", &KeyPair::generate().unwrap().serialize_pem());
    sandbox.write("locked.key", &block("ENCRYPTED PRIVATE KEY", "c2VjcmV0"));
    sandbox.write("torn.key", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0");

    let ca =
        |file: &str| sandbox.client(&format!("ca_file = \"/{file}\"")).unwrap_err().to_string();
    assert!(ca("none.pem").starts_with("/none.pem: it cannot be read"), "{}", ca("none.pem"));
    assert!(ca("empty.pem").starts_with("/empty.pem: it holds no certificate"));
    assert!(ca("wide.pem").contains("it is UTF-16: save it as UTF-8"), "{}", ca("wide.pem"));
    assert!(sandbox.client("ca_file = \"/marked.pem\"").is_ok());
    assert!(ca("torn.pem").starts_with("/torn.pem: it is not PEM"), "{}", ca("torn.pem"));
    assert!(
        ca("junk.pem").starts_with("/junk.pem: its certificate number 1"),
        "{}",
        ca("junk.pem")
    );

    let pair = |cert: &str, key: &str| {
        let settings = format!(
            "ca_file = \"/ca.pem\"\nclient_cert_file = \"/{cert}\"\nclient_key_file = \"/{key}\""
        );
        sandbox.client(&settings).unwrap_err().to_string()
    };
    assert!(pair("empty.pem", "mine.key").starts_with("/empty.pem: it holds no certificate"));
    let mismatch = pair("mine.pem", "other.key");
    assert!(
        mismatch.starts_with("/other.key: it is not the key of the certificate in /mine.pem"),
        "{mismatch}"
    );
    assert!(pair("mine.pem", "locked.key").starts_with("/locked.key: it holds no private key"));
    let torn = pair("mine.pem", "torn.key");
    assert!(torn.starts_with("/torn.key: it is not PEM") && !torn.contains("c2Vj"), "{torn}");
    sandbox.write("keys/other.key", "");
    assert!(pair("mine.pem", "keys/none.key").contains("/keys/none.key"));
}

fn in_words(failure: &rustls::Error) -> String {
    Cause::from(TlsCause::from(failure)).to_string()
}
