//! System calls the worker has no business with.
//!
//! Belongs here: the list and its filter. Does not belong here: files' rights (Landlock, see [`super`]).
//!
//! A list of what is refused, not of what is allowed: decoders and the inference runtime are other people's code, which
//! may ask for memory and threads in new ways with each release. Refused are all ways to other processes, to the network,
//! to programs, to files by name, and to rarely used parts of the kernel.

use libc::c_long;
use seccompiler::{BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch};
use std::collections::BTreeMap;

/// Refused whatever the arguments.
#[rustfmt::skip]
const REFUSED: &[c_long] = &[
    // network and other processes' sockets
    libc::SYS_socket, libc::SYS_connect, libc::SYS_bind, libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4,
    // programs
    libc::SYS_execve, libc::SYS_execveat,
    // files by name
    libc::SYS_openat, libc::SYS_openat2, libc::SYS_open_by_handle_at, libc::SYS_name_to_handle_at, libc::SYS_unlinkat, libc::SYS_renameat2,
    libc::SYS_linkat, libc::SYS_symlinkat, libc::SYS_mkdirat, libc::SYS_mknodat, libc::SYS_fchmodat, libc::SYS_fchownat, libc::SYS_fchmod,
    libc::SYS_fchown, libc::SYS_utimensat, libc::SYS_truncate, libc::SYS_chdir, libc::SYS_fchdir, libc::SYS_chroot, libc::SYS_setxattr,
    libc::SYS_lsetxattr, libc::SYS_fsetxattr, libc::SYS_removexattr, libc::SYS_lremovexattr, libc::SYS_fremovexattr,
    libc::SYS_inotify_init1, libc::SYS_fanotify_init, libc::SYS_quotactl, libc::SYS_acct,
    // other processes
    libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_process_madvise, libc::SYS_kcmp, libc::SYS_kill,
    libc::SYS_tkill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo, libc::SYS_pidfd_open, libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal, libc::SYS_setpgid, libc::SYS_setsid,
    // mounts, namespaces, identities
    libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_open_tree, libc::SYS_move_mount, libc::SYS_fsopen, libc::SYS_fsconfig,
    libc::SYS_fsmount, libc::SYS_fspick, libc::SYS_mount_setattr, libc::SYS_setns, libc::SYS_unshare, libc::SYS_setuid, libc::SYS_setgid,
    libc::SYS_setreuid, libc::SYS_setregid, libc::SYS_setresuid, libc::SYS_setresgid, libc::SYS_setgroups, libc::SYS_setfsuid,
    libc::SYS_setfsgid, libc::SYS_capset, libc::SYS_personality,
    // rarely used parts of the kernel
    libc::SYS_bpf, libc::SYS_perf_event_open, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register,
    libc::SYS_userfaultfd, libc::SYS_keyctl, libc::SYS_add_key, libc::SYS_request_key, libc::SYS_kexec_load, libc::SYS_init_module,
    libc::SYS_finit_module, libc::SYS_delete_module, libc::SYS_reboot, libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_syslog,
    libc::SYS_settimeofday, libc::SYS_clock_settime, libc::SYS_clock_adjtime, libc::SYS_adjtimex, libc::SYS_sethostname,
    libc::SYS_setdomainname, libc::SYS_vhangup, libc::SYS_lookup_dcookie, libc::SYS_msgget, libc::SYS_semget, libc::SYS_shmget,
    libc::SYS_mq_open, libc::SYS_io_setup,
];

/// The same under their old names, which only this machine type has.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const OLD: &[c_long] = &[
    libc::SYS_open, libc::SYS_creat, libc::SYS_fork, libc::SYS_vfork, libc::SYS_unlink, libc::SYS_rmdir, libc::SYS_rename, libc::SYS_renameat,
    libc::SYS_link, libc::SYS_symlink, libc::SYS_mkdir, libc::SYS_mknod, libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown, libc::SYS_utime,
    libc::SYS_utimes, libc::SYS_futimesat, libc::SYS_inotify_init, libc::SYS_ioperm, libc::SYS_iopl, libc::SYS_modify_ldt,
    libc::SYS_kexec_file_load, libc::SYS_uselib, libc::SYS_ustat, libc::SYS_sysfs,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[c_long] = &[];

/// Set in the numbers of calls by the x32 convention, which would pass by a list of the usual numbers.
const X32: c_long = 0x4000_0000;

/// The filters cannot be made or were not taken.
#[derive(Debug, thiserror::Error)]
pub enum CallsError {
    /// No filter can be made for this machine.
    #[error("no filter can be made: {0}")]
    Filter(#[from] seccompiler::BackendError),
    /// The kernel did not take it.
    #[error("the kernel does not take the filter: {0}")]
    Kernel(#[from] seccompiler::Error),
}

/// Refuses them from here on, on all threads.
///
/// # Errors
/// When the kernel has no seccomp filters.
pub fn refuse() -> Result<(), CallsError> {
    for filter in filters()? {
        seccompiler::apply_filter_all_threads(&filter)?;
    }
    Ok(())
}

fn filters() -> Result<[BpfProgram; 2], CallsError> {
    let own = u64::from(std::process::id());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().chain(OLD).map(|call| (*call, Vec::new())).collect();
    // New threads yes, new processes no.
    let process = SeccompCmpOp::MaskedEq(libc::CLONE_THREAD as u64);
    rules.insert(libc::SYS_clone, vec![rule(0, process, 0)?]);
    // Signals and limits of its own yes (`abort` needs the one, `getrlimit` the other), of others no.
    rules.insert(libc::SYS_tgkill, vec![rule(0, SeccompCmpOp::Ne, own)?]);
    rules.insert(libc::SYS_prlimit64, vec![rule(0, SeccompCmpOp::Ne, 0)?]);
    // A pair inside of the process leads nowhere: GStreamer wakes its threads with one.
    rules.insert(libc::SYS_socketpair, vec![rule(0, SeccompCmpOp::Ne, libc::AF_UNIX as u64)?]);
    if cfg!(target_arch = "x86_64") {
        let x32: Vec<_> = rules.keys().map(|call| (call | X32, Vec::new())).collect();
        rules.extend(x32);
    }
    let refused = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32), ARCH)?;
    // Its arguments lie in memory, where no filter sees them. "No such call" makes the C library use `clone` instead.
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let unknown = SeccompFilter::new(clone3, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32), ARCH)?;
    Ok([refused.try_into()?, unknown.try_into()?])
}

#[cfg(target_arch = "x86_64")]
const ARCH: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCH: TargetArch = TargetArch::aarch64;

fn rule(argument: u8, is: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, value)?])
}
