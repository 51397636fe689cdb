//! The fields of a form: what was typed, and what is wrong with it.

use intercom_wire::Errors;
use maud::{Markup, html};
use serde_json::{Map, Value};

/// What a form is filled in with, and what is wrong with it.
pub(super) struct Typed {
    fields: Map<String, Value>,
    errors: Option<Errors>,
}

/// One field.
#[derive(Default)]
pub(super) struct Field<'a> {
    /// As the form sends it; no other field of the page has this name.
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    pub(super) hint: Option<&'a str>,
    /// What it begins with.
    pub(super) usual: Option<&'a str>,
    pub(super) kind: Kind,
}

/// What is typed into it.
#[derive(Clone, Copy, Default)]
pub(super) enum Kind {
    /// Words as they are.
    #[default]
    Plain,
    /// Usually in capitals.
    Capitals,
    Digits,
    /// A time of day.
    Time,
    Url,
}

impl Typed {
    /// The form is as it begins.
    pub(super) fn nothing() -> Self {
        Typed { fields: Map::new(), errors: None }
    }

    /// The form was sent, and this is wrong.
    pub(super) fn wrong(fields: Map<String, Value>, errors: Errors) -> Self {
        Typed { fields, errors: Some(errors) }
    }

    /// What is wrong with any other field than these.
    pub(super) fn others(&self, fields: &[&str]) -> Markup {
        let wrong = self.errors.iter().flat_map(Errors::fields);
        html! {
            @for (_, texts) in wrong.filter(|(name, _)| !fields.contains(name)) {
                @for text in texts { p.error role="alert" { (text) } }
            }
        }
    }

    /// A field with its label, and below it what is wrong with it.
    pub(super) fn field(&self, field: &Field<'_>) -> Markup {
        let Field { name, label, hint, usual, kind } = *field;
        let typed = self.fields.get(name).and_then(Value::as_str);
        let wrong = self.errors.iter().flat_map(Errors::fields);
        let wrong: Vec<&String> =
            wrong.filter(|(field, _)| *field == name).flat_map(|(_, texts)| texts).collect();
        let note = format!("{name}-note");
        html! {
            label for=(name) { (label) }
            input id=(name) name=(name) value=(typed.or(usual).unwrap_or_default())
                type=(kind.input()) inputmode=[kind.keyboard()] autocomplete="off"
                autocapitalize=(kind.capitals()) spellcheck="false" aria-describedby=(note)
                aria-invalid=[(!wrong.is_empty()).then_some("true")];
            div.note id=(note) {
                @for text in &wrong { p.error role="alert" { (text) } }
                @if let Some(hint) = hint { p.quiet { (hint) } }
            }
        }
    }
}

impl Kind {
    fn input(self) -> &'static str {
        match self {
            Kind::Plain | Kind::Capitals | Kind::Digits => "text",
            Kind::Time => "time",
            Kind::Url => "url",
        }
    }

    fn keyboard(self) -> Option<&'static str> {
        match self {
            Kind::Digits => Some("numeric"),
            Kind::Plain | Kind::Capitals | Kind::Time | Kind::Url => None,
        }
    }

    fn capitals(self) -> &'static str {
        match self {
            Kind::Capitals => "characters",
            Kind::Plain | Kind::Digits | Kind::Time | Kind::Url => "none",
        }
    }
}
