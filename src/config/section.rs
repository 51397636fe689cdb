//! A table of the file whose keys are taken one by one. Each value remembers its place in the file.

use std::borrow::Cow;
use std::ops::{Range, RangeInclusive};

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::in_force::Notes;
use super::keys;
use crate::spelling::nearest;

/// One wrong value.
pub(super) struct Wrong {
    /// The key with its table, as in `mqtt.url`.
    pub(super) key: String,
    pub(super) span: Range<usize>,
    pub(super) text: String,
}

/// How a text is read. Not a type parameter: the functions that take it would be compiled once for each.
pub(super) type Read<'r, T> = &'r dyn Fn(&str) -> Result<T, String>;

/// A text, and where it stands.
pub(super) type Text<'t> = Spanned<Cow<'t, str>>;

/// A table of which all keys are known.
pub(super) struct Section<'t> {
    /// Empty for the file itself.
    name: String,
    pub(super) span: Range<usize>,
    /// A list, since a tree that can lose values is 2 KB of code.
    values: Vec<(Text<'t>, Spanned<DeValue<'t>>)>,
    known: &'static [&'static str],
    notes: Notes,
}

impl<'t> Section<'t> {
    /// # Errors
    /// A key that the table does not have.
    pub(super) fn new(
        name: String,
        table: Spanned<DeTable<'t>>,
        notes: &Notes,
    ) -> Result<Self, Wrong> {
        let span = table.span();
        let values = table.into_inner().into_iter().collect();
        let section = Section { known: keys::of(&name), name, span, values, notes: notes.clone() };
        match section.values.iter().find(|(key, _)| !section.known.contains(&&**key.get_ref())) {
            None => Ok(section),
            Some((key, _)) => {
                let text = unknown(key.get_ref(), section.known);
                Err(section.wrong(key.get_ref(), key.span(), text))
            }
        }
    }

    /// What is wrong with the value of a key.
    pub(super) fn wrong(&self, key: &str, span: Range<usize>, text: impl Into<String>) -> Wrong {
        Wrong { key: self.name_of(key), span, text: text.into() }
    }

    fn missing(&self, key: &str) -> Wrong {
        self.wrong(key, self.span.clone(), "it is missing: the section needs it")
    }

    /// What is in force. What cannot be set is left out.
    fn note(&self, key: &str, value: impl Into<Value>) {
        if self.known.contains(&key) {
            self.notes.note(&self.name, key, value.into());
        }
    }

    fn name_of(&self, key: &str) -> String {
        match self.name.as_str() {
            "" => key.to_owned(),
            table => format!("{table}.{key}"),
        }
    }

    /// Where the value of a key stands, if it is there and has not been taken.
    pub(super) fn place(&self, key: &str) -> Option<Range<usize>> {
        self.at(key).map(|at| self.values[at].1.span())
    }

    fn at(&self, key: &str) -> Option<usize> {
        self.values.iter().position(|(name, _)| name.get_ref() == key)
    }

