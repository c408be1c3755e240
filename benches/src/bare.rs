//! The floor: the same RTSP client, every frame read and dropped.

use anyhow::Result;
use domain::{CameraId, Channel};
use ingest::{Network, RetinaNetwork, StreamTarget};
use std::sync::Arc;
use url::Url;

/// Reads until killed.
pub(crate) async fn run(urls: Vec<Url>) -> Result<()> {
    let network = Arc::new(RetinaNetwork::new());
    let mut sessions = tokio::task::JoinSet::new();
    for (i, url) in urls.into_iter().enumerate() {
        let network = network.clone();
        sessions.spawn(async move {
            let camera = CameraId::new(&format!("c{i}"))?;
            let target = StreamTarget { camera, channel: Channel::Main, url, username: None, password: None, audio: false };
            let mut session = network.open(&target).await?;
            loop {
                session.next().await?;
            }
            #[allow(unreachable_code)]
            anyhow::Ok(())
        });
    }
    while let Some(ended) = sessions.join_next().await {
        ended??;
    }
    Ok(())
}
