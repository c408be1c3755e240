//! Where models and the runtime that runs them are looked for, and fetching them. The only place that goes out to the
//! network for something that is not a camera or an alert, and only when a person asks.

use anyhow::{Context, Result, bail};
use std::{io::Write, path::PathBuf, time::Duration};
use vision::model::Library;

/// The library of a configuration: `[vision] models` first, then `DATA/models`, where `pull` puts what it fetches unless the former is given.
pub(crate) fn library(config: &config::Config) -> Library {
    let given = config.vision.as_ref().and_then(|v| v.models.clone());
    Library::new(given.into_iter().chain([config.storage.data.join("models")]).collect())
}

/// ONNX Runtime: what the configuration says, else `ORT_DYLIB_PATH`; `None` leaves it to the worker, which looks beside
/// itself and then where the system keeps libraries.
pub(crate) fn runtime(config: &config::Config) -> Option<PathBuf> {
    let given = config.vision.as_ref().and_then(|v| v.runtime.clone());
    given.or_else(|| std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from))
}

/// What starts workers: `matthon-worker` beside this program.
pub(crate) fn launcher(config: &config::Config) -> Result<vision::SystemLauncher> {
    let own = std::env::current_exe().context("cannot tell where this program lies")?;
    let program = own.with_file_name("matthon-worker");
    let state = config.storage.data.join("worker");
    Ok(vision::SystemLauncher { program, runtime: runtime(config), state, memory: config.vision.as_ref().map_or(2 << 30, |v| v.memory) })
}

/// Fetches a model's weights from its manifest's address into the library; what is not what the manifest says is never installed.
pub(crate) fn download(library: &Library, name: &str, mut progress: impl FnMut(u64, u64)) -> Result<PathBuf> {
    let manifest = library.manifest(name)?;
    let Some(source) = manifest.source.as_deref() else {
        bail!("{name} comes with the program: there is nothing to fetch");
    };
    let mut writer = library.writer(name)?;
    // Installed by whoever needs it first; a second time is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let whole = manifest.largest();
    runtime.block_on(async {
        let client =
            reqwest::Client::builder().https_only(true).connect_timeout(Duration::from_secs(20)).read_timeout(Duration::from_secs(60));
        let offline =
            || format!("{source} cannot be reached; on another machine download it, then `matthon models pull {name} --from FILE`");
        let mut answer = client.build()?.get(source).send().await.with_context(offline)?;
        if !answer.status().is_success() {
            bail!("{source} answered {}", answer.status());
        }
        let mut done = 0;
        while let Some(piece) = answer.chunk().await.context("the download broke off; try again")? {
            writer.write_all(&piece)?;
            done += piece.len() as u64;
            progress(done, whole);
        }
        anyhow::Ok(())
    })?;
    Ok(writer.finish()?)
}

/// Why a configuration may not have the model it names: one that knows drawn pictures only, on real cameras.
pub(crate) fn forbidden(config: &config::Config) -> Option<String> {
    let name = &config.vision.as_ref()?.model;
    let demo_only = library(config).manifest(name).is_ok_and(|m| m.demo_only);
    (demo_only && !config.demo).then(|| {
        format!(
            "[vision] model: `{name}` was trained on drawn pictures only and must not watch real cameras; use `yolox-nano` \
             (`matthon models pull yolox-nano`), or say `demo = true` at the top if these cameras are simulated"
        )
    })
}

/// One sentence for `check` when detection is configured and cannot be; `None` when it can.
pub(crate) fn trouble(config: &config::Config) -> Option<String> {
    let vision = config.vision.as_ref()?;
    let library = library(config);
    let said = |e: vision::model::ModelError| Some(format!("nothing will be detected: {e}"));
    let told: Vec<String> = match library.manifest(&vision.model) {
        Ok(manifest) => manifest.tells().into_iter().map(str::to_owned).collect(),
        Err(e) => return said(e),
    };
    for camera in &config.cameras {
        for rule in &camera.rules {
            let (config::Rule::NoParking { classes, .. } | config::Rule::WrongWay { classes, .. }) = rule;
            if let Some(unknown) = classes.iter().find(|c| !told.contains(c)) {
                return Some(format!(
                    "camera {}: the rule {} waits for `{unknown}`, which the model {} never tells; it tells {}",
                    camera.id,
                    rule.kind(),
                    vision.model,
                    told.join(", ")
                ));
            }
        }
    }
    library.load(&vision.model).err().and_then(said)
}
