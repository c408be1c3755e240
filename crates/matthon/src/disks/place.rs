//! From a folder to the disks it lies on, by the kernel's own tables: `/sys/dev/block`, partitions, and what mirrors and
//! volume managers are made of.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// A mirror of mirrors of volumes: deeper than anybody builds.
const DEPTH: usize = 6;

/// Names of the whole disks (`sda`, `nvme0n1`) under a folder, sorted; empty where the kernel names none.
pub(super) fn disks(folder: &Path, devices: &Path) -> Vec<String> {
    let Ok(meta) = std::fs::metadata(folder) else { return Vec::new() };
    let (major, minor) = (rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
    let mut found = Vec::new();
    if let Ok(device) = std::fs::canonicalize(devices.join(format!("{major}:{minor}"))) {
        whole(&device, DEPTH, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn whole(device: &Path, depth: usize, found: &mut Vec<String>) {
    if depth == 0 {
        return;
    }
    if device.join("partition").exists() {
        if let Some(disk) = device.parent() {
            whole(disk, depth - 1, found);
        }
        return;
    }
    let parts: Vec<PathBuf> = std::fs::read_dir(device.join("slaves")).into_iter().flatten().flatten().map(|e| e.path()).collect();
    if parts.is_empty() {
        found.extend(device.file_name().and_then(|n| n.to_str()).map(str::to_owned));
    }
    for part in parts {
        if let Ok(part) = std::fs::canonicalize(part) {
            whole(&part, depth - 1, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    /// The kernel's tables as they look for a partition of a disk, and for a volume over two disks.
    #[test]
    fn partitions_and_volumes_lead_to_their_disks() {
        let dir = tempfile::tempdir().unwrap();
        let (sys, folder) = (dir.path().join("devices"), dir.path().join("video"));
        for made in ["block/sda/sda1", "block/nvme0n1/slaves", "block/dm-0/slaves", "block/sdb/sdb2"] {
            fs::create_dir_all(sys.join(made)).unwrap();
        }
        fs::create_dir(&folder).unwrap();
        for part in ["sda/sda1", "sdb/sdb2"] {
            fs::write(sys.join("block").join(part).join("partition"), "1\n").unwrap();
        }
        symlink(sys.join("block/sda/sda1"), sys.join("block/dm-0/slaves/sda1")).unwrap();
        symlink(sys.join("block/sdb/sdb2"), sys.join("block/dm-0/slaves/sdb2")).unwrap();
        let dev = fs::metadata(&folder).unwrap().dev();
        let number = format!("{}:{}", rustix::fs::major(dev), rustix::fs::minor(dev));
        for (of, expected) in [("sda/sda1", vec!["sda"]), ("nvme0n1", vec!["nvme0n1"]), ("dm-0", vec!["sda", "sdb"])] {
            let devices = dir.path().join(of.replace('/', "-"));
            fs::create_dir(&devices).unwrap();
            assert_eq!(disks(&folder, &devices), Vec::<String>::new(), "the kernel names none");
            symlink(sys.join("block").join(of), devices.join(&number)).unwrap();
            assert_eq!(disks(&folder, &devices), expected);
        }
    }
}
