//! TLS failures in words: what happened, and what to do.

use std::error::Error;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, OtherError, PeerIncompatible};

use crate::clock::WallTime;

const NOTHING_IN_COMMON: &str = "it and this panel have no cipher, curve or signature in common (this panel has \
    AES-GCM and ChaCha20-Poly1305, X25519, P-256 and P-384)";

/// The TLS failure in an error, however deep it is wrapped.
pub(crate) fn tls_failure<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    // The source of an io::Error is the source of the error that it wraps, which would skip that one.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match wrapped {
        Some(inner) => tls_failure(inner),
        None => error.source().and_then(tls_failure),
    }
}

/// A clause that follows the server's name and a colon.
pub(crate) fn explain(failure: &rustls::Error) -> String {
    match failure {
        rustls::Error::InvalidCertificate(why) => certificate(why),
        rustls::Error::AlertReceived(alert) => refusal(*alert),
        rustls::Error::InvalidMessage(_) => {
            "what answers does not speak TLS: is this the port for TLS?".to_owned()
        }
        rustls::Error::PeerIncompatible(why) => incompatible(why).to_owned(),
        rustls::Error::NoApplicationProtocol => no_protocol(),
        other => format!("TLS failed: {other}"),
    }
}

/// How many names of a certificate are shown.
const MAX_NAMES: usize = 4;

/// The names of a certificate. The library writes each as `Kind("name")`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let inside =
            name.split_once('(').map_or(name.as_str(), |(_, rest)| rest.trim_end_matches(')'));
        inside.trim_matches('"').escape_debug().take(80).collect::<String>()
    };
    let shown: Vec<String> = presented.iter().take(MAX_NAMES).map(bare).collect();
    match presented.len() {
        0 => "no name at all".to_owned(),
        count if count > MAX_NAMES => {
            format!("{} and {} more", shown.join(", "), count - MAX_NAMES)
        }
        _ => shown.join(", "),
    }
}

fn incompatible(why: &PeerIncompatible) -> &'static str {
    match why {
        PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
            "it only speaks TLS 1.2 or older, and `tls_min = \"1.3\"` excludes that: update the server, or set `tls_min = \"1.2\"`"
        }
        PeerIncompatible::ServerDoesNotSupportTls12Or13 => {
            "it only speaks TLS 1.1 or older, which is not safe and which this panel does not support: update the server"
        }
        PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => {
            "it cannot check signatures of the key in `client_key_file`: use a key of another kind (ECDSA P-256 is the most common)"
        }
        _ => NOTHING_IN_COMMON,
    }
}

fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "its certificate comes from an authority that this panel does not trust: \
             set `ca_file` to the PEM file of that authority; or the server does not send the \
             intermediate certificates that lead to one"
                .to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "its certificate is not for {} but for {}: use such a name in the URL (or as `server_name`), \
             or give the server another certificate",
            expected.to_str(),
            names(presented)
        ),
        CertificateError::ExpiredContext { time, not_after } => format!(
            "its certificate ended at {}; the panel's clock says {}: renew the certificate, or set the clock if it is wrong",
            shown(*not_after),
            shown(*time)
        ),
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "its certificate begins at {}; the panel's clock says {} and is probably behind: set the clock (NTP)",
            shown(*not_before),
            shown(*time)
        ),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its certificate is not for a server".to_owned()
        }
        CertificateError::Revoked => "its certificate was revoked".to_owned(),
        CertificateError::BadSignature => {
            "a signature is wrong: its certificate names an authority that this panel trusts, but was \
             signed with another key (if that authority has a new key, set `ca_file` to its new PEM \
             file); or one of the keys is RSA of less than 2048 bits, which is not accepted"
                .to_owned()
        }
        CertificateError::BadEncoding => "its certificate cannot be read".to_owned(),
        CertificateError::UnhandledCriticalExtension => {
            "its certificate has a critical extension that this panel does not know".to_owned()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its certificate is signed in a way that this panel cannot check".to_owned()
        }
        CertificateError::Other(OtherError(why)) => match why.downcast_ref() {
            Some(why) => unsuitable(why).to_owned(),
            None => format!("its certificate is not accepted: {why}"),
        },
        other => format!("its certificate is not accepted: {other}"),
    }
}

/// A certificate that can be read, and that TLS does not allow.
fn unsuitable(why: &webpki::Error) -> &'static str {
    match why {
        webpki::Error::UnsupportedCertVersion => {
            "its certificate has version 1; TLS needs an X.509 certificate of version 3: make it with extensions \
             (openssl x509 -extfile)"
        }
        webpki::Error::CaUsedAsEndEntity => {
            "its certificate is that of an authority (CA:TRUE), not of a server: give the server a certificate that \
             the authority has signed"
        }
        webpki::Error::EndEntityUsedAsCa => {
            "its certificate was signed by one that is not an authority (CA:FALSE)"
        }
        webpki::Error::NameConstraintViolation => {
            "its certificate has a name that its authority must not sign"
        }
        webpki::Error::PathLenConstraintViolated
        | webpki::Error::MaximumPathBuildCallsExceeded
        | webpki::Error::MaximumPathDepthExceeded
        | webpki::Error::MaximumSignatureChecksExceeded
        | webpki::Error::MaximumNameConstraintComparisonsExceeded => {
            "its certificate comes with a chain of authorities that is too long"
        }
        _ => "its certificate has a form that this panel does not understand",
    }
}

/// What the server refuses. The numbers of alerts are in RFC 8446, section 6.
fn refusal(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => {
            "it wants a client certificate: set `client_cert_file` and `client_key_file`".to_owned()
        }
        AlertDescription::CertificateExpired => {
            "the server says that this panel's client certificate is not valid now: \
             renew the one in `client_cert_file`"
                .to_owned()
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => {
            format!(
                "it does not accept this panel's client certificate, or requires one (alert {}): check `client_cert_file`",
                u8::from(alert)
            )
        }
        AlertDescription::NoApplicationProtocol => no_protocol(),
        AlertDescription::ProtocolVersion => {
            "it speaks none of the versions of TLS that this panel offers (1.2 and 1.3, or only 1.3 with \
             `tls_min = \"1.3\"`): update the server, or remove `tls_min`"
                .to_owned()
        }
        // TLS 1.2 has one alert for both.
        AlertDescription::HandshakeFailure => {
            format!("{NOTHING_IN_COMMON}; or it wants a client certificate: set `client_cert_file` and `client_key_file`")
        }
        AlertDescription::InsufficientSecurity => NOTHING_IN_COMMON.to_owned(),
        AlertDescription::UnrecognisedName => {
            "it does not have that name: check the host in the URL".to_owned()
        }
        other => format!("it ended the TLS connection (alert {})", u8::from(other)),
    }
}

fn no_protocol() -> String {
    "it speaks none of the protocols that ALPN offers: check `alpn`, and whether this is the right port".to_owned()
}

fn shown(time: UnixTime) -> WallTime {
    WallTime::from_unix_seconds(time.as_secs())
}
