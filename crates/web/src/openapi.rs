//! `openapi.json`, written from the table of endpoints; a test compares it with the file in `tests/`.

use crate::endpoints::{Access, Answer, Endpoint, Method, SDP, table};
use axum::Json;
use domain::{CaseState, ClipState, StillState};
use serde_json::{Map, Value, json};

/// `GET openapi.json`
pub(crate) async fn serve() -> Json<Value> {
    Json(document())
}

/// The description of the whole interface (OpenAPI 3.1).
#[must_use]
pub fn document() -> Value {
    let mut paths = Map::new();
    for endpoint in table() {
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
                "tv": {"type": "apiKey", "in": "cookie", "name": crate::tv::COOKIE},
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
        let about = match endpoint.path.split('/').nth(3) {
            Some("cases") => "Case number",
            Some("exports") => "Export id",
            Some("kept") => "Id of kept footage",
            Some("tvs") => "Number of a TV",
            _ => "Camera id",
        };
        parameters.insert(0, json!({"name": "id", "in": "path", "required": true, "description": about, "schema": {"type": "string"}}));
    }
    if endpoint.path.contains("{token}") {
        let about = "The ticket of one look";
        parameters.push(json!({"name": "token", "in": "path", "required": true, "description": about, "schema": {"type": "string"}}));
    }
    if endpoint.path.contains("{film}") {
        parameters.push(json!({"name": "film", "in": "path", "required": true, "description": "CAMERA.mp4", "schema": {"type": "string"}}));
    }
    if endpoint.path.contains("{file}") {
        let about = "init-N.mp4, seg-N.m4s or part-N-M.m4s";
        parameters.push(json!({"name": "file", "in": "path", "required": true, "description": about, "schema": {"type": "string"}}));
    }
    if endpoint.path.contains("{session}") {
        let about = "The session that Location named";
        parameters.push(json!({"name": "session", "in": "path", "required": true, "description": about, "schema": {"type": "string"}}));
    }
    let reference = |schema: &str| json!({"$ref": format!("#/components/schemas/{schema}")});
    let carries = |media: &str, what: Value| json!({"description": endpoint.about, "content": {media: what}});
    let (code, answer) = match endpoint.answer {
        Answer::Nothing => ("204", json!({"description": "Done"})),
        Answer::Socket => ("101", json!({"description": endpoint.about})),
        Answer::Bytes(media) => ("200", carries(media, json!({}))),
        Answer::Json(schema) => ("200", carries("application/json", json!({"schema": reference(schema)}))),
        Answer::Answered => ("201", carries("application/sdp", json!({}))),
        Answer::Made(schema) => ("201", carries("application/json", json!({"schema": reference(schema)}))),
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
        Access::Tv => operation["security"] = json!([{"tv": []}]),
    }
    if !endpoint.public_door() {
        // By the host of `public_url`, or through a trusted proxy, there is no such path.
        operation["x-inside-only"] = json!(true);
    }
    if endpoint.body == SDP {
        operation["requestBody"] = json!({"required": true, "content": {"application/sdp": {}}});
    } else if !endpoint.body.is_empty() {
        let schema = reference(endpoint.body);
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
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
    let mut all = house();
    for part in [case_schemas(), box_schemas(), paper_schemas(), tv_schemas()] {
        if let (Some(all), Value::Object(part)) = (all.as_object_mut(), part) {
            all.extend(part);
        }
    }
    all
}

/// People and cameras.
fn house() -> Value {
    let link: Vec<&str> = domain::Link::ALL.iter().map(|link| link.key()).collect();
    let note: Vec<&str> = domain::Note::ALL.iter().map(|note| note.key()).collect();
    let reason: Vec<&str> = domain::GapReason::ALL.iter().map(|reason| reason.as_str()).collect();
    let colour: Vec<&str> = domain::Colour::ALL.iter().map(|colour| colour.as_str()).collect();
    let heading: Vec<&str> = domain::Heading::ALL.iter().map(|heading| heading.as_str()).collect();
    let role: Vec<&str> = domain::Role::ALL.iter().map(|role| role.as_str()).collect();
    json!({
        "Problem": object(&[("type", "string"), ("kind", "string"), ("title", "string"), ("status", "integer"), ("detail", "string"), ("parameter?", "string"), ("room?", "=NoRoom"), ("codec?", "string")]),
        "NoRoom": object(&[("need", "integer"), ("used", "integer"), ("quota", "integer"), ("free", "integer")]),
        "Login": object(&[("name", "string"), ("password", "string")]),
        "Role": {"type": "string", "enum": role},
        "Site": object(&[("name", "string"), ("timezone", "string"), ("language", "string"), ("demo", "boolean")]),
        "Session": object(&[("name", "string"), ("role", "=Role"), ("site", "=Site"), ("webrtc", "boolean")]),
        "NewPerson": object(&[("name", "string"), ("role", "=Role"), ("cameras?", "string[]|null")]),
        "InviteAgain": object(&[("lost?", "boolean")]),
        "InvitationSecret": object(&[("secret", "string")]),
        "InvitationFor": object(&[("name", "string"), ("role", "=Role"), ("site", "=Site"), ("expires", "time")]),
        "Qr": object(&[("size", "integer"), ("path", "string")]),
        "Invitation": object(&[("person", "integer"), ("name", "string"), ("link", "string"), ("qr", "=Qr"), ("expires", "time")]),
        "Device": object(&[("id", "string"), ("label", "string"), ("bound", "boolean"), ("created", "time"), ("seen", "time"), ("current", "boolean")]),
        "Devices": object(&[("now", "time"), ("devices", "=Device[]")]),
        "Person": object(&[
            ("id", "integer"), ("name", "string"), ("role", "=Role"), ("cameras", "string[]|null"), ("password", "boolean"),
            ("invited", "time|null"), ("devices", "=Device[]"),
        ]),
        "People": object(&[("now", "time"), ("people", "=Person[]")]),
        "Link": {"type": "string", "enum": link},
        "Note": {"type": "string", "enum": note},
        "StreamHealth": object(&[
            ("link", "=Link"), ("since", "time"), ("detail", "string"), ("notes", "=Note[]"), ("codec", "string|null"), ("size", "integer[]|null"),
            ("fps", "number"), ("bitrate", "integer"), ("gop", "number|null"), ("clock_offset", "number|null"), ("sessions", "integer"),
            ("last_sample", "time|null"),
        ]),
        "Streams": object(&[("main", "=StreamHealth"), ("sub", "=StreamHealth|null")]),
        "Recorded": object(&[("main", "boolean"), ("sub", "boolean")]),
        "Camera": object(&[("id", "string"), ("name", "string"), ("streams", "=Streams"), ("recorded", "=Recorded"), ("sound", "=Recorded"), ("detection", "=Detection"), ("moving", "boolean"), ("masked", "boolean")]),
        "Detection": {"type": "string", "enum": ["on", "no-rules", "off", "quarantine"]},
        "Cameras": object(&[("site", "=Site"), ("now", "time"), ("cameras", "=Camera[]")]),
        "Search": object(&[
            ("from", "time"), ("to", "time"), ("purpose", "string"), ("cameras?", "string[]"), ("classes?", "string[]"), ("colours?", "=Colour[]"),
            ("headings?", "=Heading[]"), ("before?", "string|null"), ("limit?", "integer"),
        ]),
        "Colour": {"type": "string", "enum": colour},
        "Heading": {"type": "string", "enum": heading},
        "Found": object(&[("now", "time"), ("found", "=Sighting[]"), ("before", "string|null")]),
        "Sighting": object(&[
            ("camera", "string"), ("class", "string"), ("colour", "=Colour|null"), ("heading", "=Heading"), ("first", "time"), ("last", "time"),
            ("best", "time"), ("box", "=Box"), ("score", "number"),
        ]),
        "Span": object(&[("from", "time"), ("to", "time")]),
        "Timeline": object(&[("from", "time"), ("to", "time"), ("stream", "string"), ("spans", "=Span[]"), ("gaps", "=Gap[]")]),
        "Gap": object(&[("from", "time"), ("to", "time"), ("reason", "=GapReason")]),
        "GapReason": {"type": "string", "enum": reason},
        "StoryEvent": object(&[("kind", "string"), ("from", "number"), ("to", "number"), ("ruled", "boolean")]),
        "StoryScene": object(&[("camera", "string"), ("seconds", "number"), ("events", "=StoryEvent[]")]),
        "Story": object(&[("now", "time"), ("begun", "time"), ("scenes", "=StoryScene[]")]),
        "OpenApi": {"type": "object"},
    })
}

/// Cases.
fn case_schemas() -> Value {
    let words = |all: Vec<&'static str>| json!({"type": "string", "enum": all});
    json!({
        "CaseState": words(CaseState::ALL.iter().map(|s| s.as_str()).collect()),
        "StillState": words(StillState::ALL.iter().map(|s| s.as_str()).collect()),
        "ClipState": words(ClipState::ALL.iter().map(|s| s.as_str()).collect()),
        "Answer": object(&[("answer", "=AnswerWord")]),
        "AnswerWord": words(domain::Answer::ALL.iter().map(|a| a.as_str()).collect()),
        "ByHand": object(&[("camera", "string"), ("note?", "string")]),
        "Why": object(&[("vi", "string"), ("en", "string")]),
        "Box": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4, "description": "x1, y1, x2, y2: fractions of the picture, origin top left"},
        "Measured": {"type": "object", "additionalProperties": {"type": "number"}, "description": "The unit is the end of the key: _s, _deg"},
        "HistoryLine": object(&[("at", "time"), ("by", "string"), ("what", "string"), ("note", "string")]),
        "Case": object(&[
            ("id", "integer"), ("camera", "string"), ("camera_name", "string"), ("kind", "string"), ("state", "=CaseState"), ("start", "time"),
            ("raised", "time"), ("end", "time|null"), ("class", "string|null"), ("zone", "string|null"), ("box", "=Box|null"), ("why", "=Why"),
            ("measured", "=Measured"), ("still", "=StillState"), ("clip", "=ClipState"), ("clip_from", "time|null"), ("clip_to", "time|null"),
            ("held", "boolean"), ("evidence_gone", "time|null"), ("answered_by", "string|null"), ("answered", "time|null"), ("undo_until", "time|null"), ("note", "string"),
            ("history?", "=HistoryLine[]"), ("now?", "time"),
        ]),
        "Push": object(&[("offered", "boolean"), ("key", "string|null"), ("phones", "=Phone[]")]),
        "Phone": object(&[("id", "integer"), ("label", "string"), ("created", "time"), ("renewed", "time"), ("handed", "time|null")]),
        "PushPhone": object(&[("id", "integer")]),
        "PushSubscription": object(&[
            ("endpoint", "string"), ("keys", "=PushKeys"), ("expirationTime?", "number|null"), ("label?", "string"), ("language?", "string"),
        ]),
        "PushKeys": object(&[("p256dh", "string"), ("auth", "string")]),
        "CanBeAsked": object(&[("people", "=AskedOne[]")]),
        "AskedOne": object(&[("id", "integer"), ("name", "string"), ("role", "=Role")]),
        "AskedPerson": object(&[("person", "integer")]),
        "CaseLink": object(&[("name", "string"), ("link", "string"), ("expires", "time")]),
        "CaseLinkSecret": object(&[("secret", "string"), ("browser", "string")]),
        "CaseLinkOpened": object(&[("case", "integer"), ("name", "string"), ("expires", "time"), ("site", "=Site")]),
        "CaseList": object(&[("now", "time"), ("todo", "integer"), ("cases", "=Case[]")]),
        "Violation": object(&[
            ("id", "integer"), ("camera", "string"), ("kind", "string"), ("state", "=CaseState"), ("start", "time"), ("raised", "time"),
            ("end", "time|null"), ("class", "string|null"), ("zone", "string|null"), ("box", "=Box|null"), ("why", "=Why"),
        ]),
        "Violations": object(&[("from", "time"), ("to", "time"), ("more", "boolean"), ("violations", "=Violation[]")]),
    })
}

