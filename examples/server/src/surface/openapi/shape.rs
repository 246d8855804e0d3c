//! Small words for JSON Schema (2020-12, which OpenAPI 3.1 speaks) and for operations.

use serde_json::{Map, Value, json};

use crate::answer::Code;

/// A whole number of 32 bits.
pub(super) fn int32() -> Value {
    json!({"type": "integer", "format": "int32"})
}

/// A whole number of 64 bits.
pub(super) fn int64() -> Value {
    json!({"type": "integer", "format": "int64"})
}

/// Text.
pub(super) fn text() -> Value {
    json!({"type": "string"})
}

/// Yes or no.
pub(super) fn boolean() -> Value {
    json!({"type": "boolean"})
}

/// A time, RFC 3339.
pub(super) fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

/// One of these texts.
pub(super) fn one_of(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

/// The same or `null`.
pub(super) fn or_null(mut schema: Value) -> Value {
    let kind = schema["type"].take();
    schema["type"] = json!([kind, "null"]);
    schema
}

/// The same with a remark.
pub(super) fn about(mut schema: Value, remark: &str) -> Value {
    schema["description"] = json!(remark);
    schema
}

/// A schema of the components.
pub(super) fn named(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// A list of a schema of the components.
pub(super) fn list(name: &str) -> Value {
    json!({"type": "array", "items": named(name)})
}

/// A closed object whose members are always there.
pub(super) fn closed<const N: usize>(members: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let required = json!(required);
    let mut object = optional(members);
    object["required"] = required;
    object
}

/// A closed object whose members may be left out.
pub(super) fn optional<const N: usize>(members: [(&str, Value); N]) -> Value {
    let properties: Map<String, Value> = members.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

/// A route in the making.
pub(super) struct Operation {
    /// Lower case.
    pub(super) method: &'static str,
    /// With `{id}` for what varies.
    pub(super) path: String,
    value: Value,
}

impl Operation {
    /// Answers JSON and wants the token. `tag` groups, `summary` is one line.
    pub(super) fn new(method: &'static str, path: impl Into<String>, tag: &str, summary: &str) -> Self {
        let path = path.into();
        let id: String = path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let value = json!({
            "operationId": format!("{method}{id}"),
            "tags": [tag],
            "summary": summary,
            "security": [{"token": []}],
            "parameters": [],
            "responses": {},
        });
        Self { method, path, value }
    }

    /// More than one line.
    pub(super) fn remark(mut self, remark: &str) -> Self {
        self.value["description"] = json!(remark);
        self
    }

    /// Anybody may ask.
    pub(super) fn open(mut self) -> Self {
        self.value["security"] = json!([]);
        self
    }

    /// Wants this instead of the token.
    pub(super) fn secured_by(mut self, scheme: &str) -> Self {
        self.value["security"] = json!([{scheme: []}]);
        self
    }

    /// A parameter: where (`query`, `path`, `header`), name, schema.
    pub(super) fn parameter(mut self, place: &str, name: &str, schema: Value, required: bool) -> Self {
        let parameter = json!({"in": place, "name": name, "required": required, "schema": schema});
        if let Some(parameters) = self.value["parameters"].as_array_mut() {
            parameters.push(parameter);
        }
        self
    }

    /// A JSON body.
    pub(super) fn body(mut self, schema: &str) -> Self {
        let content = json!({"application/json": {"schema": named(schema)}});
        self.value["requestBody"] = json!({"required": true, "content": content});
        self
    }

    /// A success in the envelope; `meta` as the schema of a component.
    pub(super) fn data(self, data: Value, meta: Option<&str>) -> Self {
        let mut envelope = json!({
            "type": "object",
            "required": ["success", "data"],
            "properties": {"success": {"const": true}, "data": data},
        });
        if let Some(meta) = meta {
            envelope["properties"]["meta"] = named(meta);
            envelope["required"] = json!(["success", "data", "meta"]);
        }
        self.answer("200", "Done.", "application/json", envelope)
    }

    /// An answer of another kind.
    pub(super) fn answer(mut self, status: &str, remark: &str, kind: &str, schema: Value) -> Self {
        self.value["responses"][status] = json!({"description": remark, "content": {kind: {"schema": schema}}});
        self
    }

    /// Refusals in the envelope, besides those that every route with a token has.
    pub(super) fn refuses(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            let status = status.to_string();
            self.value["responses"][&status] = json!({"$ref": format!("#/components/responses/{status}")});
        }
        self
    }

    /// The finished operation.
    pub(super) fn end(self) -> (&'static str, String, Value) {
        (self.method, self.path, self.value)
    }
}

/// The refusals, by status, each with the codes that come with it.
pub(super) fn refusals() -> Value {
    let mut all = Map::new();
    for code in Code::ALL {
        let status = code.status().as_u16().to_string();
        let words: Vec<&str> =
            Code::ALL.into_iter().filter(|other| other.status() == code.status()).map(Code::word).collect();
        let answer = json!({
            "description": words.join(", "),
            "content": {"application/json": {"schema": named("Refusal")}},
        });
        all.insert(status, answer);
    }
    let too_large = json!({"description": "The body is larger than 1 MB. Without envelope."});
    all.insert("413".to_owned(), too_large);
    Value::Object(all)
}
