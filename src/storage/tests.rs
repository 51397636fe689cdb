//! A sealed file is itself again or is noticed; a replaced one keeps the copy before it.

use proptest::prelude::*;

use super::*;

#[test]
fn what_was_sealed_is_unsealed() {
    let sealed = seal(&vec!["a", "b"]).expect("sealed");
    assert_eq!(unseal::<Vec<String>>(&sealed).expect("good"), ["a", "b"]);
}

proptest! {
    #[test]
    fn one_changed_byte_is_noticed(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let value = vec!["AA:BB:CC:DD:EE:FF".to_owned(), "serial".to_owned()];
        let mut sealed = seal(&value).expect("sealed");
        let at = at.index(sealed.len());
        sealed[at] = to;
        let read = unseal::<Vec<String>>(&sealed);
        prop_assert_eq!(read.is_ok(), sealed == seal(&value).expect("sealed"));
    }

    #[test]
    fn a_file_cut_short_is_noticed(length in any::<prop::sample::Index>()) {
        let sealed = seal(&vec!["AA:BB:CC:DD:EE:FF"]).expect("sealed");
        let length = length.index(sealed.len());
        prop_assert!(unseal::<Vec<String>>(&sealed[..length]).is_err());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = unseal::<serde_json::Value>(&bytes);
    }
}
