//! The file as written: which keys exist, the TOML type of each and how it is written right. One table serves
//! reading, the answers to unknown, missing and mistyped keys, and the tests; no value is judged here.

use crate::{
    reader::{Areas, Element, Field, Keys, Open, Read, Texts},
    source::{Place, Source},
};
use domain::Secret;
use toml::de::DeValue;

/// Keys that were renamed: table, old name, new name.
pub(crate) const RENAMED: &[(&str, &str, &str)] = &[
    // Drafts of the documentation called both ages `keep`; a ring's is the oldest a picture gets.
    ("[[ring]]", "keep", "max_age"),
];

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident $header:literal { $($key:ident: $type:ty = $example:literal,)* })*) => {
        /// Every table's header with its keys.
        pub(crate) const TABLES: &[(&str, &[&str])] = &[$(($header, $name::KEYS)),*];
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(crate) struct $name {
                #[allow(dead_code, reason = "only some tables are pointed at as a whole")]
                pub(crate) place: Place,
                $(pub(crate) $key: Field<$type>,)*
            }

            impl Keys for $name {
                const HEADER: &'static str = $header;
                const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];
            }

            impl Read for $name {
                fn form() -> String {
                    format!("write {} and its keys below it", Self::HEADER)
                }
                fn read(value: &DeValue<'_>, place: &Place, source: &mut Source<'_>) -> Option<Self> {
                    let open = Open::new::<Self>(value, place, source)?;
                    Some(Self { $($key: open.field(stringify!($key), $example, source),)* place: place.clone() })
                }
            }

            impl Element for $name {
                const TABLE: bool = true;
                fn list_form() -> String {
                    Self::form()
                }
            }
        )*
    };
}

