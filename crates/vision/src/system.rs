//! The system's workers: `matthon-worker` as a child process.
//!
//! Belongs here: program, environment, priority. Does not belong here: the sandbox (the worker shuts itself in).

use crate::{
    launcher::{Exit, Launched, Launcher, Process, Purpose},
    protocol::control,
};
use std::{
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Variables a worker may see: finding libraries and plug-ins, logging. Everything else (tokens of the core above all) stays outside.
const PASSED: &[&str] = &[
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "TMPDIR",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "LD_LIBRARY_PATH",
    "LIBVA_DRIVER_NAME",
    "GST_DEBUG",
    "GST_PLUGIN_PATH",
    "GST_PLUGIN_PATH_1_0",
    "GST_PLUGIN_SYSTEM_PATH",
    "GST_PLUGIN_SYSTEM_PATH_1_0",
    "GST_PLUGIN_SCANNER",
];
/// Workers give way to the thread that records.
const NICE: i32 = 5;
/// When memory runs out, the kernel takes a worker first: one is back in two seconds, a recorder's loss is not.
const OOM_SCORE: &str = "600";

/// Starts `matthon-worker`.
///
/// The child gets its end of the control socket as standard input, no standard output, the core's standard error, and a
/// short environment: what finds libraries, `GST_REGISTRY`, `MATTHON_ORT` (the runtime's path, if known) and
/// `MATTHON_WORKER_MEMORY` (bytes). It lives in a process group of its own, so that a Ctrl-C in a terminal reaches only the
/// core; it ends when its control socket does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemLauncher {
    /// The program.
    pub program: PathBuf,
    /// `libonnxruntime.so`, if it was found.
    pub runtime: Option<PathBuf>,
    /// A writable folder for caches (GStreamer's plug-in registry).
    pub state: PathBuf,
    /// Bytes of memory a worker may have; 0: unlimited.
    pub memory: u64,
}

impl Launcher for SystemLauncher {
    fn launch(&self, purpose: &Purpose) -> io::Result<Launched> {
        let (control, theirs) = control::pair()?;
        let mut command = Command::new(absolute(&self.program)?);
        command.stdin(Stdio::from(theirs)).stdout(Stdio::null()).stderr(Stdio::inherit()).process_group(0).env_clear();
        command.envs(PASSED.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
        // One registry a libc and plug-in set is enough: all workers share it, GStreamer replaces it by renaming.
        command.env("GST_REGISTRY", absolute(&self.state)?.join("gstreamer-registry.bin"));
        command.env("MATTHON_WORKER_MEMORY", self.memory.to_string());
        if let Some(runtime) = &self.runtime {
            command.env("MATTHON_ORT", absolute(runtime)?);
        }
        let child = command.spawn().map_err(|e| {
            let fix = if e.kind() == io::ErrorKind::NotFound { ": install matthon-worker beside matthon" } else { "" };
            io::Error::new(e.kind(), format!("the worker {} ({purpose}) cannot be started: {e}{fix}", self.program.display()))
        })?;
        yield_to_the_core(&child);
        Ok(Launched { control, process: Box::new(SystemProcess(child)) })
    }
}

fn absolute(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

/// Best effort: a container may forbid either, and the worker works all the same.
fn yield_to_the_core(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Err(e) = rustix::process::setpriority_process(pid, NICE) {
        tracing::debug!(error = %e, "the worker keeps the core's priority");
    }
    if let Err(e) = std::fs::write(format!("/proc/{}/oom_score_adj", child.id()), OOM_SCORE) {
        tracing::debug!(error = %e, "the worker keeps the core's rank for the day memory runs out");
    }
}

#[derive(Debug)]
struct SystemProcess(Child);

impl Process for SystemProcess {
    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn kill(&mut self) {
        if let Err(e) = self.0.kill() {
            tracing::warn!(pid = self.0.id(), error = %e, "a worker could not be ended");
        }
    }

    fn wait(&mut self) -> io::Result<Exit> {
        let status = self.0.wait()?;
        Ok(status.code().map(Exit::Status).or_else(|| status.signal().map(Exit::Signal)).unwrap_or(Exit::Unknown))
    }
}

impl Drop for SystemProcess {
    // Nobody leaves a worker behind, nor a zombie.
    fn drop(&mut self) {
        self.kill();
        if let Err(e) = self.0.wait() {
            tracing::debug!(error = %e, "a worker was not reaped");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;
    use crate::protocol::ToWorker;
    use std::{fs, os::unix::fs::PermissionsExt};

    /// A program that notes its environment and reads its standard input to the end.
    fn launcher(dir: &Path) -> SystemLauncher {
        let program = dir.join("worker");
        let script = format!("#!/bin/sh\nenv > {0}/env\nexec cat > {0}/heard\n", dir.display());
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        SystemLauncher { program, runtime: Some("/lib/ort.so".into()), state: dir.join("state"), memory: 1 << 30 }
    }

    #[test]
    fn a_worker_hears_on_its_standard_input_sees_a_short_environment_and_ends_with_its_socket() {
        let dir = tempfile::tempdir().unwrap();
        let mut launched = launcher(dir.path()).launch(&Purpose::Main).unwrap();
        control::send(&launched.control, &ToWorker::Ping(7), &[]).unwrap();
        assert_eq!(getpgid(launched.process.pid()), launched.process.pid(), "a group of its own");
        drop(launched.control);
        assert_eq!(launched.process.wait().unwrap(), Exit::Status(0));
        assert!(!fs::read(dir.path().join("heard")).unwrap().is_empty());
        let env = fs::read_to_string(dir.path().join("env")).unwrap();
        assert!(env.contains("MATTHON_ORT=/lib/ort.so\n") && env.contains("MATTHON_WORKER_MEMORY=1073741824\n"), "{env}");
        assert!(env.contains(&format!("GST_REGISTRY={}/state/", dir.path().display())), "{env}");
        let own = ["GST_REGISTRY", "MATTHON_ORT", "MATTHON_WORKER_MEMORY", "PWD", "OLDPWD", "SHLVL", "_"]; // the last four: the shell's
        for name in env.lines().filter_map(|line| Some(line.split_once('=')?.0)) {
            assert!(PASSED.contains(&name) || own.contains(&name), "{name} went to the worker");
        }
    }

    fn getpgid(pid: u32) -> u32 {
        let pid = rustix::process::Pid::from_raw(pid as i32);
        rustix::process::getpgid(pid).unwrap().as_raw_nonzero().get() as u32
    }

    #[test]
    fn a_killed_worker_tells_how_it_ended_and_a_dropped_one_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let launcher = launcher(dir.path());
        let mut launched = launcher.launch(&Purpose::Main).unwrap();
        launched.process.kill();
        assert_eq!(launched.process.wait().unwrap(), Exit::Signal(9));
        launched.process.kill();
        let Launched { process, control } = launcher.launch(&Purpose::Main).unwrap();
        let pid = process.pid();
        drop(process);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
        drop(control);
    }

    #[test]
    fn a_program_that_is_missing_is_named_with_the_fix() {
        let launcher = SystemLauncher { program: "/nowhere/matthon-worker".into(), runtime: None, state: "/nowhere".into(), memory: 0 };
        let error = launcher.launch(&Purpose::Quarantine("cho/sub".into())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let text = error.to_string();
        assert!(
            text.contains("/nowhere/matthon-worker (quarantine of cho/sub)") && text.contains("install matthon-worker beside"),
            "{text}"
        );
    }
}
