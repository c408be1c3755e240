//! `matthon-worker --prove-sandbox`: tries every door from inside and says what happened.
//!
//! Belongs here: attempts. Does not belong here: the doors.

use std::{
    fs::{self, File},
    io::{self, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::net::{UnixListener, UnixStream},
    process::Command,
    thread,
};
use vision::protocol::Sandbox;

/// Writes one line an attempt, `WHAT: refused` or `WHAT: allowed`, then what is told to the core.
///
/// # Errors
/// When a door is open, or nothing can be written.
pub fn report(out: &mut impl Write, shut: Sandbox) -> anyhow::Result<()> {
    let mut open = Vec::new();
    let here = attempts();
    let there = thread::spawn(attempts).join().map_err(|_| anyhow::anyhow!("the second thread panicked"))?;
    for (place, tries) in [("first thread", here), ("new thread", there)] {
        for (what, outcome) in tries {
            // Any other failure would only say that there was nothing behind the door.
            let refused = outcome.is_err_and(|e| e.kind() == io::ErrorKind::PermissionDenied);
            let said = if refused { "refused" } else { "allowed" };
            writeln!(out, "{place}: {what}: {said}")?;
            if !refused {
                open.push(what);
            }
        }
    }
    writeln!(out, "files {} calls {} memory {}", shut.files, shut.calls, shut.memory)?;
    anyhow::ensure!(open.is_empty(), "these doors are open: {}", open.join(", "));
    Ok(())
}

type Attempt = (&'static str, io::Result<()>);

fn attempts() -> Vec<Attempt> {
    let me = rustix::process::getpid();
    let parent = rustix::process::getppid().unwrap_or(me);
    let signal = rustix::process::test_kill_process(parent).map_err(io::Error::from);
    vec![
        ("read a file", File::open("/etc/passwd").map(drop)),
        ("read a folder", fs::read_dir("/").map(drop)),
        ("read its own status", File::open("/proc/self/status").map(drop)),
        ("write a file", File::create(std::env::temp_dir().join("matthon-worker-was-here")).map(drop)),
        ("remove a folder", fs::remove_dir(std::env::temp_dir().join("matthon-worker-was-never-here"))),
        ("listen on TCP", TcpListener::bind("127.0.0.1:0").map(drop)),
        ("connect by TCP", TcpStream::connect("127.0.0.1:9").map(drop)),
        ("make a UDP socket", UdpSocket::bind("127.0.0.1:0").map(drop)),
        ("make a Unix socket", UnixStream::connect("/run/matthon-worker-was-never-here.sock").map(drop)),
        ("listen on a Unix socket", UnixListener::bind("/tmp/matthon-worker-was-here.sock").map(drop)),
        ("run a program", Command::new("/bin/true").spawn().map(drop)),
        ("signal its parent", signal),
    ]
}