tables! {
    /// The whole file.
    File "" {
        demo: bool = "demo = true",
        demo_story: String = r#"demo_story = "cameras.json""#,
        site: Site = r#"[site] with name = "Thôn …""#,
        privacy: Privacy = r#"[privacy] with controller = "UBND xã …" and keep = "15d""#,
        evidence: Evidence = r#"[evidence] with quota = "200GB""#,
        storage: Storage = r#"[storage] with data = "/var/lib/matthon""#,
        ring: Vec<Ring> = r#"[[ring]] with name = "main", paths = ["/video/main"] and size = "8TB""#,
        web: Web = r#"[web] with listen = "127.0.0.1:8080""#,
        vision: Vision = r#"[vision] with model = "yolox-nano""#,
        wall: Wall = r#"[wall] with off = "22:00-05:00""#,
        push: Push = r#"[push] with contact = "mailto:…""#,
        webhook: Vec<Webhook> = r#"[[webhook]] with url = "https://…" and secret_file = "secrets/…""#,
        camera: Vec<Camera> = r#"[[camera]] with id = "cong-lang" and main = "rtsp://…""#,
    }
    /// The village.
    Site "[site]" {
        name: String = r#"name = "Thôn …""#,
        timezone: String = r#"timezone = "Asia/Ho_Chi_Minh""#,
        language: String = r#"language = "vi""#,
    }
    /// Who answers for the pictures.
    Privacy "[privacy]" {
        controller: String = r#"controller = "UBND xã …""#,
        keep: String = r#"keep = "15d""#,
        keep_unconfirmed: String = r#"keep_unconfirmed = "30d""#,
    }
    /// What is kept beside the rings: of cases, at a tap, for authorities.
    Evidence "[evidence]" {
        quota: String = r#"quota = "200GB""#,
    }
    /// Where everything but the rings lies.
    Storage "[storage]" {
        data: String = r#"data = "/var/lib/matthon""#,
        smart: String = r#"smart = "/run/matthon/smart""#,
    }
    /// A disk ring.
    Ring "[[ring]]" {
        name: String = r#"name = "main""#,
        paths: Vec<String> = r#"paths = ["/video/main"]"#,
        size: String = r#"size = "8TB""#,
        block_size: String = r#"block_size = "128MiB""#,
        sync: String = r#"sync = "800ms""#,
        max_age: String = r#"max_age = "15d""#,
        any_filesystem: bool = "any_filesystem = true",
    }
    /// The HTTP server.
    Web "[web]" {
        listen: String = r#"listen = "127.0.0.1:8080""#,
        insecure: bool = "insecure = true",
        certificate: String = r#"certificate = "/etc/letsencrypt/live/…/fullchain.pem" or certificate = "local""#,
        key: String = r#"key = "/etc/letsencrypt/live/…/privkey.pem""#,
        public_url: String = r#"public_url = "https://thon.example.vn""#,
        trusted_proxies: Vec<String> = r#"trusted_proxies = ["127.0.0.1"]"#,
        webrtc: String = r#"webrtc = "0.0.0.0:8555" or webrtc = "off""#,
    }
    /// Detection.
    Vision "[vision]" {
        model: String = r#"model = "yolox-nano""#,
        workers: f64 = "workers = 2",
        fps: f64 = "fps = 5",
        runtime: String = r#"runtime = "/usr/lib/libonnxruntime.so""#,
        models: String = r#"models = "models""#,
        memory: String = r#"memory = "2GB""#,
    }
    /// TVs.
    Wall "[wall]" {
        off: String = r#"off = "22:00-05:00""#,
    }
    /// Phones that are told of cases.
    Push "[push]" {
        contact: String = r#"contact = "mailto:…", an address that is read"#,
        allow_loopback: bool = "allow_loopback = true",
    }
    /// A server that is told of cases.
    Webhook "[[webhook]]" {
        name: String = r#"name = "xa""#,
        url: Secret = r#"url = "https://…""#,
        secret: Secret = r#"the secret in quotes, or better secret_file = "secrets/…""#,
        secret_file: String = r#"secret_file = "secrets/xa""#,
        secret_env: String = r#"secret_env = "MATTHON_WEBHOOK_SECRET""#,
    }
    /// A camera.
    Camera "[[camera]]" {
        id: String = r#"id = "cong-lang""#,
        name: String = r#"name = "Cổng làng""#,
        location: String = r#"location = "cổng chính, đường liên xã""#,
        direction: String = r#"direction = "hướng Đông, ra đường lớn""#,
        make: String = r#"make = "Hikvision DS-2CD1023""#,
        serial: String = r#"serial = "C12345678""#,
        main: Secret = r#"main = "rtsp://…""#,
        sub: Secret = r#"sub = "rtsp://…""#,
        username: String = r#"username = "admin""#,
        password: Secret = r#"the password in quotes, or better password_file = "secrets/…""#,
        password_file: String = r#"password_file = "secrets/cong-lang""#,
        password_env: String = r#"password_env = "CAMERA_PASSWORD""#,
        audio: bool = "audio = true",
        bitrate: String = r#"bitrate = "2Mbps""#,
        record: Record = r#"record = { main = "main", sub = "main" }"#,
        masks: Areas = "masks = [[[0.0,0.0],[0.2,0.0],[0.2,0.3]]]",
        zone: Vec<Zone> = r#"[[camera.zone]] with name = "le-duong" and polygon = [[0.1,0.6],[0.9,0.6],[0.5,0.9]]"#,
        line: Vec<Line> = r#"[[camera.line]] with name = "vach" and points = [[0.2,0.6],[0.8,0.6]]"#,
        rule: Vec<Rule> = r#"[[camera.rule]] with kind = "no-parking""#,
    }
    /// Which ring takes which stream.
    Record "camera.record" {
        main: String = r#"main = "NAME-OF-A-RING""#,
        sub: String = r#"sub = "NAME-OF-A-RING""#,
    }
    /// A named area of the picture.
    Zone "[[camera.zone]]" {
        name: String = r#"name = "le-duong""#,
        polygon: Vec<[f64; 2]> = "polygon = [[0.1,0.6],[0.9,0.6],[0.5,0.9]]",
    }
    /// A named line across the picture.
    Line "[[camera.line]]" {
        name: String = r#"name = "vach""#,
        points: Vec<[f64; 2]> = "points = [[0.2,0.6],[0.8,0.6]]",
    }
    /// What to look for: the keys of all kinds.
    Rule "[[camera.rule]]" {
        kind: String = r#"kind = "no-parking" or another kind"#,
        zone: String = r#"zone = "…", the name of a [[camera.zone]]"#,
        line: String = r#"line = "…", the name of a [[camera.line]]"#,
        classes: Vec<String> = r#"classes = ["car", "truck"]"#,
        after: String = r#"after = "30s""#,
        direction: Vec<[f64; 2]> = "direction = [[0.5,0.9],[0.5,0.1]], the permitted way from → to",
        tolerance: String = r#"tolerance = "60deg""#,
        min_travel: f64 = "min_travel = 0.1",
        way: String = r#"way = "right""#,
        ground: Vec<[f64; 2]> = "ground = [[0.3,0.4],[0.6,0.4],[0.8,0.9],[0.1,0.9]]",
        metres: [f64; 2] = "metres = [3.5, 20]",
        limit: String = r#"limit = "40km/h""#,
        hours: Texts = r#"hours = "22:00-05:00""#,
        lamp: [f64; 4] = "lamp = [0.70, 0.10, 0.75, 0.20]",
        count: f64 = "count = 3",
    }
}