    fn take(&mut self, key: &str) -> Option<Spanned<DeValue<'t>>> {
        self.at(key).map(|at| self.values.swap_remove(at).1)
    }

    fn kind(&self, key: &str, value: &Spanned<DeValue>, expected: &str) -> Wrong {
        let found = value.get_ref().type_str();
        self.wrong(key, value.span(), format!("it is of the type {found}, expected {expected}"))
    }

    fn as_text(&self, key: &str, value: Spanned<DeValue<'t>>) -> Result<Text<'t>, Wrong> {
        let span = value.span();
        match value.get_ref() {
            DeValue::String(text) => Ok(Spanned::new(span, text.clone())),
            _ => Err(self.kind(key, &value, "a text in quotes")),
        }
    }

    pub(super) fn take_text(&mut self, key: &str) -> Result<Option<Text<'t>>, Wrong> {
        let value = self.take(key);
        value.map(|value| self.as_text(key, value)).transpose()
    }

    pub(super) fn take_texts(&mut self, key: &str) -> Result<Option<Vec<Text<'t>>>, Wrong> {
        let Some(value) = self.take(key) else { return Ok(None) };
        if !value.get_ref().is_array() {
            return Err(self.kind(key, &value, "a list of texts in quotes"));
        }
        self.as_texts(key, value).map(Some)
    }

    /// A text, or a list of them.
    fn as_texts(&self, key: &str, value: Spanned<DeValue<'t>>) -> Result<Vec<Text<'t>>, Wrong> {
        let span = value.span();
        let mut texts = Vec::new();
        match value.into_inner() {
            DeValue::Array(list) => {
                for value in list {
                    texts.push(self.as_text(key, value)?);
                }
            }
            one => texts.push(self.as_text(key, Spanned::new(span, one))?),
        }
        Ok(texts)
    }

    /// A whole number.
    pub(super) fn take_number(&mut self, key: &str) -> Result<Option<Spanned<i64>>, Wrong> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let DeValue::Integer(digits) = value.get_ref() else {
            return Err(self.kind(key, &value, "a whole number"));
        };
        match i64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) => {
                self.note(key, number);
                Ok(Some(Spanned::new(value.span(), number)))
            }
            Err(_) => Err(self.wrong(key, value.span(), format!("{digits} is too large"))),
        }
    }

    /// A whole number from a range.
    pub(super) fn number(
        &mut self,
        key: &str,
        default: u32,
        range: RangeInclusive<u32>,
        unit: &str,
    ) -> Result<u32, Wrong> {
        let Some(value) = self.take_number(key)? else {
            self.note(key, i64::from(default));
            return Ok(default);
        };
        let found = *value.get_ref();
        let number = u32::try_from(found).ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let text = format!("{found} is not {} to {}{unit}", range.start(), range.end());
            self.wrong(key, value.span(), text)
        })
    }

    /// Where a switch is on.
    pub(super) fn on(&mut self, key: &str) -> Result<Option<Range<usize>>, Wrong> {
        let Some(place) = self.place(key) else { return Ok(None) };
        Ok(self.flag(key, false)?.then_some(place))
    }

    /// Whether a switch is on.
    pub(super) fn flag(&mut self, key: &str, default: bool) -> Result<bool, Wrong> {
        let on = match self.take(key) {
            None => default,
            Some(value) => match value.get_ref() {
                DeValue::Boolean(on) => *on,
                _ => return Err(self.kind(key, &value, "true or false")),
            },
        };
        self.note(key, on);
        Ok(on)
    }

    /// A table within this one, with all of its keys.
    pub(super) fn take_table(
        &mut self,
        key: &str,
    ) -> Result<Option<(String, Spanned<DeTable<'t>>)>, Wrong> {
        let Some(value) = self.take(key) else { return Ok(None) };
        if !value.get_ref().is_table() {
            return Err(self.kind(key, &value, "a table"));
        }
        let span = value.span();
        let DeValue::Table(table) = value.into_inner() else { return Ok(None) };
        Ok(Some((self.name_of(key), Spanned::new(span, table))))
    }

    /// A table within this one.
    pub(super) fn section(&mut self, key: &str) -> Result<Option<Section<'t>>, Wrong> {
        let table = self.take_table(key)?;
        table.map(|(name, table)| Section::new(name, table, &self.notes)).transpose()
    }

    /// A table within this one, which has its defaults where it is not in the file.
    pub(super) fn section_or_defaults(&mut self, key: &str) -> Result<Section<'t>, Wrong> {
        let name = self.name_of(key);
        Ok(self.section(key)?.unwrap_or_else(|| Section {
            known: keys::of(&name),
            name,
            span: 0..0,
            values: Vec::new(),
            notes: self.notes.clone(),
        }))
    }

    /// Every text of a table whose keys are anybody's choice.
    pub(super) fn all_texts(&mut self, key: &str) -> Result<Vec<(String, Text<'t>)>, Wrong> {
        let Some((_, table)) = self.take_table(key)? else { return Ok(Vec::new()) };
        let values = table.into_inner().into_iter();
        values
            .map(|(name, value)| Ok((name.into_inner().into_owned(), self.as_text(key, value)?)))
            .collect()
    }

    // How a text is taken, by whether it must be there.

    pub(super) fn optional<T>(&mut self, key: &str, read: Read<'_, T>) -> Result<Option<T>, Wrong> {
        let Some(text) = self.take_text(key)? else { return Ok(None) };
        match read(text.get_ref()) {
            Ok(value) => {
                self.note(key, text.get_ref().as_ref());
                Ok(Some(value))
            }
            Err(why) => Err(self.wrong(key, text.span(), why)),
        }
    }

    pub(super) fn text<T>(
        &mut self,
        key: &str,
        default: &str,
        read: Read<'_, T>,
    ) -> Result<T, Wrong> {
        match self.optional(key, read)? {
            Some(value) => Ok(value),
            None => {
                self.note(key, default);
                read(default).map_err(|why| self.wrong(key, self.span.clone(), why))
            }
        }
    }

    pub(super) fn required<T>(&mut self, key: &str, read: Read<'_, T>) -> Result<T, Wrong> {
        self.optional(key, read)?.ok_or_else(|| self.missing(key))
    }

    pub(super) fn texts<T>(
        &mut self,
        key: &str,
        default: &[&str],
        read: Read<'_, T>,
    ) -> Result<Vec<T>, Wrong> {
        let default = || default.iter().map(|text| Spanned::new(0..0, (*text).into())).collect();
        let texts: Vec<Text> = self.take_texts(key)?.unwrap_or_else(default);
        self.note(key, list(&texts));
        self.each(key, &texts, read)
    }

    /// A text, or a list of them, which may be empty.
    pub(super) fn one_or_more<T>(&mut self, key: &str, read: Read<'_, T>) -> Result<Vec<T>, Wrong> {
        let value = self.take(key).ok_or_else(|| self.missing(key))?;
        let is_list = value.get_ref().is_array();
        let texts = self.as_texts(key, value)?;
        let noted = list(&texts);
        self.note(key, if is_list { noted } else { noted[0].clone() });
        self.each(key, &texts, read)
    }

    fn each<T>(&self, key: &str, texts: &[Text], read: Read<'_, T>) -> Result<Vec<T>, Wrong> {
        let mut values = Vec::new();
        for text in texts {
            let value = read(text.get_ref());
            values.push(value.map_err(|why| self.wrong(key, text.span(), why))?);
        }
        Ok(values)
    }
}

fn list(texts: &[Text]) -> Value {
    texts.iter().map(|text| text.get_ref().as_ref()).collect()
}

/// What is wrong with a key that this table does not have. One that another table has stands behind the wrong
/// `[table]` line, and is spelt right.
fn unknown(key: &str, known: &[&str]) -> String {
    let places = keys::places(key);
    match (places.as_slice(), nearest(key, known)) {
        ([_, ..], _) => format!("unknown field here: it belongs {}", places.join(" or ")),
        ([], Some(meant)) if meant.ends_with("_file") => {
            format!(
                "unknown field: did you mean `{meant}`, the absolute path of a file that holds it?"
            )
        }
        ([], Some(meant)) => format!("unknown field: did you mean `{meant}`?"),
        ([], None) => format!("unknown field, expected one of `{}`", known.join("`, `")),
    }
}
