//! Fetching a model as somebody with a fresh box does: over HTTPS, through a redirect, from a server the system trusts.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{Village, program};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use sha2::{Digest, Sha256};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{Output, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::process::Command;

const WEIGHTS: &[u8] = b"the weights of a small model, as far as a checksum is concerned";

/// Answers as many connections as there are answers, one after another.
fn serve(config: Arc<ServerConfig>, answers: Vec<Vec<u8>>) -> (u16, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (socket, _) = listener.accept().unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut tls = BufReader::new(StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), socket));
            let mut request = String::new();
            // A client that does not trust us hangs up in the middle of the handshake.
            while tls.read_line(&mut request).is_ok_and(|n| n > 2) {}
            asked.push(request.lines().next().unwrap_or_default().to_owned());
            let _ = tls.get_mut().write_all(&answer);
            tls.get_mut().conn.send_close_notify();
            let _ = tls.get_mut().flush();
        }
        asked
    });
    (port, served)
}

fn found(location: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

fn ok(body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn manifest(dir: &Path, port: u16) {
    let sum: String = Sha256::digest(WEIGHTS).iter().map(|b| format!("{b:02x}")).collect();
    let text = format!(
        "name = \"small\"\nlicence = \"MIT\"\nsource = \"https://127.0.0.1:{port}/first/small.onnx\"\nlayout = \"yolox\"\ninput = [64, 32]\n\
         channels = \"rgb\"\nmean = [0, 0, 0]\nscale = [1, 1, 1]\npad = 0\nthreshold = 0.25\nnms = 0.5\nclasses = [\"car\"]\n\
         [[weights]]\nbytes = {}\nsha256 = \"{sum}\"\n[labels]\ncar = \"car\"\n",
        WEIGHTS.len()
    );
    std::fs::write(dir.join("small.toml"), text).unwrap();
}

async fn pull(village: &Village, trusted: &Path) -> Output {
    let child = Command::new(program("matthon"))
        .args(["models", "pull", "small", "--config"])
        .arg(&village.config)
        .env("SSL_CERT_FILE", trusted)
        .env_remove("SSL_CERT_DIR")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    tokio::time::timeout(Duration::from_secs(60), child).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_model_is_pulled_over_https_through_a_redirect_and_only_if_its_bytes_are_right() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap();
    let config = Arc::new(config);

    let village = Village::new(
        "[vision]\nmodel = \"small\"\nmodels = \"models\"\n[[camera]]\nid = \"x\"\nname = \"x\"\nmain = \"rtsp://127.0.0.1:9/x\"\n",
    );
    let models = village.path().join("models");
    std::fs::create_dir(&models).unwrap();
    let trusted = village.path().join("trusted.pem");
    std::fs::write(&trusted, own.cert.pem()).unwrap();
    let other = village.path().join("other.pem");
    std::fs::write(&other, rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap().cert.pem()).unwrap();
    let installed = models.join("small.onnx");

    // Somebody in between: neither trusted nor believed.
    let (port, served) = serve(config.clone(), vec![ok(WEIGHTS)]);
    manifest(&models, port);
    let out = pull(&village, &other).await;
    assert_eq!((out.status.code(), installed.exists()), (Some(1), false), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(served.join().unwrap(), [""], "a server that is not trusted is asked nothing");

    // Trusted, and other bytes than the manifest says, of the same length.
    let mut bad = WEIGHTS.to_vec();
    bad[0] ^= 1;
    let (port, served) = serve(config.clone(), vec![ok(&bad)]);
    manifest(&models, port);
    let out = pull(&village, &trusted).await;
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!((out.status.code(), installed.exists()), (Some(1), false), "{said}");
    assert!(said.contains("small") && said.contains("sha256"), "{said}");
    served.join().unwrap();

    // As the real one does it: the release's address leads to another.
    let (port, served) = serve(config, vec![found("/second/small.onnx?token=1"), ok(WEIGHTS)]);
    manifest(&models, port);
    let out = pull(&village, &trusted).await;
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(std::fs::read(&installed).unwrap(), WEIGHTS);
    assert_eq!(served.join().unwrap(), ["GET /first/small.onnx HTTP/1.1", "GET /second/small.onnx?token=1 HTTP/1.1"]);
}
