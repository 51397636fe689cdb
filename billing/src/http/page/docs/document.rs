//! What the page reads of `openapi.json`, with the names of OpenAPI and in the order of the file.

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub(super) struct Document {
    pub(super) info: Info,
    pub(super) tags: Vec<Tag>,
    /// By path and method.
    pub(super) paths: IndexMap<String, IndexMap<String, Operation>>,
    pub(super) components: Components,
}

#[derive(Deserialize)]
pub(super) struct Info {
    pub(super) title: String,
    pub(super) version: String,
    pub(super) description: String,
}

#[derive(Deserialize)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) description: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Components {
    pub(super) security_schemes: IndexMap<String, SecurityScheme>,
    pub(super) responses: IndexMap<String, Response>,
    pub(super) schemas: IndexMap<String, Schema>,
}

#[derive(Deserialize)]
pub(super) struct SecurityScheme {
    pub(super) description: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) operation_id: String,
    pub(super) tags: Vec<String>,
    pub(super) summary: String,
    pub(super) description: Option<String>,
    /// Empty where no token is needed; absent where the document's rule counts.
    pub(super) security: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    pub(super) parameters: Vec<Parameter>,
    pub(super) request_body: Option<RequestBody>,
    /// By status.
    pub(super) responses: IndexMap<String, Response>,
}

#[derive(Deserialize)]
pub(super) struct Parameter {
    pub(super) name: String,
    #[serde(rename = "in")]
    pub(super) place: Place,
    #[serde(default)]
    pub(super) required: bool,
    pub(super) description: Option<String>,
    pub(super) schema: Schema,
    pub(super) example: Option<Value>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    Path,
    Query,
    Header,
}

#[derive(Deserialize)]
pub(super) struct RequestBody {
    #[serde(default)]
    pub(super) required: bool,
    /// By content type.
    pub(super) content: IndexMap<String, Content>,
}

/// An answer, or a reference to one of the components.
#[derive(Deserialize)]
pub(super) struct Response {
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    #[serde(default)]
    pub(super) description: String,
    /// By content type.
    #[serde(default)]
    pub(super) content: IndexMap<String, Content>,
}

#[derive(Deserialize)]
pub(super) struct Content {
    pub(super) schema: Schema,
    pub(super) example: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) examples: IndexMap<String, Example>,
}

#[derive(Deserialize)]
pub(super) struct Example {
    pub(super) value: Box<RawValue>,
}

/// The keywords of JSON Schema that are shown.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Schema {
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    pub(super) description: Option<String>,
    #[serde(rename = "type")]
    pub(super) kinds: Kinds,
    #[serde(rename = "enum")]
    pub(super) values: Vec<Value>,
    #[serde(rename = "const")]
    pub(super) value: Option<Value>,
    pub(super) one_of: Vec<Schema>,
    pub(super) all_of: Vec<Schema>,
    pub(super) items: Option<Box<Schema>>,
    pub(super) properties: IndexMap<String, Schema>,
    pub(super) required: Vec<String>,
    pub(super) format: Option<String>,
    pub(super) pattern: Option<String>,
    pub(super) minimum: Option<i64>,
    pub(super) maximum: Option<i64>,
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) default: Option<Value>,
}

/// One type, or each of several.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Kinds {
    One(String),
    Several(Vec<String>),
}

impl Default for Kinds {
    fn default() -> Self {
        Kinds::Several(Vec::new())
    }
}

impl Kinds {
    pub(super) fn all(&self) -> &[String] {
        match self {
            Kinds::One(kind) => std::slice::from_ref(kind),
            Kinds::Several(kinds) => kinds,
        }
    }
}
