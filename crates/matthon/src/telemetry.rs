//! Logs to standard error, metrics to whoever asks.

use anyhow::Result;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Logs one line an event, JSON when `MATTHON_LOG_JSON` is set; the level comes from `MATTHON_LOG` (default `info`).
pub(crate) fn init_logs() {
    let filter = EnvFilter::try_from_env("MATTHON_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
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
