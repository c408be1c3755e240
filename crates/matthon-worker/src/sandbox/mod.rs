//! The doors that are shut once everything is loaded.
//!
//! Belongs here: Landlock, seccomp, limits, and finding out what of it this kernel gave. Does not belong here: which calls
//! are refused (see [`calls`]).
//!
//! The worker goes on without a door the kernel does not have (the core tells the operator), but never says it has it:
//! what is reported was tried out.

pub mod calls;
pub mod prove;

use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, Scope};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::{fs::File, io, os::unix::net::UnixDatagram};
use vision::protocol::Sandbox;

/// The newest rules we know; an older kernel takes those it has.
const RULES: ABI = ABI::V6;

/// Shuts the process in. To be called on the only thread there is.
///
/// # Errors
/// When a limit cannot be set. A door the kernel does not have is no error: look at the answer.
pub fn shut(memory: u64) -> io::Result<Sandbox> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none)?;
    if memory > 0 {
        setrlimit(Resource::Data, Rlimit { current: Some(memory), maximum: Some(memory) })?;
    }
    rustix::thread::set_no_new_privs(true)?;
    if let Err(e) = files() {
        crate::say(format_args!("no Landlock: {e}"));
    }
    if let Err(e) = calls::refuse() {
        crate::say(format_args!("no seccomp: {e}"));
    }
    Ok(Sandbox {
        files: File::open("/proc/self/status").is_err() && File::open("/").is_err(),
        calls: UnixDatagram::unbound().is_err(),
        memory,
    })
}

/// No rule allows anything: nothing can be opened, made, removed, bound or connected from here on.
fn files() -> Result<(), landlock::RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(RULES))?
        .handle_access(AccessNet::from_all(RULES))?
        .scope(Scope::from_all(RULES))?
        .create()?
        .restrict_self()?;
    Ok(())
}
