//! A text without the MAC addresses in it.

use intercom_wire::Mac;

/// Puts a number in place of each MAC address, the same one wherever it stands.
pub(super) fn hide_macs(text: &str) -> String {
    let mut known = Vec::new();
    let mut hidden = String::with_capacity(text.len());
    let mut word = String::new();
    for letter in text.chars() {
        if in_mac(letter) {
            word.push(letter);
        } else {
            hide(&mut hidden, &word, &mut known);
            word.clear();
            hidden.push(letter);
        }
    }
    hide(&mut hidden, &word, &mut known);
    hidden
}

/// In any spelling, also as a part of a board's name (`mac-…`).
fn in_mac(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, ':' | '-' | '.')
}

fn hide(hidden: &mut String, word: &str, known: &mut Vec<Mac>) {
    let bare = word.trim_end_matches([':', '-', '.']);
    let bare = bare.strip_prefix("mac-").unwrap_or(bare);
    match bare.parse::<Mac>() {
        Ok(mac) => {
            let at = known.iter().position(|other| *other == mac).unwrap_or_else(|| {
                known.push(mac);
                known.len() - 1
            });
            hidden.push_str(&format!("<MAC {}>", at + 1));
        }
        Err(_) => hidden.push_str(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mac_address_has_a_number_in_every_spelling() {
        let text = "from MAC 00:00:5E:00:53:01, to (00-00-5e-00-53-02): 0000.5e00.5301.\n\
                    board mac-00005e005302, topic intercoms/00:00:5E:00:53:01/who at \
                    2026-11-27T08:43:36Z, 10.0.0.1, fe80::1, {\"mac\":\"00005E005303\"}";
        assert_eq!(
            hide_macs(text),
            "from MAC <MAC 1>, to (<MAC 2>): <MAC 1>\n\
             board <MAC 2>, topic intercoms/<MAC 1>/who at \
             2026-11-27T08:43:36Z, 10.0.0.1, fe80::1, {\"mac\":\"<MAC 3>\"}"
        );
        assert_eq!(hide_macs(""), "");
    }
}
