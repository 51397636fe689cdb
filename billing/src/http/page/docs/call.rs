//! A call: what it takes, what it answers, and how curl makes it.

use maud::{Markup, html};
use serde_json::value::RawValue;

use super::document::{Content, Document, Operation, Place, Response};
use super::schema::{self, component, plain, words};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// An operation of the file, and where it is found.
pub(super) struct Call<'a> {
    document: &'a Document,
    method: String,
    path: &'a str,
    operation: &'a Operation,
}

impl<'a> Call<'a> {
    /// Those with this tag.
    pub(super) fn tagged(document: &'a Document, tag: &'a str) -> impl Iterator<Item = Call<'a>> {
        let paths = document.paths.iter();
        let all = paths.flat_map(move |(path, operations)| {
            operations.iter().map(move |(method, operation)| Call {
                document,
                method: method.to_uppercase(),
                path,
                operation,
            })
        });
        all.filter(move |call| call.operation.tags.iter().any(|own| own == tag))
    }

    pub(super) fn link(&self) -> Markup {
        html! {
            a href={ "#" (self.operation.operation_id) } { code { (self.method) " " (self.path) } }
            " " (self.operation.summary)
        }
    }

    pub(super) fn section(&self) -> Markup {
        let operation = self.operation;
        html! {
            section.card #(operation.operation_id) {
                div.head {
                    h3 { code { (self.method) " " (self.path) } }
                    span.quiet { (operation.operation_id) }
                }
                p { strong { (operation.summary) } }
                @if let Some(description) = &operation.description { p { (words(description)) } }
                @if !self.needs_a_token() { p.quiet { "Needs no token." } }
                @if !operation.parameters.is_empty() { h4 { "Parameters" } (self.parameters()) }
                @if let Some(body) = &operation.request_body {
                    h4 { "Body" @if !body.required { ", which may be absent" } }
                    @for (of_type, content) in &body.content {
                        (kind(of_type, content))
                        @if of_type != JSON { (examples(content)) }
                    }
                }
                @if let Some(command) = self.curl() { h4 { "With curl" } pre { (command) } }
                h4 { "Answers" }
                dl.facts {
                    @for (status, answer) in &operation.responses { (self.answer(status, answer)) }
                }
            }
        }
    }

    fn needs_a_token(&self) -> bool {
        self.operation.security.as_ref().is_none_or(|security| !security.is_empty())
    }

    fn parameters(&self) -> Markup {
        html! {
            dl.facts {
                @for parameter in &self.operation.parameters {
                    dt {
                        code { (parameter.name) }
                        @match parameter.place {
                            Place::Path => " in the path",
                            Place::Query => "",
                            Place::Header => " header",
                        }
                        @if parameter.required { " required" }
                    }
                    dd {
                        (schema::value(&parameter.schema))
                        @if let Some(description) = &parameter.description { p { (words(description)) } }
                    }
                }
            }
        }
    }

    fn answer(&self, status: &str, answer: &Response) -> Markup {
        let components = &self.document.components.responses;
        let shared = answer.reference.as_ref().and_then(|name| components.get(component(name)));
        let answer = shared.unwrap_or(answer);
        html! {
            dt { code { (status) } }
            dd {
                p { (words(&answer.description)) }
                @for (of_type, content) in &answer.content {
                    (kind(of_type, content))
                    (examples(content))
                }
            }
        }
    }

    /// The command, with the example of a JSON body. Forms are for browsers.
    fn curl(&self) -> Option<String> {
        let body = self.operation.request_body.as_ref().and_then(|body| body.content.first());
        let mut lines = vec![format!("curl -X {} \"$BILLING{}\"", self.method, self.target())];
        if self.needs_a_token() {
            lines.push("-H \"Authorization: Bearer $TOKEN\"".to_owned());
        }
        if let Some((of_type, content)) = body {
            lines.push(format!("-H \"Content-Type: {of_type}\""));
            lines.push(match of_type.as_str() {
                JSON => format!("-d '{}'", text(content.example.as_ref()?).replace('\'', "'\\''")),
                FORM => return None,
                _ => "--data-binary @FILE".to_owned(),
            });
        }
        Some(lines.join(" \\\n  "))
    }

    /// The path with the query, by the examples of the parameters.
    fn target(&self) -> String {
        let mut path = self.path.to_owned();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for parameter in &self.operation.parameters {
            let Some(example) = &parameter.example else { continue };
            match parameter.place {
                Place::Path => {
                    path = path.replace(&format!("{{{}}}", parameter.name), &plain(example))
                }
                Place::Query => {
                    query.append_pair(&parameter.name, &plain(example));
                }
                Place::Header => {}
            }
        }
        let query = query.finish();
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }
}

/// What a body is.
fn kind(of_type: &str, content: &Content) -> Markup {
    html! { p { (schema::kind(&content.schema)) " as " code { (of_type) } } }
}

fn examples(content: &Content) -> Markup {
    let named = content.examples.iter().map(|(name, example)| (name.as_str(), &example.value));
    let all = content.example.iter().map(|example| ("example", example)).chain(named);
    html! {
        @for (name, example) in all { details { summary { (name) } pre { (text(example)) } } }
    }
}

/// An example as it stands in the file, without the indent of its place there. A text is shown as what
/// it is.
fn text(example: &RawValue) -> String {
    let example = example.get();
    if let Ok(text) = serde_json::from_str(example) {
        return text;
    }
    let indent = example.lines().last().map_or(0, |last| last.len() - last.trim_start().len());
    let dedented = |line| str::get(line, indent..).unwrap_or(line);
    let mut lines = example.lines();
    let first = lines.next().unwrap_or_default();
    [first].into_iter().chain(lines.map(dedented)).collect::<Vec<_>>().join("\n")
}
