//! What `[mqtt]` and `[http]` have in common: whom the panel trusts, and how it proves itself.

use super::found::Text;
use super::settings::{ClientCertificate, Tls};
use super::values::{Wrong, given, not_empty, optional, path, secret};

/// CA file, client certificate, its key, and server name; none of which a plain connection uses.
pub(super) fn tls(used: bool, needs: &str, found: [(&'static str, Text); 4]) -> Result<Tls, Wrong> {
    if let (false, Some((key, Some(value)))) =
        (used, found.iter().find(|(_, value)| value.is_some()))
    {
        return Err(Wrong {
            key,
            span: Some(value.span()),
            text: format!("it is only used over TLS, which needs {needs}"),
        });
    }
    let [ca_file, cert_file, key_file, server_name] = found;
    let client = match (cert_file, key_file) {
        ((_, None), (_, None)) => None,
        ((cert, Some(cert_file)), (key, Some(key_file))) => Some(ClientCertificate {
            cert_file: given(cert, cert_file, path)?,
            key: given(key, key_file, secret)?,
        }),
        ((key, Some(alone)), (needed, None)) | ((needed, None), (key, Some(alone))) => {
            let needed = needed.rsplit('.').next().unwrap_or(needed);
            return Err(Wrong {
                key,
                span: Some(alone.span()),
                text: format!("it needs `{needed}` beside it"),
            });
        }
    };
    Ok(Tls {
        ca_file: optional(ca_file.0, ca_file.1, path)?,
        client,
        server_name: optional(server_name.0, server_name.1, not_empty)?,
    })
}
