//! What is wrong with the file, for people. No parsing here.

use std::fmt;

/// One mistake (or warning) and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file as it was named.
    pub file: String,
    /// Line from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// Column from 1, in characters.
    pub column: usize,
    /// Where in the file's structure: `camera[0].rule[1].after` (counted from 0); empty for the file as a whole.
    pub key: String,
    /// What is wrong. Never shows a secret, nor an address (cameras hide passwords in them).
    pub problem: String,
    /// What to do: begins with a verb.
    pub fix: String,
}

impl fmt::Display for Mistake {
    /// One line: `matthon.toml:12:5: camera[0].rule[1].after: … ; write …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}; {}", self.problem, self.fix)
    }
}

/// All mistakes of a file, in the order of their lines; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes {
    /// The mistakes.
    pub mistakes: Vec<Mistake>,
    /// What is worth knowing besides.
    pub warnings: Vec<Mistake>,
}

impl fmt::Display for Mistakes {
    /// One mistake a line, without the warnings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, mistake) in self.mistakes.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            mistake.fmt(f)?;
        }
        Ok(())
    }
}
