//! Opening the file, checking it, and the migrations that lead from any older schema to this one.

use crate::StoreError;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

/// In order; the schema's version is how many of them ran. Never changed once released, only added to.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_users.sql"),
    include_str!("../migrations/0002_access.sql"),
    include_str!("../migrations/0003_cases.sql"),
    include_str!("../migrations/0004_outbox.sql"),
    include_str!("../migrations/0005_audit.sql"),
    include_str!("../migrations/0006_evidence.sql"),
    include_str!("../migrations/0007_first_trusted.sql"),
    include_str!("../migrations/0008_invitations.sql"),
    include_str!("../migrations/0009_push.sql"),
    include_str!("../migrations/0010_case_links.sql"),
    include_str!("../migrations/0011_tvs.sql"),
];

/// SQLite's `application_id` of our files: "MThn".
const APPLICATION: i64 = 0x4d54_686e;

/// How long a writer waits for another process (the command line beside the daemon).
const BUSY: Duration = Duration::from_secs(5);

pub(crate) fn open(path: &Path) -> Result<Connection, StoreError> {
    open_up_to(path, MIGRATIONS.len())
}

/// Opens and migrates to the given version; tests stop before the last to build the past.
fn open_up_to(path: &Path, version: usize) -> Result<Connection, StoreError> {
    let cannot = |reason: String| StoreError::Open { path: path.to_owned(), reason };
    // Made here and not by SQLite, so that nobody else can ever read it; its WAL inherits the mode.
    let made = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    drop(made.map_err(|e| cannot(e.to_string()))?);
    let mut connection = Connection::open(path).map_err(|e| cannot(e.to_string()))?;
    prepare(&mut connection, path, version).map_err(|e| named(e, path))?;
    Ok(connection)
}

/// SQLite's `application_id` of the file of sightings: "MTsi".
const SIGHTINGS: i64 = 0x4d54_7369;

/// Opens the file of what came by. Its one schema is made when it is new.
pub(crate) fn open_sightings(path: &Path, schema: &str) -> Result<Connection, StoreError> {
    let cannot = |reason: String| StoreError::Open { path: path.to_owned(), reason };
    let made = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    drop(made.map_err(|e| cannot(e.to_string()))?);
    let mut connection = Connection::open(path).map_err(|e| cannot(e.to_string()))?;
    let mut prepare = || -> Result<(), StoreError> {
        connection.busy_timeout(BUSY)?;
        let _: String = connection.query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0))?;
        // Whole after a power cut, without the last moments: a sync at each of many small writes would wear a disk for nothing.
        connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF;")?;
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let application: i64 = tx.query_row("PRAGMA application_id", [], |r| r.get(0))?;
        let objects: i64 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
        if objects == 0 {
            tx.execute_batch(schema)?;
            tx.execute_batch(&format!("PRAGMA user_version = 1; PRAGMA application_id = {SIGHTINGS};"))?;
        } else if application != SIGHTINGS {
            return Err(StoreError::Foreign { path: path.to_owned(), detail: "is another database".to_owned() });
        }
        tx.commit()?;
        Ok(())
    };
    prepare().map_err(|e| named(e, path))?;
    Ok(connection)
}

fn prepare(connection: &mut Connection, path: &Path, version: usize) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY)?;
    let found = look(connection, path)?;
    if found > MIGRATIONS.len() as i64 {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: MIGRATIONS.len() as i64 });
    }
    // WAL: readers never wait; FULL: what was answered survives a power cut.
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Open {
            path: path.to_owned(),
            reason: format!("no write-ahead log on this file system (journal is {mode})"),
        });
    }
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;")?;
    check(connection, path)?;
    migrate(connection, version)
}

/// The schema's version; refuses what is not ours.
fn look(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let application: i64 = connection.query_row("PRAGMA application_id", [], |r| r.get(0))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
    let new = application == 0 && version == 0 && objects == 0;
    if !new && application != APPLICATION {
        return Err(StoreError::Foreign { path: path.to_owned(), detail: "is the database of another program".to_owned() });
    }
    Ok(version)
}

/// Reads every page once: a database of people is small, and damage found at start is damage with a backup at hand.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let first: String = connection.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0))?;
    if first != "ok" {
        return Err(StoreError::damaged(path, first));
    }
    let mut orphans = connection.prepare("PRAGMA foreign_key_check")?;
    match orphans.query([])?.next()? {
        Some(row) => Err(StoreError::damaged(path, format!("a row of {} points nowhere", row.get::<_, String>(0)?))),
        None => Ok(()),
    }
}

