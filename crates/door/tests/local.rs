//! The box's own authority, and certificates that change while the box runs, as a client sees them.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use domain::WallTime;
use matthon_door::{Certificate, Greeter, Greeting, HANDSHAKE_WITHIN, Names, Source, State, authority};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsConnector;

/// The client's verifier looks at the real time.
fn now() -> WallTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    WallTime(i64::try_from(since.as_micros()).unwrap())
}

const DAY: Duration = Duration::from_secs(86_400);

fn names(list: &[&str]) -> Names {
    Names::of(list.iter().map(|n| (*n).to_owned()))
}

fn local(dir: &TempDir) -> Source {
    Source::Local { data: dir.path().to_owned(), site: "Thôn Duyên Hy".into() }
}

/// Shakes hands with whoever trusts only this; what the client says of it.
async fn shake(certificate: &Certificate, trusted: &str, asked: &str) -> Result<Vec<u8>, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let greeter = Greeter::new(certificate).unwrap();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        if let Ok(Greeting::Secure(mut secure)) = greeter.greet(stream).await {
            secure.write_all(b"xin chao").await.unwrap();
            secure.shutdown().await.unwrap();
        }
    });
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(asked.to_owned()).unwrap();
    let mut secure = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|e| e.to_string())?;
    let mut said = Vec::new();
    secure.read_to_end(&mut said).await.map_err(|e| e.to_string())?;
    assert_eq!(said, b"xin chao");
    let shown = secure.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    server.await.unwrap();
    Ok(shown)
}

#[tokio::test]
async fn whoever_takes_the_authoritys_certificate_trusts_the_box_by_each_of_its_names() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(authority(dir.path()).unwrap(), None, "made by the first start only");
    let ours = names(&["thon.local", "192.168.1.10", "fd00::1", "localhost", "127.0.0.1"]);
    let certificate = Certificate::open(local(&dir), &ours, now()).unwrap();
    let told = certificate.told(now());
    assert_eq!((told.state, told.why.as_str()), (State::Good, ""));
    let made = told.authority.unwrap();
    assert_eq!(authority(dir.path()).unwrap().unwrap(), made);
    assert!(now().plus(DAY * 3650) < made.until);
    for name in ours.iter() {
        shake(&certificate, &made.pem, name).await.unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    assert!(shake(&certificate, &made.pem, "thon.vn").await.is_err());
    // Nobody else reads the keys.
    for file in ["ca.key", "server.key", "ca.crt", "server.crt"] {
        assert_eq!(fs::metadata(dir.path().join("tls").join(file)).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    // The next start makes nothing anew.
    let before = fs::read(dir.path().join("tls/server.crt")).unwrap();
    let again = Certificate::open(local(&dir), &ours, now()).unwrap();
    assert_eq!(again.authority(), Some(made));
    assert_eq!(fs::read(dir.path().join("tls/server.crt")).unwrap(), before);
}

#[tokio::test]
async fn a_stolen_authority_speaks_for_nobodys_public_name() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = Certificate::open(local(&dir), &names(&["thon.local"]), now()).unwrap();
    let pem = certificate.authority().unwrap().pem;
    let key = rcgen::KeyPair::from_pem(&fs::read_to_string(dir.path().join("tls/ca.key")).unwrap()).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_pem(&pem, key).unwrap();
    for (name, good) in
        [("thon.local", true), ("10.1.2.3", true), ("vietcombank.com.vn", false), ("8.8.8.8", false), ("2001:db8::1", false)]
    {
        let pair = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&pair, &issuer).unwrap();
        let (file, secret) = (dir.path().join("x.pem"), dir.path().join("x.key"));
        fs::write(&file, made.pem()).unwrap();
        fs::write(&secret, pair.serialize_pem()).unwrap();
        let stolen = Certificate::open(Source::Files { certificate: file, key: secret }, &names(&[]), now()).unwrap();
        assert_eq!(shake(&stolen, &pem, name).await.is_ok(), good, "{name}");
    }
}

#[tokio::test]
async fn it_is_made_anew_before_it_ends_and_when_the_box_is_called_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let ours = names(&["127.0.0.1"]);
    let certificate = Certificate::open(local(&dir), &ours, now()).unwrap();
    let pem = certificate.authority().unwrap().pem;
    let until = certificate.told(now()).until;
    assert!(!certificate.look(&ours, now()));
    assert!(!certificate.look(&ours, until.minus(DAY * 31)));
    assert!(certificate.look(&ours, until.minus(DAY * 29)), "a month before its end");
    assert!(certificate.told(now()).until > until);
    // A clock that went back: what has not begun is of no use now.
    assert!(certificate.look(&ours, now()));
    // A router that gave another address.
    let moved = names(&["127.0.0.1", "192.168.1.77"]);
    assert!(certificate.look(&moved, now()));
    assert_eq!(certificate.told(now()).names, ["127.0.0.1", "192.168.1.77"]);
    assert!(shake(&certificate, &pem, "192.168.1.77").await.is_ok(), "by the same authority");
}

#[tokio::test]
async fn nothing_outlives_its_authority_and_nothing_is_made_again_and_again() {
    let dir = tempfile::tempdir().unwrap();
    let ours = names(&["127.0.0.1"]);
    let certificate = Certificate::open(local(&dir), &ours, now()).unwrap();
    let end = certificate.authority().unwrap().until;
    assert!(certificate.look(&ours, end.minus(DAY * 20)));
    for (before, state) in [(DAY * 20, State::Good), (DAY * 10, State::Ends), (Duration::ZERO, State::Ended)] {
        assert!(!certificate.look(&ours, end.minus(before)), "{before:?}");
        let told = certificate.told(end.minus(before));
        assert_eq!((told.until, told.state), (end, state));
    }
}

