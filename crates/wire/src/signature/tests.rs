//! Which signed requests count: the vectors of the RFCs, and everything that is none.

use proptest::prelude::*;

use super::testing::{KEY_ID, OTHER_SEED, PUBLIC_KEY, SEED, keys, signed, signed_with};
use super::*;
use crate::{MAX_REQUEST_BYTES, Request};

/// RFC 8037, appendix A.4: the signed "Example of Ed25519 signing", whose header has no `kid`.
const EXAMPLE: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0Jzl\
                       nLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
const REQUEST: &str = r#"{"mac":"AA:BB:CC:DD:EE:01","new_mac":"22:0D:CE:38:E7:15","model":"X"}"#;
const KID_HEADER: &str = r#"{"alg":"EdDSA","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}"#;

fn open(delivery: &str) -> (String, Signature) {
    let keys = keys();
    let (payload, signature) = keys.open(delivery.as_bytes());
    (String::from_utf8(payload.into_owned()).expect("text"), signature)
}

fn flaw(delivery: &str) -> Flaw {
    let (payload, signature) = open(delivery);
    assert_eq!(payload, delivery, "nothing of it is read");
    match signature {
        Signature::Bad(flaw) => flaw,
        other => panic!("{other:?}: {delivery}"),
    }
}

#[test]
fn the_example_of_rfc_8037_is_verified_and_made() {
    let good = ("Example of Ed25519 signing".to_owned(), Signature::Good);
    assert_eq!(open(EXAMPLE), good);
    assert_eq!(signed_with(&SEED, r#"{"alg":"EdDSA"}"#, &good.0), EXAMPLE, "A.4 is reproduced");
}

#[test]
fn a_signed_request_is_a_json_string_or_bare() {
    let text = signed(&SEED, REQUEST);
    for delivery in [text.clone(), format!("\"{text}\""), format!(" \"{text}\"\n"), text + "\n"] {
        assert_eq!(open(&delivery), (REQUEST.to_owned(), Signature::Good), "{delivery}");
    }
}

#[test]
fn what_is_not_meant_to_be_signed_is_left_as_it_is() {
    for delivery in ["", REQUEST, "[]", "7", "null", "\"\"", "\"", "text", " \" e.e.e\""] {
        assert_eq!(open(delivery), (delivery.to_owned(), Signature::Missing));
    }
}

#[test]
fn without_a_key_a_signed_request_is_taken_as_an_unsigned_one() {
    let none = Keys::default();
    let text = signed(&OTHER_SEED, REQUEST);
    let (payload, signature) = none.open(text.as_bytes());
    assert_eq!((payload.as_ref(), signature), (REQUEST.as_bytes(), Signature::Missing));
    let header = r#"{"alg":"none"}"#;
    let unsecured = signed_with(&SEED, header, REQUEST);
    assert_eq!(none.open(unsecured.as_bytes()).1, Signature::Bad(Flaw::Algorithm));
}

#[test]
fn another_key_or_another_payload_does_not_fit() {
    assert_eq!(flaw(&signed(&OTHER_SEED, REQUEST)), Flaw::Mismatch);
    let (one, other) = (signed(&SEED, REQUEST), signed(&SEED, &REQUEST.replace("15", "16")));
    let cut = |text: &str| text.rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned()));
    let ((input, _), (_, signature)) = (cut(&one).expect("dots"), cut(&other).expect("dots"));
    assert_eq!(flaw(&format!("{input}.{signature}")), Flaw::Mismatch);
    assert_eq!(flaw(&format!("{input}.")), Flaw::Mismatch);
}

