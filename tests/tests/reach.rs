//! The recommended way in from outside (docs/reach.md), with a real sshd: the line of `matthon-tunnel.service` as it stands,
//! the key restricted as the guide says, and what goes through.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use matthon_tests::{Village, http, skip, until, village::free_port};
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const UNIT: &str = include_str!("../../systemd/matthon-tunnel.service");
const GUIDE: &str = include_str!("../../docs/reach.md");
const WITHIN: Duration = Duration::from_secs(15);

fn sshd() -> Option<PathBuf> {
    ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].map(PathBuf::from).into_iter().find(|path| path.exists())
}

/// The server: an sshd for whoever runs this test, that lets one key open one port.
struct Server {
    dir: TempDir,
    port: u16,
    far: u16,
    child: Child,
}

async fn run(command: &mut Command) -> std::process::Output {
    tokio::time::timeout(WITHIN, command.stdin(Stdio::null()).kill_on_drop(true).output()).await.expect("it ends").unwrap()
}

impl Server {
    async fn start(sshd: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        for key in ["host", "key"] {
            let made = run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &at(key)])).await;
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let (port, far) = (free_port(), free_port());
        // The guide's own line, with this server's port in the place of its.
        let restricted =
            GUIDE.lines().find(|l| l.starts_with("restrict,")).expect("the guide restricts the key").split(" ssh-").next().unwrap();
        let public = std::fs::read_to_string(at("key.pub")).unwrap();
        std::fs::write(at("authorized"), format!("{} {public}", restricted.replace("18080", &far.to_string()))).unwrap();
        let host = std::fs::read_to_string(at("host.pub")).unwrap();
        std::fs::write(at("tunnel_known_hosts"), format!("[127.0.0.1]:{port} {host}")).unwrap();
        let guide: String = GUIDE
            .lines()
            .skip_while(|l| !l.starts_with("Match User"))
            .take_while(|l| *l != "```")
            .skip(1)
            .fold(String::new(), |text, l| text + l + "\n");
        assert!(guide.contains("AllowTcpForwarding remote"), "{guide}");
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n\
             PermitRootLogin prohibit-password\nAuthorizedKeysFile {}\n{guide}",
            at("host"),
            at("authorized")
        );
        std::fs::write(at("sshd_config"), config).unwrap();
        // As root it wants this folder, which its service makes.
        if rustix::process::getuid().is_root() {
            std::fs::create_dir_all("/run/sshd").unwrap();
        }
        let log = std::fs::File::create(at("sshd.log")).unwrap();
        let mut command = Command::new(sshd);
        command.args(["-D", "-e", "-f", &at("sshd_config")]).stdin(Stdio::null()).stderr(log).kill_on_drop(true);
        let child = command.spawn().unwrap();
        let listening = || async { tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok() };
        until("sshd listens", WITHIN, listening).await;
        Self { dir, port, far, child }
    }

    fn at(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// The unit's own line, with its variables and paths in this folder.
    fn tunnel(&self, far: u16, near: u16) -> Command {
        let joined = UNIT.replace("\\\n", " ");
        let line = joined.lines().find_map(|l| l.strip_prefix("ExecStart=")).unwrap();
        let line = line
            .replace("%d/key", &self.at("key"))
            .replace("/etc/matthon/tunnel_known_hosts", &self.at("tunnel_known_hosts"))
            .replace("${PORT}", &self.port.to_string())
            .replace("${FAR}", &format!("127.0.0.1:{far}"))
            .replace("${NEAR}", &format!("127.0.0.1:{near}"))
            .replace("${SERVER}", &format!("{}@127.0.0.1", user()));
        assert!(!line.contains(['$', '%']), "{line}");
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap());
        command.args(words).stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

/// The processes that this one started, by the kernel's list.
fn children(of: u32) -> Vec<rustix::process::Pid> {
    let parent = |stat: &str| stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse::<u32>().ok();
    let process = |entry: std::fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        if parent(&stat) == Some(of) { rustix::process::Pid::from_raw(pid) } else { None }
    };
    std::fs::read_dir("/proc").unwrap().filter_map(|entry| process(entry.ok()?)).collect()
}

