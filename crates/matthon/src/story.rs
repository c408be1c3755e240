//! The demo's story, as its simulated cameras wrote it down.
//!
//! Belongs here: reading and joining it with the rules of this configuration. A story that cannot be read costs its
//! panel on the page and nothing else.

use config::Config;
use web::Story;

/// The largest story that is read, bytes.
const LARGEST: u64 = 1 << 20;

/// The story of a demo; none without `demo_story`.
pub(crate) fn read(config: &Config) -> Option<Story> {
    let path = config.demo_story.as_ref().filter(|_| config.demo)?;
    let read = || -> anyhow::Result<Story> {
        let size = std::fs::metadata(path)?.len();
        anyhow::ensure!(size <= LARGEST, "{size} bytes are more than a story has");
        Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
    };
    let mut story = match read() {
        Ok(story) => story,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the demo has no story");
            return None;
        }
    };
    for scene in &mut story.cameras {
        let Some(camera) = config.cameras.iter().find(|c| c.id.as_str() == scene.id) else { continue };
        for event in scene.story.iter_mut().flat_map(|s| &mut s.violations) {
            event.ruled = camera.rules.iter().any(|rule| rule.kind() == event.kind);
        }
    }
    Some(story)
}
