//! The `[signature]` section: whose signatures count, and whether one is needed.

use intercom_wire::signature::{Keys, PublicKey};

use super::section::{Section, Wrong};
use super::settings::SignatureSettings;

pub(super) fn signature(mut section: Section) -> Result<SignatureSettings, Wrong> {
    let mut keys = Vec::new();
    for (key_id, value) in section.all_texts("keys")? {
        let wrong = |text: String| section.wrong("keys", value.span(), text);
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
    match section.on("required")? {
        Some(at) if keys.is_empty() => Err(section.wrong(
            "required",
            at,
            "it needs `keys` beside it: without one, every request would be ignored",
        )),
        required => Ok(SignatureSettings { required: required.is_some(), keys }),
    }
}
