//! `openapi.json`, written from the table of endpoints; a test compares it with the file in `tests/`.

use crate::endpoints::{Access, Endpoint, Method, TABLE};
use axum::Json;
use serde_json::{Map, Value, json};

/// `GET openapi.json`
pub(crate) async fn serve() -> Json<Value> {
    Json(document())
}

/// The description of the whole interface (OpenAPI 3.1).
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    for endpoint in TABLE {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        let method = match endpoint.method {
            Method::Get => "get",
            Method::Post => "post",
            Method::Delete => "delete",
        };
        path[method] = operation(endpoint);
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Mắt Thôn", "version": "1", "description": "Times are RFC 3339. Errors are application/problem+json."},
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": crate::guard::COOKIE},
                "token": {"type": "http", "scheme": "bearer"},
            },
            "schemas": schemas(),
        },
    })
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut parameters: Vec<Value> = endpoint
        .query
        .iter()
        .map(|(name, required, about)| {
            json!({"name": name, "in": "query", "required": required, "description": about, "schema": {"type": "string"}})
        })
        .collect();
    if endpoint.path.contains("{id}") {
        parameters
            .insert(0, json!({"name": "id", "in": "path", "required": true, "description": "Camera id", "schema": {"type": "string"}}));
    }
    let (media, schema) = endpoint.answer;
    let (code, answer) = match media {
        "" => ("204", json!({"description": "Done"})),
        "websocket" => ("101", json!({"description": endpoint.about})),
        _ if schema.is_empty() => ("200", json!({"description": endpoint.about, "content": {media: {}}})),
        _ => {
            let reference = format!("#/components/schemas/{schema}");
            ("200", json!({"description": endpoint.about, "content": {media: {"schema": {"$ref": reference}}}}))
        }
    };
    let problem = json!({
        "description": "A problem (RFC 9457)",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    });
    let mut operation = json!({
        "summary": endpoint.about,
        "parameters": parameters,
        "responses": {code: answer, "default": problem},
    });
    match endpoint.access {
        Access::Public => operation["security"] = json!([]),
        Access::Roles(roles) => {
            operation["security"] = json!([{"session": []}, {"token": []}]);
            operation["x-roles"] = json!(roles);
        }
    }
    if endpoint.method == Method::Post {
        let body = json!({"$ref": "#/components/schemas/Login"});
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": body}}});
    }
    operation
}

/// An object schema: `name?` is optional, types are JSON's, `time` is RFC 3339, `=Name` refers, `[]` makes a list, `|null` may be null.
fn object(fields: &[(&str, &str)]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, kind) in fields {
        let bare = name.trim_end_matches('?');
        if bare == *name {
            required.push(bare);
        }
        properties.insert(bare.to_owned(), type_of(kind));
    }
    json!({"type": "object", "properties": properties, "required": required})
}

fn type_of(kind: &str) -> Value {
    if let Some(kind) = kind.strip_suffix("|null") {
        return json!({"anyOf": [type_of(kind), {"type": "null"}]});
    }
    if let Some(item) = kind.strip_suffix("[]") {
        return json!({"type": "array", "items": type_of(item)});
    }
    match (kind, kind.strip_prefix('=')) {
        (_, Some(name)) => json!({"$ref": format!("#/components/schemas/{name}")}),
        ("time", _) => json!({"type": "string", "format": "date-time"}),
        _ => json!({"type": kind}),
    }
}

fn schemas() -> Value {
    let link: Vec<&str> = domain::Link::ALL.iter().map(|link| link.key()).collect();
    let note: Vec<&str> = domain::Note::ALL.iter().map(|note| note.key()).collect();
    let role: Vec<&str> = domain::Role::ALL.iter().map(|role| role.as_str()).collect();
    json!({
        "Problem": object(&[("type", "string"), ("kind", "string"), ("title", "string"), ("status", "integer"), ("detail", "string"), ("parameter?", "string")]),
        "Login": object(&[("name", "string"), ("password", "string")]),
        "Role": {"type": "string", "enum": role},
        "Site": object(&[("name", "string"), ("timezone", "string"), ("language", "string")]),
        "Session": object(&[("name", "string"), ("role", "=Role"), ("site", "=Site")]),
        "Link": {"type": "string", "enum": link},
        "Note": {"type": "string", "enum": note},
        "StreamHealth": object(&[
            ("link", "=Link"), ("since", "time"), ("detail", "string"), ("notes", "=Note[]"), ("codec", "string|null"), ("size", "integer[]|null"),
            ("fps", "number"), ("bitrate", "integer"), ("gop", "number|null"), ("clock_offset", "number|null"), ("sessions", "integer"),
            ("last_sample", "time|null"),
        ]),
        "Streams": object(&[("main", "=StreamHealth"), ("sub", "=StreamHealth|null")]),
        "Recorded": object(&[("main", "boolean"), ("sub", "boolean")]),
        "Camera": object(&[("id", "string"), ("name", "string"), ("streams", "=Streams"), ("recorded", "=Recorded")]),
        "Cameras": object(&[("site", "=Site"), ("now", "time"), ("cameras", "=Camera[]")]),
        "Span": object(&[("from", "time"), ("to", "time")]),
        "Timeline": object(&[("from", "time"), ("to", "time"), ("stream", "string"), ("spans", "=Span[]")]),
        "CameraCount": object(&[("up", "integer"), ("total", "integer")]),
        "Ring": object(&[
            ("name", "string"), ("state", "string"), ("detail", "string"), ("size", "integer"), ("used", "integer"), ("oldest", "time|null"),
            ("newest", "time|null"), ("write_rate_bps", "integer"), ("days_forecast", "number|null"), ("dropped_gops", "integer"),
        ]),
        "Trouble": object(&[
            ("key", "string"), ("text_key", "string"), ("camera?", "string"), ("stream?", "string"), ("ring?", "string"), ("since?", "time"),
            ("detail", "string"),
        ]),
        "Status": object(&[
            ("version", "string"), ("started", "time"), ("now", "time"), ("cameras", "=CameraCount"), ("rings", "=Ring[]"), ("problems", "=Trouble[]"),
        ]),
        "RingHealth": object(&[("name", "string"), ("synced", "boolean")]),
        "Health": object(&[("status", "string"), ("cameras", "=CameraCount"), ("rings", "=RingHealth[]")]),
        "OpenApi": {"type": "object"},
    })
}
