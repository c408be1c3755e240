//! libFuzzer's program: one for all targets, `MATTHON_FUZZ_TARGET` names the one (`--list`: prints them). Started by `tools/fuzz`.
//! Built only with the feature `libfuzzer`, and instrumented by `tools/fuzz-rustc`.

#![no_main]

use matthon_fuzz::{TARGETS, Target, target};
use std::sync::OnceLock;

static CHOSEN: OnceLock<&'static Target> = OnceLock::new();

fn chosen() -> &'static Target {
    CHOSEN.get_or_init(|| {
        let name = std::env::var("MATTHON_FUZZ_TARGET").unwrap_or_default();
        if name == "--list" {
            TARGETS.iter().for_each(|t| println!("{} {}", t.name, t.max_len));
            std::process::exit(0)
        }
        target(&name).unwrap_or_else(|| {
            let names: Vec<_> = TARGETS.iter().map(|t| t.name).collect();
            eprintln!("MATTHON_FUZZ_TARGET is `{name}`: name one of {}", names.join(", "));
            std::process::exit(2)
        })
    })
}

libfuzzer_sys::fuzz_target!(init: { chosen(); }, |data: &[u8]| {
    (chosen().run)(data);
});