/// How the box is doing.
fn box_schemas() -> Value {
    json!({
        "CameraCount": object(&[("up", "integer"), ("total", "integer")]),
        "Ring": object(&[
            ("name", "string"), ("state", "string"), ("detail", "string"), ("size", "integer"), ("used", "integer"), ("oldest", "time|null"),
            ("newest", "time|null"), ("write_rate_bps", "integer"), ("days_forecast", "number|null"), ("days_promised", "number|null"), ("dropped_gops", "integer"),
            ("paths", "=RingPath[]"),
        ]),
        "RingPath": object(&[
            ("path", "string"), ("state", "string"), ("since", "time|null"), ("detail", "string"), ("read_errors", "integer"), ("write_errors", "integer"),
        ]),
        "Disk": object(&[
            ("device", "string"), ("paths", "string[]"), ("state", "string"), ("detail", "string"), ("model", "string"), ("serial", "string"),
            ("measured", "time|null"), ("reallocated", "integer|null"), ("pending", "integer|null"), ("uncorrectable", "integer|null"),
            ("worn_percent", "integer|null"), ("temperature", "integer|null"), ("hours", "integer|null"),
        ]),
        "Trouble": object(&[
            ("key", "string"), ("text_key", "string"), ("camera?", "string"), ("stream?", "string"), ("ring?", "string"), ("disk?", "string"),
            ("since?", "time"), ("detail", "string"),
        ]),
        "Status": object(&[
            ("version", "string"), ("started", "time"), ("now", "time"), ("cameras", "=CameraCount"), ("rings", "=Ring[]"), ("disks", "=Disk[]"),
            ("evidence", "=Evidence"), ("push", "=PushState"), ("reach", "=Reach"), ("problems", "=Trouble[]"), ("vision", "=Vision"),
        ]),
        "Reach": object(&[("public_url", "string|null"), ("certificate", "=ShownCertificate|null"), ("missing", "string[]")]),
        "ShownCertificate": object(&[
            ("state", "=CertificateState"), ("names", "string[]"), ("until", "time"), ("authority", "string|null"),
        ]),
        "CertificateState": {"type": "string", "enum": door::State::ALL.map(door::State::as_str)},
        "Evidence": object(&[
            ("state", "=Fullness"), ("used", "integer"), ("quota", "integer"), ("free", "integer"), ("cases", "integer"), ("kept", "integer"),
            ("packages", "integer"), ("keep_unconfirmed_s", "integer"),
        ]),
        "PushState": object(&[("offered", "boolean"), ("phones", "integer")]),
        "Fullness": {"type": "string", "enum": ["roomy", "filling", "full"]},
        "RingHealth": object(&[("name", "string"), ("synced", "boolean")]),
        "Health": object(&[("status", "string"), ("cameras", "=CameraCount"), ("rings", "=RingHealth[]")]),
        "Vision": object(&[
            ("state", "string"), ("model?", "string|null"), ("runtime?", "string|null"), ("detail?", "string"), ("restarts?", "integer"),
            ("sandbox?", "object|null"), ("counts?", "object"), ("quarantined?", "string[]"), ("cameras?", "object"),
        ]),
    })
}

