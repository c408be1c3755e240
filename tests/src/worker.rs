//! The core's children, as the system sees them.

use std::path::Path;

/// Process ids of the workers a core runs, oldest first.
#[must_use]
pub fn workers(core: u32) -> Vec<u32> {
    let children = std::fs::read_dir(format!("/proc/{core}/task")).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<u32> = children
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .filter(|pid| alive(*pid) && name(*pid).starts_with("matthon-worker"))
        .collect();
    found.sort_unstable();
    found
}

/// Whether a process is there and is no zombie.
#[must_use]
pub fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z')) && Path::new(&format!("/proc/{pid}")).exists()
}

fn name(pid: u32) -> String {
    // `comm` holds 15 bytes; `matthon-worker` fits.
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

/// `kill -9`.
pub fn kill_9(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