#[tokio::test]
async fn a_box_without_a_clock_makes_one_that_holds_when_its_clock_is_right() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = Certificate::open(local(&dir), &names(&["127.0.0.1"]), WallTime::from_secs(100)).unwrap();
    let made = certificate.authority().unwrap();
    assert!(made.until > now().plus(DAY * 3000));
    certificate.look(&names(&["127.0.0.1"]), now());
    assert!(shake(&certificate, &made.pem, "127.0.0.1").await.is_ok());
}

#[tokio::test]
async fn an_authority_that_cannot_be_written_leaves_a_makeshift_certificate_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tls"), "a file in the way").unwrap();
    let certificate = Certificate::open(local(&dir), &names(&["127.0.0.1"]), now()).unwrap();
    let told = certificate.told(now());
    assert_eq!((told.state, told.authority), (State::Makeshift, None));
    assert!(told.why.contains("tls"), "{}", told.why);
    fs::remove_file(dir.path().join("tls")).unwrap();
    assert!(certificate.look(&names(&["127.0.0.1"]), now()), "tried again at each look");
    assert_eq!(certificate.told(now()).state, State::Good);
}

/// Writes a pair for `thon.vn` that holds so long from now; answers its certificate.
fn write_pair(dir: &Path, certificate: &str, key: &str, until: WallTime) -> String {
    let pair = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["thon.vn".to_owned()]).unwrap();
    params.not_after = time::OffsetDateTime::from_unix_timestamp(until.0 / 1_000_000).unwrap();
    let made = params.self_signed(&pair).unwrap();
    fs::write(dir.join(certificate), made.pem()).unwrap();
    fs::write(dir.join(key), pair.serialize_pem()).unwrap();
    made.pem()
}

#[tokio::test]
async fn files_that_change_are_taken_and_broken_ones_leave_the_old_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let (file, key) = (dir.path().join("c.pem"), dir.path().join("k.pem"));
    let source = Source::Files { certificate: file.clone(), key: key.clone() };
    let none = names(&[]);
    // Nothing there: the box starts all the same.
    let certificate = Certificate::open(source, &names(&["localhost"]), now()).unwrap();
    let told = certificate.told(now());
    assert_eq!(told.state, State::Makeshift);
    assert!(told.why.contains("c.pem") && told.why.contains("; name a file"), "{}", told.why);
    let first = write_pair(dir.path(), "c.pem", "k.pem", now().plus(DAY * 90));
    assert!(certificate.look(&none, now()));
    assert_eq!(certificate.told(now()).state, State::Good);
    shake(&certificate, &first, "thon.vn").await.unwrap();
    assert!(!certificate.look(&none, now()), "nothing changed");
    // Half of a new pair, as between two writes of whoever renews: a key of another.
    write_pair(dir.path(), "other.pem", "k.pem", now().plus(DAY * 90));
    assert!(!certificate.look(&none, now()));
    let told = certificate.told(now());
    assert!(told.state == State::Refused && told.why.contains("does not belong"), "{told:?}");
    shake(&certificate, &first, "thon.vn").await.unwrap();
    // The other half.
    fs::rename(dir.path().join("other.pem"), &file).unwrap();
    assert!(certificate.look(&none, now()));
    assert_eq!(certificate.told(now()).state, State::Good);
    assert!(shake(&certificate, &first, "thon.vn").await.is_err(), "the new one is shown");
    // It ends.
    let until = certificate.told(now()).until;
    for (before, state) in [(DAY * 15, State::Good), (DAY * 13, State::Ends), (Duration::ZERO, State::Ended)] {
        assert_eq!(certificate.told(until.minus(before)).state, state, "{before:?}");
    }
}

#[tokio::test]
async fn who_speaks_no_tls_is_handed_on_and_who_says_nothing_is_let_go() {
    let dir = tempfile::tempdir().unwrap();
    let greeter = Greeter::new(&Certificate::open(local(&dir), &names(&["127.0.0.1"]), now()).unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let meet = async |words: &[u8]| {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(words).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    };
    let (_client, stream) = meet(b"GET / HTTP/1.1\r\n").await;
    let Greeting::Plain(mut plain) = greeter.greet(stream).await.unwrap() else { panic!("it is no TLS") };
    let mut word = [0; 5];
    plain.read_exact(&mut word).await.unwrap();
    assert_eq!(&word, b"GET /", "nothing was read from it");
    // A TLS record of rubbish, a client that leaves.
    let (_client, stream) = meet(&[22, 3, 1, 0, 4, 9, 0, 0, 0]).await;
    assert!(greeter.greet(stream).await.is_err());
    let (client, stream) = meet(b"").await;
    drop(client);
    assert!(greeter.greet(stream).await.is_err());
    // Half a handshake, and nothing at all: the bound ends both. Time is the test's from here on.
    let (_half, half) = meet(&[22, 3, 1]).await;
    let (_silent, silent) = meet(b"").await;
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let (half, silent) = tokio::join!(greeter.greet(half), greeter.greet(silent));
    for ended in [half, silent] {
        assert_eq!(ended.err().unwrap().kind(), std::io::ErrorKind::TimedOut);
    }
    assert!(begun.elapsed() >= HANDSHAKE_WITHIN);
}
