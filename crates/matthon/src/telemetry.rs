//! Logs to standard error, metrics to whoever asks.

use anyhow::Result;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Logs one line an event, JSON when `MATTHON_LOG_JSON` is set; the level comes from `MATTHON_LOG` (default `info`).
pub(crate) fn init_logs() {
    let filter = EnvFilter::try_from_env("MATTHON_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal());
    if std::env::var_os("MATTHON_LOG_JSON").is_some() {
        builder.json().init();
    } else {
        builder.init();
    }
}

/// Installs the recorder behind the `metrics` macros.
pub(crate) fn init_metrics() -> Result<PrometheusHandle> {
    let seconds = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
    Ok(PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &seconds)?.install_recorder()?)
}

/// A ring whose writer has failed records nothing any more: then the process ends at once, and whoever supervises it
/// starts it again, which recovers the ring. Panics elsewhere are contained where they happen.
pub(crate) fn end_with_the_writer() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        usual(info);
        if std::thread::current().name() == Some("ring") {
            std::process::abort();
        }
    }));
}

/// As many open files as the system allows: a ring's blocks and a crowd of viewers share them.
pub(crate) fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}
