//! The splitting of an array as a specification, with serde_json as the reference.

use super::*;
use crate::upstream::cause::Cause;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

/// Hands out at most `at_once` bytes at a time.
struct Drops<'a>(&'a [u8], usize);

impl Read for Drops<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let (now, later) = self.0.split_at(self.0.len().min(self.1).min(to.len()));
        to[..now.len()].copy_from_slice(now);
        self.0 = later;
        Ok(now.len())
    }
}

fn elements(body: &[u8], at_once: usize) -> Result<Vec<Vec<u8>>, ListError> {
    let mut list = Elements::open(Drops(body, at_once))?;
    let mut all = Vec::new();
    while let Some(element) = list.next()? {
        all.push(match element {
            Element::Whole(bytes) => bytes.to_vec(),
            Element::TooLong(length) => format!("{length}").into_bytes(),
        });
    }
    Ok(all)
}

fn error(body: &str) -> String {
    match elements(body.as_bytes(), 3) {
        Err(why @ ListError::Malformed(_)) => Cause::from(why).found(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_element_comes_as_it_was_written() {
    let body = " [ {\"a\": [1, \"]},{\\\"\"]} ,\n2,\"x\" , [[]] ] \n";
    let expected = ["{\"a\": [1, \"]},{\\\"\"]}", "2", "\"x\"", "[[]]"];
    assert_eq!(elements(body.as_bytes(), 1).unwrap(), expected.map(|e| e.as_bytes().to_vec()));
    assert!(elements(b"[]", 1).unwrap().is_empty());
}

#[test]
fn what_is_not_a_list_is_an_error_that_says_why() {
    for body in ["", "<html>", "{\"a\": 1}", "null"] {
        assert!(error(body).contains("JSON array"), "{body}");
    }
    for body in ["[", "[1", "[1,", "[{\"a\":\"", "[{}"] {
        assert!(error(body).contains("too early"), "{body}");
    }
    for body in ["[,1]", "[1,]", "[1,,2]", "[1 2]", "[1}", "[] x", "[1]]"] {
        assert!(error(body).contains("no meaning"), "{body}");
    }
}

#[test]
fn an_element_of_64_kib_is_held_and_a_longer_one_skipped() {
    let fits = format!("\"{}\"", "x".repeat(MAX_REQUEST_BYTES - 2));
    let too_long = format!("\"{}\"", "x".repeat(MAX_REQUEST_BYTES - 1));
    let body = format!("[{fits} ,{too_long}\n,3]");
    let mut list = Elements::open(body.as_bytes()).unwrap();
    assert_eq!(list.next().unwrap(), Some(Element::Whole(fits.as_bytes())));
    assert_eq!(list.next().unwrap(), Some(Element::TooLong(too_long.len() as u64)));
    assert_eq!(list.next().unwrap(), Some(Element::Whole(b"3")));
    assert_eq!(list.next().unwrap(), None);
}

#[test]
fn deep_nesting_takes_no_more_memory() {
    let mut list = Elements::open(io::repeat(b'[').take(50_000_000)).unwrap();
    assert!(matches!(list.next(), Err(ListError::Malformed(Malformed::CutShort))));
    assert!(list.element.capacity() <= 2 * MAX_REQUEST_BYTES);
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_good_array_gives_its_values(
        values in prop::collection::vec(json(), 0..6),
        pretty: bool,
        at_once in 1..40_usize,
    ) {
        let body = match pretty {
            true => serde_json::to_vec_pretty(&values).unwrap(),
            false => serde_json::to_vec(&values).unwrap(),
        };
        let read: Vec<Value> = elements(&body, at_once)
            .unwrap()
            .iter()
            .map(|element| serde_json::from_slice(element).unwrap())
            .collect();
        prop_assert_eq!(read, values);
    }

    /// Bytes that are nearly JSON: exactly what serde_json accepts is accepted.
    #[test]
    fn accepts_what_serde_json_accepts(body in "[\\[\\]{},:\" \\\\1a\n]{0,12}", at_once in 1..5_usize) {
        let reference = serde_json::from_str::<Vec<&RawValue>>(&body).ok().map(|elements| {
            elements.iter().map(|element| element.get().as_bytes().to_vec()).collect::<Vec<_>>()
        });
        let ours = elements(body.as_bytes(), at_once).ok().filter(|elements| {
            elements.iter().all(|e| serde_json::from_slice::<&RawValue>(e).is_ok())
        });
        prop_assert_eq!(ours, reference);
    }

    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>, at_once in 1..40_usize) {
        let _ = elements(&body, at_once);
        let _ = elements(&[b"[", body.as_slice()].concat(), at_once);
    }
}
