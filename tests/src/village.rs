//! One village: a folder with a configuration, cameras, and a daemon that comes and goes.

use crate::{Camsim, Daemon, api::Api, daemon::matthon, disks};
use domain::WallTime;
use std::{
    fmt::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// A temporary folder with a configuration in it.
pub struct Village {
    dir: tempfile::TempDir,
    /// The configuration file.
    pub config: PathBuf,
    /// The port of the web server.
    pub port: u16,
}

/// A port that nobody has at the moment.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Village {
    /// A village with these `[[camera]]` tables (TOML text), one ring of 512 MB.
    #[must_use]
    pub fn new(cameras: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let config = dir.path().join("matthon.toml");
        let text = format!(
            "[site]\nname = \"Thôn Duyên Hy\"\n[privacy]\ncontroller = \"UBND xã Thử Nghiệm\"\nkeep = \"15d\"\n[storage]\ndata = \"data\"\n\
             [[ring]]\nname = \"main\"\npaths = [\"ring\"]\nsize = \"512MB\"\n{}[web]\nlisten = \"127.0.0.1:{port}\"\nwebrtc = \"127.0.0.1:0\"\n{cameras}",
            // Where tests write to memory or to a developer's btrfs the promises about power cuts are not what is tested.
            if disks::keeps(dir.path()) { "" } else { "any_filesystem = true\n" }
        );
        std::fs::write(&config, text).unwrap();
        Self { dir, config, port }
    }

    /// A village that watches every given camera of a `camsim`.
    #[must_use]
    pub fn watching(camsim: &Camsim, ids: &[&str]) -> Self {
        Self::new(&ids.iter().fold(String::new(), |mut text, id| {
            writeln!(text, "[[camera]]\nid = \"{id}\"\nname = \"{id}\"\nmain = \"{0}/{id}/main\"\nsub = \"{0}/{id}/sub\"", camsim.rtsp)
                .unwrap();
            text
        }))
    }

    /// A village that watches the main streams of the given cameras of a `camsim`.
    #[must_use]
    pub fn watching_mains(camsim: &Camsim, ids: &[&str]) -> Self {
        Self::new(&ids.iter().fold(String::new(), |mut text, id| {
            writeln!(text, "[[camera]]\nid = \"{id}\"\nname = \"{id}\"\nmain = \"{}/{id}/main\"", camsim.rtsp).unwrap();
            text
        }))
    }

    /// Changes its configuration: each pair is a text that must be in it, and what replaces it.
    pub fn change(&self, pairs: &[(&str, &str)]) {
        let mut text = std::fs::read_to_string(&self.config).unwrap();
        for (old, new) in pairs {
            assert!(text.contains(old), "{old} is not in the configuration");
            text = text.replace(old, new);
        }
        std::fs::write(&self.config, text).unwrap();
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// `matthon ARGS --config F`.
    pub async fn matthon(&self, args: &[&str], stdin: &str) -> std::process::Output {
        let mut all: Vec<&str> = args.to_vec();
        let config = self.config.to_str().unwrap();
        all.extend(["--config", config]);
        matthon(&all, stdin).await
    }

    /// Starts the daemon.
    pub async fn start(&self) -> Daemon {
        Daemon::start(&self.config, self.port).await
    }

    /// An API client with the rights of an administrator made on the spot.
    pub async fn admin(&self) -> Api {
        self.person("quan-tri", "admin").await
    }

    /// The same after a restart: the person may be known already.
    #[must_use]
    pub async fn admin_again(&self) -> Api {
        let added = self.matthon(&["user", "add", "quan-tri", "--role", "admin", "--password-stdin"], "mat-khau-thu-1\n").await;
        let token = self.matthon(&["user", "token", "quan-tri"], "").await;
        assert!(token.status.success(), "{}{}", String::from_utf8_lossy(&added.stderr), String::from_utf8_lossy(&token.stderr));
        Api::new(self.port, String::from_utf8(token.stdout).unwrap().trim())
    }

    /// An API client for a new person.
    pub async fn person(&self, name: &str, role: &str) -> Api {
        let added = self.matthon(&["user", "add", name, "--role", role, "--password-stdin"], "mat-khau-thu-1\n").await;
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let token = self.matthon(&["user", "token", name], "").await;
        assert!(token.status.success(), "{}", String::from_utf8_lossy(&token.stderr));
        Api::new(self.port, String::from_utf8(token.stdout).unwrap().trim())
    }
}

/// Now, as the box sees it.
#[must_use]
pub fn now() -> WallTime {
    WallTime(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap())
}