fn user() -> String {
    let out = std::process::Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn the_tunnel_carries_the_page_and_the_api_and_nothing_that_is_for_inside() {
    let Some(sshd) = sshd() else {
        return skip("the_tunnel_carries_the_page_and_the_api_and_nothing_that_is_for_inside", "needs openssh-server");
    };
    let server = Server::start(&sshd).await;
    let village = Village::new("[[camera]]\nid = \"cong\"\nname = \"Cổng\"\nmain = \"rtsp://127.0.0.1:1/main\"\n");
    village.change(&[("[web]\n", "[web]\npublic_url = \"https://thon.example.vn\"\ntrusted_proxies = [\"127.0.0.1\"]\n")]);
    let daemon = village.start().await;
    let admin = village.admin().await;
    let mut tunnel = server.tunnel(server.far, village.port).spawn().unwrap();
    // What the server's nginx sends down the line.
    let passed_on = |request: reqwest::RequestBuilder| {
        request.header("Host", "thon.example.vn").header("X-Forwarded-For", "203.0.113.9").header("X-Forwarded-Proto", "https")
    };
    let far = |path: &str| format!("http://127.0.0.1:{}{path}", server.far);
    let page = until("the page comes through", WITHIN, || async { passed_on(http().get(far("/"))).send().await.ok() }).await;
    assert_eq!(page.status(), 200);
    assert!(page.headers().contains_key("strict-transport-security"));
    let cameras = passed_on(http().get(far("/api/v1/cameras"))).bearer_auth(admin.token()).send().await.unwrap();
    assert_eq!(cameras.status(), 200);
    assert_eq!(passed_on(http().get(far("/api/v1/cameras"))).send().await.unwrap().status(), 401);
    for inside in ["/metrics", "/healthz", "/ca.crt"] {
        let answer = passed_on(http().get(far(inside))).bearer_auth(admin.token()).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{inside}");
    }
    // Somebody signs in on his phone.
    let login = serde_json::json!({"name": "quan-tri", "password": "mat-khau-thu-1"});
    let signed =
        passed_on(http().post(far("/api/v1/session"))).header("Origin", "https://thon.example.vn").json(&login).send().await.unwrap();
    assert!(signed.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"));
    let log = admin.json("audit?limit=20").await;
    let row = log["rows"].as_array().unwrap().iter().find(|r| r["what"] == "signed-in").unwrap();
    assert_eq!(row["detail"], "address=203.0.113.9");
    // Live pictures are a socket.
    let mut request = format!("ws://127.0.0.1:{}/api/v1/live?cameras=cong", server.far).into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", admin.token()).parse().unwrap());
    let (socket, answer) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(answer.status(), 101);
    drop(socket);

    // The key opens this one port there, no other, and reaches nothing of the server.
    let other = run(&mut server.tunnel(free_port(), village.port)).await;
    assert!(!other.status.success(), "another port was opened");
    let mut shell = Command::new("ssh");
    let (key, known) = (server.at("key"), format!("UserKnownHostsFile={}", server.at("tunnel_known_hosts")));
    let (port, who) = (server.port.to_string(), format!("{}@127.0.0.1", user()));
    shell.args(["-F", "none", "-T", "-p", &port, "-i", &key, "-o", "BatchMode=yes", "-o", &known, &who, "echo", "in"]);
    let shell = run(&mut shell).await;
    assert!(!String::from_utf8_lossy(&shell.stdout).contains("in"), "a command was run on the server");

    // A line that is cut ends the program, so that the unit starts it again.
    let Server { child: mut sshd, dir: _dir, .. } = server;
    let sessions = children(sshd.id().unwrap());
    assert!(!sessions.is_empty());
    for session in sessions {
        // One may have ended with the one before it.
        let _ = rustix::process::kill_process(session, rustix::process::Signal::TERM);
    }
    let ended = tokio::time::timeout(WITHIN, tunnel.wait()).await.expect("ssh ends with its line").unwrap();
    assert!(!ended.success());
    sshd.kill().await.unwrap();
    drop(daemon);
}

#[test]
fn the_unit_and_the_guide_speak_of_the_same_files() {
    for file in ["/etc/matthon/tunnel.conf", "/etc/matthon/tunnel_key", "/etc/matthon/tunnel_known_hosts", "matthon-tunnel"] {
        assert!(UNIT.contains(file) && GUIDE.contains(file), "{file}");
    }
    assert!(UNIT.contains("Restart=always") && UNIT.contains("StartLimitIntervalSec=0"), "a box that is never visited keeps trying");
    let example = std::fs::metadata(concat!(env!("CARGO_MANIFEST_DIR"), "/../systemd/matthon-tunnel.service")).unwrap();
    assert_eq!(example.permissions().mode() & 0o111, 0);
}
