//! What is read is what is there, and what nobody changed stays byte for byte.

#![allow(clippy::expect_used, reason = "how a test fails")]

mod images;

use proptest::prelude::*;
use uboot_env::{Format, Image, VariableError};

use images::image;

fn data(image: &Image) -> &[u8] {
    &image.bytes()[4 + usize::from(image.flag().is_some())..]
}

const TWO: &[u8] = b"a=1\0ethaddr=00:00:23:34:45:66\0\0";

#[test]
fn the_checksum_is_a_crc_32_of_the_data_alone() {
    // What `mkenvimage -s 16` makes of a file that holds `a=1`.
    let made =
        Image::new(b"\x86\x0f\xc0\xcea=1\0\0\xff\xff\xff\xff\xff\xff\xff".to_vec(), Format::Single);
    let made = made.expect("long enough");
    assert!(made.is_good());
    assert_eq!(made.get("a").as_deref(), Some("1"));
    let mut torn = made.bytes().to_vec();
    torn[15] = 0xfe;
    assert!(!Image::new(torn, Format::Single).expect("long enough").is_good());
}

#[test]
fn the_flag_is_not_under_the_checksum() {
    let copy = image(64, Format::Redundant, TWO, 0).with_flag(7);
    assert!(copy.is_good());
    assert_eq!(copy.flag(), Some(7));
    assert_eq!(copy.get("a").as_deref(), Some("1"));
}

#[test]
fn a_variable_is_changed_in_its_place_and_a_new_one_comes_last() {
    let copy = image(64, Format::Single, TWO, 0);
    let changed = copy.changed(&[("serialno", Some("A1")), ("a", Some("longer"))]).expect("fits");
    let expected = b"a=longer\0ethaddr=00:00:23:34:45:66\0serialno=A1\0\0";
    assert!(data(&changed).starts_with(expected));
    assert!(changed.is_good());
}

#[test]
fn write_once_variables_are_changed_and_removed_like_all_others() {
    let copy = image(96, Format::Single, b"serial#=1\0ethaddr=00:00:23:34:45:66\0\0", 0);
    let changed = copy.changed(&[("serial#", Some("2")), ("ethaddr", None)]).expect("fits");
    assert!(data(&changed).starts_with(b"serial#=2\0\0"));
}

#[test]
fn to_remove_what_is_not_there_or_set_what_is_there_changes_nothing() {
    for rest in [0, 0xff] {
        let copy = image(64, Format::Single, TWO, rest);
        let same = [("a", Some("1")), ("b", None), ("c", Some(""))];
        assert_eq!(copy.changed(&same), Ok(copy));
    }
}

#[test]
fn a_full_environment_says_how_many_bytes_are_missing() {
    let copy = image(4 + TWO.len(), Format::Single, TWO, 0);
    let more = copy.changed(&[("b", Some("22"))]);
    assert_eq!(more, Err(VariableError::Full { missing: "b=22\0".len() }));
    assert!(copy.changed(&[("b", Some("2")), ("a", None)]).is_ok());
}

#[test]
fn names_and_values_that_the_format_cannot_hold_are_refused() {
    let copy = image(64, Format::Single, TWO, 0);
    for (name, value) in [("", "1"), ("a=b", "1"), ("a\0", "1"), ("a", "1\x002")] {
        let changed = copy.changed(&[(name, Some(value))]);
        assert_eq!(changed, Err(VariableError::Invalid { name: name.into() }));
    }
}

#[test]
fn of_a_name_that_is_there_twice_the_last_counts_and_one_stays() {
    let copy = image(64, Format::Single, b"a=1\0b=2\0a=3\0\0", 0);
    assert_eq!(copy.get("a").as_deref(), Some("3"));
    let changed = copy.changed(&[("a", Some("4"))]).expect("fits");
    assert!(data(&changed).starts_with(b"b=2\0a=4\0\0"));
    let removed = copy.changed(&[("a", None)]).expect("fits");
    assert!(data(&removed).starts_with(b"b=2\0\0"));
}

