//! What the sections of the routes have in common: whom the panel trusts, and how it proves itself.

use super::section::{Section, Wrong};
use super::settings::{ClientCertificate, Tls, TlsVersion, Trust};
use super::values::{not_empty, path, secret};

/// None of it is of any use to a plain connection; `needs` is the URL that it takes. `credentials`
/// tells whether the section has a user name or a token.
pub(super) fn tls(
    section: &mut Section,
    used: bool,
    needs: &str,
    credentials: bool,
) -> Result<Tls, Wrong> {
    let insecure = section.on("insecure")?;
    let confirmed = section.on("insecure_with_credentials")?;
    if !used {
        let keys = ["ca_file", "client_cert_file", "client_key_file", "server_name", "tls_min"];
        let given = keys.into_iter().filter_map(|key| Some((key, section.place(key)?)));
        let given = given.chain(insecure.clone().map(|at| ("insecure", at))).next();
        if let Some((key, at)) = given {
            let text = format!("it is only used over TLS, which needs {needs}");
            return Err(section.wrong(key, at, text));
        }
    }
    let client = client_certificate(section)?;
    let credentials = credentials || client.is_some();
    let wrong = |section: &Section, key, at, text| Err(section.wrong(key, at, text));
    let trust = match (insecure, confirmed) {
        (None, None) => Trust::Authorities {
            ca_file: section.optional("ca_file", &path)?,
            server_name: section.optional("server_name", &not_empty)?,
        },
        (Some(at), None) if credentials => {
            return wrong(
                section,
                "insecure",
                at,
                "whoever answers in the server's place would be given this section's credentials: \
                 set `ca_file` instead, or confirm it with `insecure_with_credentials = true`",
            );
        }
        (Some(_), confirmed) => {
            for key in ["ca_file", "server_name"] {
                if let Some(at) = section.place(key) {
                    let text = "with `insecure = true` no certificate is checked: take one of the two away";
                    return wrong(section, key, at, text);
                }
            }
            if let (Some(at), false) = (confirmed, credentials) {
                let text = "there are no credentials to confirm it for: leave it out";
                return wrong(section, "insecure_with_credentials", at, text);
            }
            Trust::Anyone
        }
        (None, Some(at)) => {
            let text = "it is only used with `insecure = true`";
            return wrong(section, "insecure_with_credentials", at, text);
        }
    };
    let min_version = section.optional("tls_min", &version)?.unwrap_or_default();
    Ok(Tls { trust, min_version, client })
}

fn version(text: &str) -> Result<TlsVersion, String> {
    match text {
        "1.2" => Ok(TlsVersion::V1_2),
        "1.3" => Ok(TlsVersion::V1_3),
        _ => {
            Err(format!("`{text}` is not a version that the panel can ask for: \"1.2\" or \"1.3\""))
        }
    }
}

fn client_certificate(section: &mut Section) -> Result<Option<ClientCertificate>, Wrong> {
    let (cert, key) = ("client_cert_file", "client_key_file");
    for (given, needed) in [(cert, key), (key, cert)] {
        if let (Some(at), None) = (section.place(given), section.place(needed)) {
            return Err(section.wrong(given, at, format!("it needs `{needed}` beside it")));
        }
    }
    let Some(cert_file) = section.optional(cert, &path)? else { return Ok(None) };
    Ok(Some(ClientCertificate { cert_file, key: section.required(key, &secret)? }))
}