#[test]
fn a_key_is_named_unless_there_is_only_one() {
    let second = ("second".to_owned(), PUBLIC_KEY.parse::<PublicKey>().expect("a key"));
    let first = (KEY_ID.to_owned(), second.1);
    let two: Keys = [first, second].into_iter().collect();
    let by = |header: &str| two.open(signed_with(&SEED, header, REQUEST).as_bytes()).1;
    assert_eq!(by(KID_HEADER), Signature::Good);
    assert_eq!(by(r#"{"kid":"second","alg":"EdDSA","typ":"JOSE"}"#), Signature::Good);
    assert_eq!(by(r#"{"alg":"EdDSA"}"#), Signature::Bad(Flaw::NoKeyId));
    assert_eq!(by(r#"{"alg":"EdDSA","kid":"third"}"#), Signature::Bad(unknown("third")));
    assert_eq!(flaw(&signed_with(&SEED, r#"{"alg":"EdDSA","kid":"x"}"#, REQUEST)), unknown("x"));
    assert_eq!(
        flaw(&signed_with(&SEED, r#"{"alg":"EdDSA","kid":7}"#, REQUEST)),
        Flaw::KeyIdNotText
    );
}

#[test]
fn an_unknown_key_is_named_within_bounds() {
    let long = "x".repeat(1000);
    let header = format!(r#"{{"alg":"EdDSA","kid":"2026-2\n{long}"}}"#);
    let told = flaw(&signed_with(&SEED, &header, REQUEST)).to_string();
    assert!(told.starts_with(r#"its `kid` "2026-2\nxxx"#), "{told}");
    assert!(told.len() < 100, "{told}");
}

fn unknown(key_id: &str) -> Flaw {
    Flaw::UnknownKey(ShownKeyId(key_id.to_owned()))
}

#[test]
fn a_key_that_a_header_brings_along_does_not_count() {
    let own = ring::signature::Ed25519KeyPair::from_seed_unchecked(&OTHER_SEED).expect("a seed");
    let x = {
        use base64::Engine;
        use ring::signature::KeyPair;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(own.public_key())
    };
    let header = format!(r#"{{"alg":"EdDSA","jwk":{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}}}"#);
    assert_eq!(flaw(&signed_with(&OTHER_SEED, &header, REQUEST)), Flaw::Mismatch);
}

#[test]
fn other_algorithms_and_extensions_are_refused() {
    // RFC 7515, appendices A.1 (HS256), A.5 (none) and E (an extension that is critical).
    let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let hs256 = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{claims}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    assert_eq!(flaw(&hs256), Flaw::Algorithm);
    assert_eq!(flaw(&format!("eyJhbGciOiJub25lIn0.{claims}.")), Flaw::Algorithm);
    let critical = "eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0.RkFJTA.";
    assert_eq!(flaw(critical), Flaw::Algorithm);
    for header in [
        r#"{"alg":"EdDSA","crit":["http://example.com/UNDEFINED"],"http://example.com/UNDEFINED":1}"#,
        r#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#,
        r#"{"alg":"EdDSA","crit":[]}"#,
        r#"{"alg":"EdDSA","crit":null}"#,
        r#"{"alg":"EdDSA","b64":true}"#,
    ] {
        assert_eq!(flaw(&signed_with(&SEED, header, REQUEST)), Flaw::Extension, "{header}");
    }
    for header in [
        "{}",
        r#"{"alg":"eddsa"}"#,
        r#"{"alg":["EdDSA"]}"#,
        r#"{"alg":"ES256"}"#,
        r#"{"alg":"Ed25519"}"#,
        r#"{"ALG":"EdDSA"}"#,
    ] {
        assert_eq!(flaw(&signed_with(&SEED, header, REQUEST)), Flaw::Algorithm, "{header}");
    }
    for header in ["{", r#"{"alg":"EdDSA"} x"#, "{\"alg\":\"EdDSA\",\"\x01\":1}"] {
        assert_eq!(flaw(&signed_with(&SEED, header, REQUEST)), Flaw::Header, "{header}");
    }
}

#[test]
fn the_compact_form_is_taken_to_the_letter() {
    let (input, signature) = EXAMPLE.rsplit_once('.').expect("dots");
    let (header, payload) = input.split_once('.').expect("a dot");
    for text in [
        header.to_owned(),
        input.to_owned(),
        format!("{EXAMPLE}."),
        format!("{EXAMPLE}.e30"),
        format!("{header}..{payload}.{signature}"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}=.{signature}"),
        format!("{EXAMPLE}=="),
        format!("{header} .{payload}.{signature}"),
        format!("{header}.\n{payload}.{signature}"),
        format!("{header}.{payload}. {signature}"),
        // The alphabet of plain base64.
        EXAMPLE.replace('_', "/"),
        EXAMPLE.replace('-', "+"),
        // 64 bytes leave four bits over in 86 characters: they are zero.
        format!("{input}.{}h", signature.strip_suffix('g').expect("a last g")),
        // A JSON string is taken as it stands, without escapes.
        format!("\"{}\"", EXAMPLE.replacen("RX", "\\u0052X", 1)),
        format!("{EXAMPLE}\u{e9}"),
        "e".to_owned(),
        format!("\"{EXAMPLE}"),
        format!("{EXAMPLE}\""),
    ] {
        assert_eq!(flaw(&text), Flaw::NotCompact, "{text}");
    }
    assert_eq!(flaw(&format!("{input}.{}", &signature[..84])), Flaw::Mismatch, "63 bytes");
    // Detached (RFC 7515, appendix F): another payload than the one that was signed.
    assert_eq!(flaw(&format!("{header}..{signature}")), Flaw::Mismatch);
}

#[test]
fn the_json_serializations_are_no_requests() {
    let (input, signature) = EXAMPLE.rsplit_once('.').expect("dots");
    let (header, payload) = input.split_once('.').expect("a dot");
    let flattened =
        format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#);
    assert_eq!(open(&flattened).1, Signature::Missing);
    assert!(Request::read(flattened.as_bytes()).is_err(), "it names nobody");
}

#[test]
fn a_signature_that_is_not_in_its_one_canonical_form_does_not_fit() {
    // RFC 8032, 5.1.7: S is below the order of the group; S + L would fit as well otherwise.
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let (input, signature) = EXAMPLE.rsplit_once('.').expect("dots");
    let mut signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    let mut carry = 0;
    for (s, l) in signature[32..].iter_mut().zip(L) {
        let sum = u16::from(*s) + u16::from(l) + carry;
        *s = sum as u8;
        carry = sum >> 8;
    }
    let other_form = format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert_eq!(flaw(&other_form), Flaw::Mismatch);
}

#[test]
fn what_is_longer_than_any_request_is_left_to_be_refused_for_that() {
    let text = signed(&SEED, &"x".repeat(MAX_REQUEST_BYTES));
    assert_eq!(open(&text).1, Signature::Missing);
    let why = Request::read(text.as_bytes()).expect_err("too long").errors.message();
    assert!(why.contains("a panel reads at most"), "{why}");
}

proptest! {
    #[test]
    fn no_bytes_are_signed_by_chance(
        start in prop::sample::select(vec!["", "e", "\"e", "eyJhbGciOiJFZERTQSJ9.", "eyJhbGciOiJFZERTQSJ9.e30."]),
        bytes in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let delivery = [start.as_bytes(), &bytes].concat();
        for keys in [keys(), Keys::default()] {
            prop_assert_ne!(keys.open(&delivery).1, Signature::Good);
        }
    }

    #[test]
    fn no_text_of_the_right_shape_is_signed_by_chance(
        text in "e[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,90}"
    ) {
        prop_assert!(matches!(keys().open(text.as_bytes()).1, Signature::Bad(_)));
    }

    #[test]
    fn whatever_is_signed_is_read_as_it_was(payload in "\\PC{0,80}") {
        prop_assert_eq!(open(&signed(&SEED, &payload)), (payload, Signature::Good));
    }
}

#[test]
fn a_flipped_bit_anywhere_leaves_nothing_to_trust() {
    let text = signed(&SEED, REQUEST);
    for (whole, opening) in [(text.clone(), 1), (format!("\"{text}\""), 2)] {
        for (at, bit) in (0..whole.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut flipped = whole.clone().into_bytes();
            flipped[at] ^= 1 << bit;
            let keys = keys();
            let (payload, signature) = keys.open(&flipped);
            let shown = flipped.escape_ascii();
            assert!(Request::read(&payload).is_err(), "{shown}");
            // Without its first letter it no longer shows that it was meant to be signed.
            let bad = matches!(signature, Signature::Bad(_));
            assert!(bad || at < opening && signature == Signature::Missing, "{shown}");
        }
    }
}