#[test]
fn what_is_malformed_or_behind_the_end_stays() {
    let odd = b"no equals sign\0=no name\0\xfe\xed=\xff\0a=1\0\0left from before\0";
    let copy = image(96, Format::Single, odd, 0xff);
    let changed = copy.changed(&[("a", Some("2"))]).expect("fits");
    let at = odd.windows(3).position(|w| w == b"a=1").expect("there") + 2;
    let mut expected = data(&copy).to_vec();
    expected[at] = b'2';
    assert_eq!(data(&changed), expected);
}

#[test]
fn the_last_variable_gone_leaves_two_zeros() {
    let copy = image(32, Format::Single, b"a=1\0\0", 0xff);
    let empty = copy.changed(&[("a", None)]).expect("fits");
    assert!(data(&empty).starts_with(&[0, 0, 0xff]));
    assert_eq!(empty.changed(&[("a", Some("1"))]), Ok(copy));
}

#[test]
fn an_empty_copy_is_good_and_takes_variables() {
    for format in [Format::Single, Format::Redundant] {
        let empty = Image::empty(64, format).expect("long enough");
        assert!(empty.is_good());
        assert_eq!(empty.variables().count(), 0);
        let one = empty.changed(&[("a", Some("1"))]).expect("fits");
        assert_eq!(one.get("a").as_deref(), Some("1"));
        assert_eq!(one.changed(&[("a", None)]), Ok(empty));
        assert_eq!(Image::empty(5, format), None);
    }
}

#[test]
fn all_variables_are_listed_in_their_order_and_nothing_else() {
    let copy =
        image(64, Format::Single, b"b=2\0no equals sign\0=no name\0a=\0b=3=4\0\0left=1\0", 0);
    let listed: Vec<(String, String)> =
        copy.variables().map(|(name, value)| (name.into(), value.into())).collect();
    let expected = [("b", "2"), ("a", ""), ("b", "3=4")];
    assert_eq!(listed, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

fn format() -> impl Strategy<Value = Format> {
    prop::sample::select(vec![Format::Single, Format::Redundant])
}

fn name() -> impl Strategy<Value = String> {
    "[a-c#._]{1,3}"
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        format in format(),
        name in name(),
        value in "\\PC{0,20}",
    ) {
        if let Some(copy) = Image::new(bytes, format) {
            let _ = (copy.is_good(), copy.flag(), copy.get(&name));
            if let Ok(changed) = copy.changed(&[(&name, Some(&value))]) {
                prop_assert_eq!(changed.bytes().len(), copy.bytes().len());
                let value = (!value.is_empty()).then_some(value);
                prop_assert_eq!(changed.get(&name).map(|v| v.into_owned()), value);
            }
        }
    }

    /// Any data, also without an end, as variables of few names, so that they meet.
    #[test]
    fn what_was_set_is_read_and_all_else_stays(
        data in "([a-c]{0,2}=?[x-z]{0,3}\0){0,12}",
        format in format(),
        name in name(),
        value in "[x-z]{1,4}",
    ) {
        let copy = image(120, format, data.as_bytes(), 0);
        let changed = copy.changed(&[(&name, Some(&value))]).expect("fits");
        prop_assert!(changed.is_good() && changed.flag() == copy.flag());
        let read = changed.get(&name).map(|value| value.into_owned());
        prop_assert_eq!(read.as_deref(), Some(&*value));
        for other in ["a", "b", "c", "ab", "bc"].into_iter().filter(|other| *other != name) {
            prop_assert_eq!(changed.get(other), copy.get(other));
        }
        prop_assert_eq!(changed.changed(&[(&name, Some(&value))]).expect("fits"), changed);
    }

    #[test]
    fn a_new_variable_removed_again_leaves_no_trace(
        data in "([a-c]{1,2}=[x-z]{0,3}\0){1,12}\0",
        rest in prop::sample::select(vec![0, 0xff]),
        value in "[x-z]{1,4}",
    ) {
        let copy = image(120, Format::Single, data.as_bytes(), rest);
        let added = copy.changed(&[("new", Some(&value))]).expect("fits");
        prop_assert_eq!(added.changed(&[("new", None)]).expect("fits"), copy);
    }
}
