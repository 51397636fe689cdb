//! The `[signature]` section: whose signatures count, and whether one is needed.

use super::found::FoundSignature;
use super::settings::SignatureSettings;
use super::values::Wrong;
use crate::signature::{Keys, PublicKey};

pub(super) fn signature(found: FoundSignature) -> Result<SignatureSettings, Wrong> {
    let key = "signature.keys";
    let mut keys = Vec::new();
    for (key_id, value) in found.keys {
        let wrong = |text| Wrong { key, span: Some(value.span()), text };
        if key_id.is_empty() {
            return Err(wrong(
                "a key without a name: give it the `kid` that billing signs with".to_owned(),
            ));
        }
        let public_key: PublicKey = value
            .get_ref()
            .parse()
            // The value is not shown: it may be the private key, by mistake.
            .map_err(|why| wrong(format!("the value of `{}` {why}", key_id.escape_debug())))?;
        keys.push((key_id, public_key));
    }
    let keys: Keys = keys.into_iter().collect();
    match found.required {
        Some(required) if *required.get_ref() && keys.is_empty() => Err(Wrong {
            key: "signature.required",
            span: Some(required.span()),
            text: "it needs `keys` beside it: without one, every request would be ignored"
                .to_owned(),
        }),
        required => {
            Ok(SignatureSettings { required: required.is_some_and(|r| r.into_inner()), keys })
        }
    }
}
