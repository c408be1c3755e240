//! Which file system a directory lies on, and which disk that is. What a ring needs of it is decided elsewhere.

use std::{io, os::unix::fs::MetadataExt, path::Path};

/// File systems that keep what `fdatasync` promised through a power cut, and reserve space for certain.
const KEPT: [&str; 2] = ["ext4", "xfs"];
/// The magic number that ext2, ext3 and ext4 share, and that of xfs.
const EXT: u64 = 0xEF53;
const XFS: u64 = 0x5846_5342;
/// Names for `statfs` magic numbers (linux/magic.h): what people put under a folder of recordings.
const NAMES: [(u64, &str); 16] = [
    (0x0102_1994, "tmpfs"),
    (0x8584_58f6, "ramfs"),
    (0x794c_7630, "overlay"),
    (0x9123_683e, "btrfs"),
    (0xca45_1a4e, "bcachefs"),
    (0x2fc1_2fc1, "zfs"),
    (0xf2f5_2010, "f2fs"),
    (0x4d44, "vfat"),
    (0x2011_bab0, "exfat"),
    (0x5346_544e, "ntfs"),
    (0x7366_746e, "ntfs3"),
    (0x6573_5546, "fuse"),
    (0x6969, "nfs"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb3"),
    (XFS, "xfs"),
];

/// What a directory lies on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The file system's name: `ext4`, `btrfs`, …
    pub kind: String,
    /// Major and minor number of its device.
    pub device: (u32, u32),
    /// Another file system than the root's: a disk was mounted for it.
    pub own: bool,
    /// Nothing can be written to it.
    pub read_only: bool,
}

impl Volume {
    /// Whether promises about power cuts hold on it.
    #[must_use]
    pub fn keeps(&self) -> bool {
        KEPT.contains(&self.kind.as_str())
    }

    /// Of a directory, or of where it would be made.
    pub(super) fn of(dir: &Path) -> io::Result<Self> {
        let there = dir.ancestors().find_map(|at| match std::fs::metadata(at) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            found => Some(found.map(|meta| (at, meta))),
        });
        let (at, meta) = there.unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))?;
        let device = (rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
        let magic = u64::try_from(rustix::fs::statfs(at)?.f_type).unwrap_or(0);
        let flags = rustix::fs::statvfs(at)?.f_flag;
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        Ok(Self {
            kind: name(magic, device, &mounts),
            device,
            own: std::fs::metadata("/")?.dev() != meta.dev(),
            read_only: flags.contains(rustix::fs::StatVfsMountFlags::RDONLY),
        })
    }
}

/// The name of a file system. The kernel's own word for ext2, ext3 and ext4, whose magic number is one.
fn name(magic: u64, device: (u32, u32), mounts: &str) -> String {
    let mounted = mounts.lines().find_map(|line| mounted(line, device));
    let known = NAMES.iter().find(|(m, _)| *m == magic).map(|(_, name)| *name);
    match (magic, mounted, known) {
        (EXT, Some(kind), _) => kind.to_owned(),
        (EXT, None, _) => "ext4".to_owned(),
        (_, _, Some(known)) => known.to_owned(),
        (_, Some(kind), None) => kind.to_owned(),
        (_, None, None) => format!("an unknown file system (0x{magic:x})"),
    }
}

/// The type a line of `/proc/self/mountinfo` gives for a device: the word behind the lone `-`.
fn mounted(line: &str, device: (u32, u32)) -> Option<&str> {
    let (front, back) = line.split_once(" - ")?;
    let (major, minor) = front.split(' ').nth(2)?.split_once(':')?;
    let same = (major.parse(), minor.parse()) == (Ok(device.0), Ok(device.1));
    same.then(|| back.split(' ').next()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    const MOUNTS: &str = "22 27 0:21 / /proc rw,relatime - proc proc rw\n\
        27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
        40 27 8:17 / /video/with\\040space rw - ext3 /dev/sdb1 rw\n";

    #[test]
    fn ext4_is_told_from_its_elders_and_others_by_name() {
        assert_eq!(name(EXT, (254, 0), MOUNTS), "ext4");
        assert_eq!(name(EXT, (8, 17), MOUNTS), "ext3");
        assert_eq!(name(XFS, (8, 33), MOUNTS), "xfs");
        assert_eq!(name(0x9123_683e, (0, 44), MOUNTS), "btrfs");
        assert_eq!(name(0x1234, (0, 21), MOUNTS), "proc");
        assert_eq!(name(0x1234, (9, 9), MOUNTS), "an unknown file system (0x1234)");
        for (kind, keeps) in [("ext4", true), ("xfs", true), ("ext3", false), ("btrfs", false), ("tmpfs", false)] {
            let volume = Volume { kind: kind.into(), device: (8, 1), own: true, read_only: false };
            assert_eq!(volume.keeps(), keeps, "{kind}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_yet_lies_where_it_would_be_made() {
        let proc = Volume::of(&PathBuf::from("/proc/not/there")).unwrap();
        assert!(proc.kind == "proc" && proc.own && !proc.keeps(), "{proc:?}");
        assert!(!Volume::of(&PathBuf::from("/")).unwrap().own);
    }
}
