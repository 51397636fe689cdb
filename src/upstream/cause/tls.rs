//! What a TLS failure means.

use std::error::Error;
use std::io;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, OtherError, PeerIncompatible};

use super::shown::names;
use super::{Cause, NetworkCause};
use crate::clock::WallTime;

causes! {
    /// Why there is no TLS connection.
    enum TlsCause {
        /// The certificate comes from an authority that is not in `ca_file`.
        UnknownAuthority = "tls-authority",
            "its certificate comes from an authority that this panel does not trust",
            "set `ca_file` to the PEM file of that authority; or let the server send the intermediate certificates that lead to one";
        /// The certificate has other names.
        WrongName { expected: String, names: String } = "tls-name",
            "its certificate is not for {expected} but for {names}",
            "use such a name in the URL (or as `server_name`), or give the server another certificate";
        /// The certificate has ended.
        Expired { ended: WallTime, now: WallTime } = "tls-expired",
            "its certificate ended at {ended}; the panel's clock says {now}",
            "renew the certificate, or set the clock if it is wrong";
        /// The certificate has not begun.
        NotYet { begins: WallTime, now: WallTime } = "tls-not-yet",
            "its certificate begins at {begins}; the panel's clock says {now} and is probably behind",
            "set the clock (NTP)";
        /// A signature does not fit.
        BadSignature = "tls-signature",
            "a signature is wrong: its certificate names an authority that this panel trusts, but was signed with another key; or one of the keys is RSA of less than 2048 bits",
            "if that authority has a new key, set `ca_file` to its new PEM file; else use larger keys";
        /// The certificate is an authority's own.
        Authority = "tls-ca-as-server",
            "its certificate is that of an authority (CA:TRUE), not of a server",
            "give the server a certificate that the authority has signed";
        /// The certificate has version 1.
        Version1 = "tls-version-1",
            "its certificate has version 1; TLS needs an X.509 certificate of version 3",
            "make it with extensions (openssl x509 -extfile)";
        /// The certificate is not accepted for another reason.
        Certificate { why: String } = "tls-certificate",
            "its certificate {why}",
            "give the server another certificate";
        /// The server speaks TLS 1.2 and `tls_min` excludes that.
        TlsMin = "tls-min",
            "it only speaks TLS 1.2 or older, and `tls_min = \"1.3\"` excludes that",
            "update the server, or set `tls_min = \"1.2\"`";
        /// The server speaks nothing newer than TLS 1.1.
        OldTls = "tls-old",
            "it only speaks TLS 1.1 or older, which is not safe and which this panel does not support",
            "update the server";
        /// The server refuses each version that the panel offers.
        NoVersion = "tls-no-version",
            "it speaks none of the versions of TLS that this panel offers (1.2 and 1.3, or only 1.3 with `tls_min = \"1.3\"`)",
            "update the server, or remove `tls_min`";
        /// Client and server have no cryptography in common.
        NothingInCommon = "tls-nothing-in-common",
            "it and this panel have no cipher, curve or signature in common (this panel has AES-GCM and ChaCha20-Poly1305, X25519, P-256 and P-384)",
            "let the server take one of those";
        /// TLS 1.2 has one alert (40) for both.
        HandshakeFailure = "tls-handshake",
            "it and this panel have no cipher, curve or signature in common (this panel has AES-GCM and ChaCha20-Poly1305, X25519, P-256 and P-384); or it wants a client certificate (alert 40)",
            "let the server take one of those; or set `client_cert_file` and `client_key_file`";
        /// The server cannot check what the panel signs.
        ClientKeyKind = "tls-client-key",
            "it cannot check signatures of the key in `client_key_file`",
            "use a key of another kind (ECDSA P-256 is the most common)";
        /// The server wants a client certificate.
        ClientCertificateWanted = "tls-client-wanted",
            "it wants a client certificate",
            "set `client_cert_file` and `client_key_file`";
        /// The client certificate has ended or not begun.
        ClientCertificateExpired = "tls-client-expired",
            "it says that this panel's client certificate is not valid now",
            "renew the one in `client_cert_file`";
        /// The server refuses the client certificate, or that there is none. The alert's number is in
        /// RFC 8446, section 6.
        ClientCertificateRefused { alert: u8 } = "tls-client-refused",
            "it does not accept this panel's client certificate, or requires one (alert {alert})",
            "check `client_cert_file`";
        /// ALPN finds no protocol.
        NoProtocol = "tls-alpn",
            "it speaks none of the protocols that ALPN offers",
            "check `alpn`, and whether this is the right port";
        /// The server refuses the name that it is called by.
        NameRefused = "tls-name-refused",
            "it does not have that name",
            "check the host in the URL";
        /// The server ends the handshake with another alert.
        Alert { alert: u8 } = "tls-alert",
            "it ended the TLS connection (alert {alert})",
            "";
        /// What answers is not TLS.
        NotSpoken = "tls-not-spoken",
            "what answers there does not speak TLS",
            "if that port has no TLS, write mqtt:// or http://; else correct the port";
        /// The connection is closed in the handshake, without a word.
        Cut = "tls-cut",
            "it closed the connection in the TLS handshake",
            "if that port has no TLS, write mqtt:// or http://; else look at what lies before the server";
        /// A server that got no TLS speaks it.
        Spoken = "tls-spoken",
            "what listens there speaks TLS, and the URL is one without",
            "write mqtts:// or https://, or correct the port";
        /// Anything else, as the library describes it.
        Other { why: String } = "tls",
            "TLS failed: {why}",
            "";
    }
}

