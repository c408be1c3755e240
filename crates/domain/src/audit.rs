//! What is written into the audit log, and under which word: the one table of it.

use serde::Serialize;
use std::fmt;

/// Something that is audited. The words are a contract: the log is kept for years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audited {
    /// The core started.
    Started,
    /// The configuration is another one than at the last start.
    Configuration,
    /// Somebody signed in.
    SignedIn,
    /// Somebody gave a wrong password, or one too many.
    SignInRefused,
    /// Somebody signed out.
    SignedOut,
    /// Somebody watches live.
    Live,
    /// Somebody watches live and hears what is said there.
    Heard,
    /// Somebody took a picture of now.
    Snapshot,
    /// Somebody played or downloaded what was recorded.
    Playback,
    /// Somebody searched what came by, and said what for.
    Searched,
    /// Somebody looked at the picture or the clip of a case.
    Evidence,
    /// Somebody made a case of what he was watching.
    CaseMade,
    /// Somebody answered a case, or took his answer back.
    CaseAnswered,
    /// Somebody said that the news of a case arrived.
    CaseSeen,
    /// Somebody made a link that shows a case to one person.
    CaseLinked,
    /// Such a link was opened: its browser sees that case.
    CaseLinkOpened,
    /// Somebody held the evidence of a case, or let it go.
    CaseHeld,
    /// Evidence whose time was over was deleted by the box itself: of a case, kept footage, a package.
    EvidenceGone,
    /// Somebody had footage kept, or a case or a package took it.
    Kept,
    /// Somebody had a package made for an authority.
    Export,
    /// Somebody fetched such a package.
    ExportTaken,
    /// Somebody deleted such a package before its time was over.
    ExportDeleted,
    /// Somebody read this log.
    AuditRead,
    /// A person had a phone told of cases, or no longer.
    Phone,
    /// A person was added.
    UserAdded,
    /// A person got a token.
    TokenGiven,
    /// A person was invited: a link was made that binds one phone.
    Invited,
    /// A phone was bound by an invitation.
    DeviceBound,
    /// A device was let go: a lost phone, an old one.
    DeviceReleased,
    /// A person left office: everything that let him in is gone.
    Retired,
}

impl Audited {
    /// All of them, in the order of the type.
    pub const ALL: [Self; 30] = [
        Self::Started,
        Self::Configuration,
        Self::SignedIn,
        Self::SignInRefused,
        Self::SignedOut,
        Self::Live,
        Self::Heard,
        Self::Snapshot,
        Self::Playback,
        Self::Searched,
        Self::Evidence,
        Self::CaseMade,
        Self::CaseAnswered,
        Self::CaseSeen,
        Self::CaseLinked,
        Self::CaseLinkOpened,
        Self::CaseHeld,
        Self::EvidenceGone,
        Self::Kept,
        Self::Export,
        Self::ExportTaken,
        Self::ExportDeleted,
        Self::AuditRead,
        Self::Phone,
        Self::UserAdded,
        Self::TokenGiven,
        Self::Invited,
        Self::DeviceBound,
        Self::DeviceReleased,
        Self::Retired,
    ];

    /// The word in the log, in the API and in the page's texts (`audit.<word>`).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Configuration => "configuration",
            Self::SignedIn => "signed-in",
            Self::SignInRefused => "sign-in-refused",
            Self::SignedOut => "signed-out",
            Self::Live => "live",
            Self::Heard => "heard",
            Self::Snapshot => "snapshot",
            Self::Playback => "playback",
            Self::Searched => "searched",
            Self::Evidence => "evidence",
            Self::CaseMade => "case-made",
            Self::CaseAnswered => "case-answered",
            Self::CaseSeen => "case-seen",
            Self::CaseLinked => "case-linked",
            Self::CaseLinkOpened => "case-link-opened",
            Self::CaseHeld => "case-held",
            Self::EvidenceGone => "evidence-gone",
            Self::Kept => "kept",
            Self::Export => "export",
            Self::ExportTaken => "export-taken",
            Self::ExportDeleted => "export-deleted",
            Self::AuditRead => "audit-read",
            Self::Phone => "phone",
            Self::UserAdded => "user-added",
            Self::TokenGiven => "token-given",
            Self::Invited => "invited",
            Self::DeviceBound => "device-bound",
            Self::DeviceReleased => "device-released",
            Self::Retired => "retired",
        }
    }
}

impl fmt::Display for Audited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