/// What leaves the village, and who saw what.
fn paper_schemas() -> Value {
    json!({
        "ExportRequest": object(&[
            ("cameras", "string[]"), ("from", "time"), ("to", "time"), ("stream?", "string"), ("audio?", "boolean"),
            ("viewing_copy?", "boolean"), ("purpose", "string"), ("officer", "string"), ("authority?", "string"), ("document?", "string"), ("case?", "integer|null"),
        ]),
        "Export": object(&[
            ("id", "string"), ("asked", "time"), ("by", "string"), ("role", "string"), ("state", "string"), ("request", "=ExportRequest"),
            ("done", "integer"), ("total", "integer"), ("bytes", "integer"), ("trouble", "string"), ("here", "boolean"),
        ]),
        "Exports": object(&[("exports", "=Export[]")]),
        "Keep": object(&[("cameras", "string[]"), ("from", "time"), ("to", "time"), ("note?", "string")]),
        "Hold": object(&[("hold", "boolean")]),
        "Kept": object(&[
            ("id", "string"), ("asked", "time"), ("by", "string"), ("cameras", "string[]"), ("from", "time"), ("to", "time"), ("note", "string"),
            ("until", "time|null"), ("state", "string"), ("bytes", "integer"), ("trouble", "string"),
        ]),
        "KeptList": object(&[("kept", "=Kept[]")]),
        "AuditRow": object(&[
            ("seq", "integer"), ("at", "time"), ("who", "string"), ("role", "string"), ("what", "string"), ("subject", "string"),
            ("detail", "string"),
        ]),
        "Audit": object(&[("rows", "=AuditRow[]")]),
        "Fingerprint": object(&[("day", "string"), ("at", "time"), ("words", "string"), ("hash", "string"), ("line", "string")]),
        "Fingerprints": object(&[("key", "string"), ("fingerprints", "=Fingerprint[]")]),
    })
}

/// TVs and the wall.
fn tv_schemas() -> Value {
    json!({
        "WallMode": {"type": "string", "enum": domain::WallMode::ALL.map(domain::WallMode::as_str)},
        "TvPairing": object(&[("code", "string"), ("secret", "string"), ("seconds", "integer"), ("site", "=Site")]),
        "TvSecret": object(&[("secret", "string")]),
        "TvStanding": object(&[("state", "string")]),
        "NewTv": object(&[("code", "string"), ("name", "string"), ("mode", "=WallMode")]),
        "Tv": object(&[("id", "integer"), ("name", "string"), ("mode", "=WallMode"), ("by", "string"), ("created", "time"), ("seen", "time")]),
        "Tvs": object(&[("now", "time"), ("tvs", "=Tv[]")]),
        "OwnTv": object(&[("name", "string"), ("mode", "=WallMode"), ("site", "=Site"), ("now", "time"), ("view", "=WallView")]),
        "WallView": object(&[("page", "integer"), ("pages", "integer"), ("tiles", "integer"), ("night", "boolean"), ("trouble", "string")]),
        "TvTurn": object(&[("turn", "=WallTurn")]),
        "WallTurn": {"type": "string", "enum": ["next", "previous", "more", "fewer"]},
    })
}
