//! How values are taken: by whether they must be there, and by what each may be.

use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;

use toml::Spanned;

use super::SecretFile;
use super::found::{Number, Text, Texts};

/// One wrong value.
pub(super) struct Wrong {
    pub(super) key: &'static str,
    pub(super) span: Option<Range<usize>>,
    pub(super) text: String,
}

// How a value is taken, by whether it must be there.

pub(super) fn given<T>(
    key: &'static str,
    value: Spanned<String>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Wrong> {
    read(value.get_ref()).map_err(|text| Wrong { key, span: Some(value.span()), text })
}

pub(super) fn optional<T>(
    key: &'static str,
    value: Text,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Wrong> {
    value.map(|value| given(key, value, read)).transpose()
}

pub(super) fn text<T>(
    key: &'static str,
    value: Text,
    default: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Wrong> {
    match value {
        Some(value) => given(key, value, read),
        None => read(default).map_err(|text| Wrong { key, span: None, text }),
    }
}

pub(super) fn required<T>(
    key: &'static str,
    value: Text,
    section: Range<usize>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Wrong> {
    match value {
        Some(value) => given(key, value, read),
        None => Err(Wrong {
            key,
            span: Some(section),
            text: "it is missing: the section needs it".to_owned(),
        }),
    }
}

pub(super) fn texts<T>(
    key: &'static str,
    values: Texts,
    default: &[&str],
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Wrong> {
    match values {
        Some(values) => values.into_iter().map(|value| given(key, value, &read)).collect(),
        None => default
            .iter()
            .map(|value| read(value).map_err(|text| Wrong { key, span: None, text }))
            .collect(),
    }
}

pub(super) fn number(
    key: &'static str,
    value: Number,
    default: u64,
    range: RangeInclusive<u64>,
    unit: &str,
) -> Result<u64, Wrong> {
    let Some(value) = value else {
        return Ok(default);
    };
    let found = *value.get_ref();
    match u64::try_from(found) {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(Wrong {
            key,
            span: Some(value.span()),
            text: format!("{found} is not {} to {}{unit}", range.start(), range.end()),
        }),
    }
}

pub(super) fn optional_number(key: &'static str, value: Number) -> Result<Option<i64>, Wrong> {
    match value {
        Some(value) if *value.get_ref() < 1 => Err(Wrong {
            key,
            span: Some(value.span()),
            text: format!("{} is not an id, which is at least 1", value.get_ref()),
        }),
        value => Ok(value.map(Spanned::into_inner)),
    }
}

// What each kind of value may be.

/// Puts the value before a parser's words, which say only what is wrong with it.
pub(super) fn told<T, E: std::fmt::Display>(
    read: impl Fn(&str) -> Result<T, E>,
) -> impl Fn(&str) -> Result<T, String> {
    move |text| read(text).map_err(|why| format!("`{text}` {why}"))
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    match text.starts_with('/') && !text.contains('\0') {
        true => Ok(text.into()),
        false => Err(format!("`{text}` is not an absolute path: begin it with a slash")),
    }
}

pub(super) fn secret(text: &str) -> Result<SecretFile, String> {
    path(text).map(SecretFile::new)
}

pub(super) fn not_empty(text: &str) -> Result<String, String> {
    match text.is_empty() || text.contains('\0') {
        true => Err("it is empty: leave it out instead".to_owned()),
        false => Ok(text.to_owned()),
    }
}