/// The TLS failure in an error, however deep it is wrapped.
pub(crate) fn tls_failure<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    // The source of an io::Error is the source of the error that it wraps, which would skip that one.
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match wrapped {
        Some(inner) => tls_failure(inner),
        None => error.source().and_then(tls_failure),
    }
}

impl TlsCause {
    /// The handshake has failed on a connection that was made.
    pub(crate) fn in_handshake(why: &io::Error) -> Cause {
        match Cause::from(why) {
            Cause::Network(NetworkCause::Closed) => TlsCause::Cut.into(),
            other => other,
        }
    }
}

impl From<&rustls::Error> for TlsCause {
    fn from(failure: &rustls::Error) -> Self {
        match failure {
            rustls::Error::InvalidCertificate(why) => certificate(why),
            rustls::Error::AlertReceived(alert) => refusal(*alert),
            rustls::Error::InvalidMessage(_) => TlsCause::NotSpoken,
            rustls::Error::PeerIncompatible(why) => incompatible(why),
            rustls::Error::NoApplicationProtocol => TlsCause::NoProtocol,
            other => TlsCause::Other { why: other.to_string() },
        }
    }
}

fn incompatible(why: &PeerIncompatible) -> TlsCause {
    match why {
        PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => TlsCause::TlsMin,
        PeerIncompatible::ServerDoesNotSupportTls12Or13 => TlsCause::OldTls,
        PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => TlsCause::ClientKeyKind,
        _ => TlsCause::NothingInCommon,
    }
}

fn certificate(why: &CertificateError) -> TlsCause {
    let why = match why {
        CertificateError::UnknownIssuer => return TlsCause::UnknownAuthority,
        CertificateError::NotValidForNameContext { expected, presented } => {
            let expected = expected.to_str().into_owned();
            return TlsCause::WrongName { expected, names: names(presented) };
        }
        CertificateError::ExpiredContext { time, not_after } => {
            return TlsCause::Expired { ended: shown(*not_after), now: shown(*time) };
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            return TlsCause::NotYet { begins: shown(*not_before), now: shown(*time) };
        }
        CertificateError::BadSignature => return TlsCause::BadSignature,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not for a server"
        }
        CertificateError::Revoked => "was revoked",
        CertificateError::BadEncoding => "cannot be read",
        CertificateError::UnhandledCriticalExtension => {
            "has a critical extension that this panel does not know"
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "is signed in a way that this panel cannot check"
        }
        CertificateError::Other(OtherError(other)) => match other.downcast_ref() {
            Some(webpki::Error::UnsupportedCertVersion) => return TlsCause::Version1,
            Some(webpki::Error::CaUsedAsEndEntity) => return TlsCause::Authority,
            Some(other) => unsuitable(other),
            None => return TlsCause::Certificate { why: format!("is not accepted: {other}") },
        },
        other => return TlsCause::Certificate { why: format!("is not accepted: {other}") },
    };
    TlsCause::Certificate { why: why.to_owned() }
}

/// A certificate that can be read, and that TLS does not allow.
fn unsuitable(why: &webpki::Error) -> &'static str {
    match why {
        webpki::Error::EndEntityUsedAsCa => "was signed by one that is not an authority (CA:FALSE)",
        webpki::Error::NameConstraintViolation => "has a name that its authority must not sign",
        webpki::Error::PathLenConstraintViolated
        | webpki::Error::MaximumPathBuildCallsExceeded
        | webpki::Error::MaximumPathDepthExceeded
        | webpki::Error::MaximumSignatureChecksExceeded
        | webpki::Error::MaximumNameConstraintComparisonsExceeded => {
            "comes with a chain of authorities that is too long"
        }
        _ => "has a form that this panel does not understand",
    }
}

/// What the server refuses.
fn refusal(alert: AlertDescription) -> TlsCause {
    match alert {
        AlertDescription::CertificateRequired => TlsCause::ClientCertificateWanted,
        AlertDescription::CertificateExpired => TlsCause::ClientCertificateExpired,
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => {
            TlsCause::ClientCertificateRefused { alert: u8::from(alert) }
        }
        AlertDescription::NoApplicationProtocol => TlsCause::NoProtocol,
        AlertDescription::ProtocolVersion => TlsCause::NoVersion,
        AlertDescription::HandshakeFailure => TlsCause::HandshakeFailure,
        AlertDescription::InsufficientSecurity => TlsCause::NothingInCommon,
        AlertDescription::UnrecognisedName => TlsCause::NameRefused,
        other => TlsCause::Alert { alert: u8::from(other) },
    }
}

fn shown(time: UnixTime) -> WallTime {
    WallTime::from_unix_seconds(time.as_secs())
}
