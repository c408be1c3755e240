//! The files of the model by directory and name. Copies share everything but the few files changed since: a copy of a ring with
//! thirty thousand blocks costs as much as one with three.

use super::file::File;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Changes kept apart before they are folded in.
const APART: usize = 64;

#[derive(Clone, Default)]
pub(super) struct Tree(BTreeMap<PathBuf, Dir>);

#[derive(Clone, Default)]
struct Dir {
    base: Arc<BTreeMap<Arc<str>, Arc<File>>>,
    /// `None`: deleted.
    changed: BTreeMap<Arc<str>, Option<Arc<File>>>,
}

fn parts(path: &Path) -> Option<(&Path, &str)> {
    Some((path.parent()?, path.file_name()?.to_str()?))
}

impl Dir {
    fn get(&self, name: &str) -> Option<&Arc<File>> {
        match self.changed.get(name) {
            Some(changed) => changed.as_ref(),
            None => self.base.get(name),
        }
    }

    fn set(&mut self, name: &str, file: Option<Arc<File>>) {
        self.changed.insert(name.into(), file);
        if self.changed.len() > APART {
            let base = Arc::make_mut(&mut self.base);
            for (name, file) in std::mem::take(&mut self.changed) {
                match file {
                    Some(file) => base.insert(name, file),
                    None => base.remove(&name),
                };
            }
        }
    }
}

impl Tree {
    pub(super) fn get(&self, path: &Path) -> Option<&Arc<File>> {
        let (dir, name) = parts(path)?;
        self.0.get(dir)?.get(name)
    }

    /// A file to be changed.
    pub(super) fn get_mut(&mut self, path: &Path) -> Option<&mut File> {
        let (dir, name) = parts(path)?;
        let dir = self.0.get_mut(dir)?;
        if !matches!(dir.changed.get(name), Some(Some(_))) {
            let file = dir.get(name)?.clone();
            dir.set(name, Some(file));
        }
        // Folded in just now, or apart.
        match dir.changed.get_mut(name) {
            Some(file) => file.as_mut().map(Arc::make_mut),
            None => Arc::make_mut(&mut dir.base).get_mut(name).map(Arc::make_mut),
        }
    }

    /// Puts a file in its place, or takes it away.
    pub(super) fn set(&mut self, path: &Path, file: Option<File>) {
        if let Some((dir, name)) = parts(path) {
            self.0.entry(dir.to_owned()).or_default().set(name, file.map(Arc::new));
        }
    }

    /// Bytes of memory all files take.
    pub(super) fn held(&self) -> u64 {
        let here = |dir: &Dir| -> u64 {
            let kept = dir.base.iter().filter(|(name, _)| !dir.changed.contains_key(*name)).map(|(_, file)| file);
            kept.chain(dir.changed.values().flatten()).map(|file| file.now.held()).sum()
        };
        self.0.values().map(here).sum()
    }

    /// Names and sizes.
    pub(super) fn list(&self, dir: &Path) -> Vec<(String, u64)> {
        let Some(dir) = self.0.get(dir) else { return Vec::new() };
        let kept = dir.base.iter().filter(|(name, _)| !dir.changed.contains_key(*name));
        let changed = dir.changed.iter().filter_map(|(name, file)| Some((name, file.as_ref()?)));
        kept.chain(changed).map(|(name, file)| (name.as_ref().to_owned(), file.len)).collect()
    }
}