fn migrate(connection: &mut Connection, version: usize) -> Result<(), StoreError> {
    for (i, sql) in MIGRATIONS.iter().enumerate().take(version) {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Asked inside the transaction: another process may have migrated meanwhile.
        let done: i64 = tx.query_row("PRAGMA user_version", [], |r| r.get(0))?;
        if done > i as i64 {
            continue;
        }
        tx.execute_batch(sql)?;
        tx.execute_batch(&format!("PRAGMA user_version = {}; PRAGMA application_id = {APPLICATION};", i + 1))?;
        tx.commit()?;
        tracing::info!(schema = i + 1, "database schema brought up to date");
    }
    Ok(())
}

/// SQLite's own words for damage and for foreign files become named errors.
fn named(error: StoreError, path: &Path) -> StoreError {
    let StoreError::Sqlite(e) = &error else { return error };
    match e.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::Foreign { path: path.to_owned(), detail: "is not a database".to_owned() },
        Some(ErrorCode::DatabaseCorrupt) => StoreError::damaged(path, e.to_string()),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            StoreError::Open { path: path.to_owned(), reason: e.to_string() }
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_of_the_past_leads_to_the_present() {
        for past in 0..=MIGRATIONS.len() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("matthon.db");
            let old = open_up_to(&path, past).unwrap();
            if past >= 1 {
                old.execute(
                    "INSERT INTO user (name, folded, role, password_hash, created, password_set) VALUES ('Lan', 'lan', 'admin', '$x', 1, 1)",
                    [],
                )
                .unwrap();
            }
            if past >= 3 {
                old.execute_batch(
                    "INSERT INTO case_file (camera, kind, start, raised, why_vi, why_en, measured, note, state, still, clip, wanted_from, wanted_to)
                     VALUES ('cho', 'by-hand', 1, 2, 'v', 'e', '{}', '', 'raised', 'pending', 'pending', 3, 4)",
                )
                .unwrap();
            }
            drop(old);
            let store = crate::Store::open(&path).unwrap();
            let cases: Vec<_> = store.cases(&crate::CaseFilter::default(), 9).unwrap().into_iter().map(|c| c.id.0).collect();
            assert_eq!(cases, if past >= 3 { vec![1] } else { vec![] }, "from schema {past}");
            let names: Vec<_> = store.users().unwrap().into_iter().map(|u| u.name).collect();
            assert_eq!(names, if past >= 1 { vec!["Lan"] } else { vec![] }, "from schema {past}");
            let version: i64 = store.lock().query_row("PRAGMA user_version", [], |r| r.get(0)).unwrap();
            assert_eq!(version, MIGRATIONS.len() as i64);
        }
    }

    #[test]
    fn every_table_is_strict() {
        let dir = tempfile::tempdir().unwrap();
        let c = open(&dir.path().join("matthon.db")).unwrap();
        let lax = "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND strict = 0";
        assert_eq!(c.query_row(lax, [], |r| r.get::<_, i64>(0)).unwrap(), 0);
    }

    #[test]
    fn a_failed_migration_leaves_the_schema_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("matthon.db");
        let old = open_up_to(&path, 1).unwrap();
        old.execute_batch("CREATE TABLE session (x)").unwrap();
        drop(old);
        assert!(matches!(crate::Store::open(&path), Err(StoreError::Sqlite(_))));
        let c = Connection::open(&path).unwrap();
        let tables: i64 = c.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'token'", [], |r| r.get(0)).unwrap();
        let version: i64 = c.query_row("PRAGMA user_version", [], |r| r.get(0)).unwrap();
        assert_eq!((tables, version), (0, 1));
    }

    #[test]
    fn journal_and_keys_are_what_the_docs_promise() {
        let dir = tempfile::tempdir().unwrap();
        let c = open(&dir.path().join("matthon.db")).unwrap();
        let ask = |sql: &str| c.query_row(sql, [], |r| r.get::<_, i64>(0)).unwrap();
        assert_eq!(ask("PRAGMA synchronous"), 2);
        assert_eq!(ask("PRAGMA foreign_keys"), 1);
    }
}
