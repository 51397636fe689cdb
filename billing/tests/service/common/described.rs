//! The service's own OpenAPI file, against which its answers are checked.

use jsonschema::Validator;
use serde_json::{Value, json};
use ureq::http::Method;

pub(crate) struct Described(Value);

impl Described {
    pub(crate) fn new() -> Self {
        let text = include_str!("../../../openapi.json");
        Described(serde_json::from_str(text).expect("JSON"))
    }

    /// Method, path and description of each operation.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.0["paths"].as_object().expect("paths").iter();
        paths.flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods").iter();
            methods.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
        })
    }

    /// The names of the tags.
    pub(crate) fn tags(&self) -> impl Iterator<Item = &str> {
        let tags = self.0["tags"].as_array().expect("tags").iter();
        tags.map(|tag| tag["name"].as_str().expect("a name"))
    }

    /// The names of the schemas.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = &String> {
        self.0["components"]["schemas"].as_object().expect("schemas").keys()
    }

    /// A schema inside the description, its references resolved there.
    pub(crate) fn schema(&self, pointer: &str) -> Validator {
        let mut schema = self.0.clone();
        // A reference is a URI, which a template's braces are not allowed in.
        let pointer = pointer.replace('{', "%7B").replace('}', "%7D");
        schema["$ref"] = json!(format!("#{pointer}"));
        jsonschema::draft202012::new(&schema).expect("a schema")
    }

    /// The status must be described for that route, and the body must be as described.
    pub(crate) fn check(
        &self,
        method: &Method,
        path: &str,
        status: u16,
        kind: Option<&str>,
        body: &Value,
    ) {
        let path = path.split('?').next().expect("a path");
        let routes = self.0["paths"].as_object().expect("paths");
        let Some((path, route)) = routes.iter().find(|(template, _)| is_of(path, template)) else {
            return assert_eq!(status, 404, "{path} is not described");
        };
        let Some(operation) = route.get(method.as_str().to_lowercase()) else {
            return assert_eq!(status, 405, "{method} {path} is not described");
        };
        let mut answer = &operation["responses"][status.to_string()];
        assert!(answer.is_object(), "{method} {path} answers {status}, which is not described");
        let mut pointer = format!(
            "/paths/{}/{}/responses/{status}",
            path.replace('/', "~1"),
            method.as_str().to_lowercase()
        );
        if let Some(reference) = answer["$ref"].as_str() {
            pointer = reference.trim_start_matches('#').to_owned();
            answer = self.0.pointer(&pointer).expect("what is referred to");
        }
        let Some(content) = answer["content"].as_object() else {
            return assert_eq!(kind, None, "{method} {path} {status} has no body");
        };
        let kind = kind.expect("a content type").split(';').next().expect("a type");
        assert!(content.contains_key(kind), "{method} {path} {status} is {kind}");
        if kind == "application/json" {
            let schema = self.schema(&format!("{pointer}/content/application~1json/schema"));
            let wrong: Vec<_> = schema.iter_errors(body).map(|e| e.to_string()).collect();
            assert!(wrong.is_empty(), "{method} {path} {status}: {wrong:#?} in {body:#}");
        }
    }
}

/// Whether a path is one of a template's, where a parameter stands for one segment.
fn is_of(path: &str, template: &str) -> bool {
    path.split('/').count() == template.split('/').count()
        && path
            .split('/')
            .zip(template.split('/'))
            .all(|(segment, of_template)| segment == of_template || of_template.starts_with('{'))
}
