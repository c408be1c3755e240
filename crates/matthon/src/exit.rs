//! Exit statuses: 0 done, 1 failed, 2 wrong usage or configuration.

use std::{fmt::Display, process::ExitCode};

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was tried and failed.
    Failed(anyhow::Error),
    /// What was asked, or the configuration, is wrong; the lines say where and what to write instead.
    Usage(Vec<String>),
}

impl Failure {
    pub(crate) fn usage(line: impl Display) -> Self {
        Self::Usage(vec![line.to_string()])
    }

    /// Says it on standard error and gives the exit status.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Failed(error) => {
                eprintln!("matthon: {error:#}");
                ExitCode::from(1)
            }
            Self::Usage(lines) => {
                for line in lines {
                    eprintln!("{line}");
                }
                ExitCode::from(2)
            }
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
