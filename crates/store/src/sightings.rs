//! Lines of what came by, in a file of their own: they are many, they come from the recordings, and losing them costs no case.
//!
//! Belongs here: keeping, finding and forgetting them. Does not belong here: how they are drawn (`analytics`), who may search (`web`).
//!
//! A search reads backwards from its end and stops when it has enough. No line is longer than [`LONGEST`], so it looks no further back
//! than that before its beginning. The database syncs at checkpoints only: a power cut costs the lines of the last moments, and leaves
//! the file whole.

use crate::{StoreError, schema};
use domain::{BBox, CameraId, Class, Colour, Heading, Sighting, TrackId, WallTime};
use rusqlite::{Connection, ErrorCode, Row, TransactionBehavior, params, params_from_iter, types::Value};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// No line is longer: `analytics` begins another one. With what a late picture may add.
const LONGEST: Duration = Duration::from_secs(660);
/// Bytes of lines kept at most; of more the oldest go. About 60 a line: a month of a busy village.
pub const SIGHTINGS_MAX: i64 = 1 << 29;
/// Lines forgotten in one transaction: the writer must not wait long.
const AT_ONCE: i64 = 20_000;

const SCHEMA: &str = include_str!("../migrations/sightings_0001.sql");

/// The lines of all cameras. Cheap to clone; clones share two connections: whoever searches holds up nobody who writes.
#[derive(Clone)]
pub struct Sightings(Arc<Inner>);

struct Inner {
    /// None: in memory.
    path: Option<PathBuf>,
    writing: Mutex<Connection>,
    /// None: the one that writes.
    reading: Option<Mutex<Connection>>,
}

/// What is searched for. Empty lists: anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SightingFilter {
    /// There at some time in this.
    pub from: WallTime,
    /// Exclusive.
    pub to: WallTime,
    /// On these cameras; `None`: on all.
    pub cameras: Option<Vec<CameraId>>,
    /// Of one of these classes.
    pub classes: Vec<Class>,
    /// Of one of these colours.
    pub colours: Vec<Colour>,
    /// That went one of these ways.
    pub headings: Vec<Heading>,
    /// Older than this line: the last of the page before.
    pub before: Option<SightingKey>,
}

/// Names a line. Newer ones are greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SightingKey {
    /// Its first picture.
    pub first: WallTime,
    /// Its camera.
    pub camera: CameraId,
    /// Its track.
    pub track: TrackId,
}

impl Sightings {
    /// Opens the file, or makes it. A damaged one, or another program's, is put aside (`….bad`) with its log and begun anew, which is
    /// said: what it had can no longer be searched for, and is recorded all the same. Damage that is found later is noted beside it
    /// (`….damaged`) for the next start.
    ///
    /// # Errors
    /// When it cannot be opened for another reason: busy, no room, no right to.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let noted = beside(path, ".damaged");
        let opened = if noted.exists() { Err(StoreError::damaged(path, "it was found damaged before")) } else { Self::open_whole(path) };
        match opened {
            Err(error @ (StoreError::Damaged { .. } | StoreError::Foreign { .. })) => {
                tracing::error!(%error, "what was seen until now cannot be searched: its file is put aside and begun anew");
                let moved = |end: &str| match std::fs::rename(beside(path, end), beside(path, &format!(".bad{end}"))) {
                    Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                        Err(StoreError::Open { path: path.to_owned(), reason: e.to_string() })
                    }
                    _ => Ok(()),
                };
                // The log first: beside a new file an old one would be taken for its own.
                ["-wal", "-shm", ""].iter().try_for_each(|end| moved(end))?;
                let _ = std::fs::remove_file(noted);
                Self::open_whole(path)
            }
            other => other,
        }
    }

    /// Lines that are gone at the next start, for a box whose file cannot be opened.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn passing() -> Result<Self, StoreError> {
        let writing = Connection::open_in_memory()?;
        writing.execute_batch(SCHEMA)?;
        Ok(Self(Arc::new(Inner { path: None, writing: Mutex::new(writing), reading: None })))
    }

    fn open_whole(path: &Path) -> Result<Self, StoreError> {
        let writing = Mutex::new(schema::open_sightings(path, SCHEMA)?);
        let reading = Some(Mutex::new(schema::open_sightings(path, SCHEMA)?));
        Ok(Self(Arc::new(Inner { path: Some(path.to_owned()), writing, reading })))
    }

    fn read(&self) -> MutexGuard<'_, Connection> {
        lock(self.0.reading.as_ref().unwrap_or(&self.0.writing))
    }

    /// Damage is for the next start: a file that is in use is not moved.
    fn judged(&self, error: rusqlite::Error) -> StoreError {
        if let (Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase), Some(path)) = (error.sqlite_error_code(), &self.0.path) {
            let noted = std::fs::write(beside(path, ".damaged"), b"");
            return StoreError::damaged(
                path,
                format!("{error}; {}", if noted.is_ok() { "put aside at the next start" } else { "remove it" }),
            );
        }
        error.into()
    }

    /// Writes lines down, each in the place of what was told of it before. One transaction.
    ///
    /// # Errors
    /// When the database fails; then none is written.
    pub fn keep(&self, lines: &[(CameraId, Sighting)]) -> Result<(), StoreError> {
        self.write(lines).map_err(|error| self.judged(error))
    }

    fn write<'l>(&self, lines: &'l [(CameraId, Sighting)]) -> rusqlite::Result<()> {
        let mut connection = lock(&self.0.writing);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut number = tx.prepare_cached("INSERT INTO word (word) VALUES (?1) ON CONFLICT DO UPDATE SET word = word RETURNING id")?;
            let mut put = tx.prepare_cached(
                "INSERT INTO sighting (first, camera, track, last, class, colour, heading, best, box, score)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT DO UPDATE SET last = excluded.last, class = excluded.class, colour = excluded.colour, heading = excluded.heading,
                     best = excluded.best, box = excluded.box, score = excluded.score",
            )?;
            let mut numbers: HashMap<&'l str, i64> = HashMap::new();
            for (camera, s) in lines {
                // A few words stand on thousands of lines: each is looked up once a batch.
                let mut of = |word: &'l str| -> rusqlite::Result<i64> {
                    if let Some(known) = numbers.get(word) {
                        return Ok(*known);
                    }
                    let fresh = number.query_row([word], |r| r.get(0))?;
                    numbers.insert(word, fresh);
                    Ok(fresh)
                };
                let (camera, class) = (of(camera.as_str())?, of(s.class.as_str())?);
                let colour = s.colour.map(|c| position(Colour::ALL, c));
                let track = i64::try_from(s.track.0).unwrap_or(i64::MAX);
                let score = (s.score.clamp(0.0, 1.0) * 1000.0) as i64;
                let heading = position(Heading::ALL, s.heading);
                put.execute(params![s.first.0, camera, track, s.last.0, class, colour, heading, s.best.0, packed(&s.bbox), score])?;
            }
        }
        tx.commit()
    }

    /// The newest lines first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn find(&self, filter: &SightingFilter, limit: usize) -> Result<Vec<(CameraId, Sighting)>, StoreError> {
        let (sql, with) = query(filter, limit);
        let connection = self.read();
        let find = || -> rusqlite::Result<Vec<_>> { connection.prepare_cached(&sql)?.query_map(params_from_iter(with), line)?.collect() };
        find().map_err(|error| self.judged(error))
    }

    /// Forgets what ended before a moment (of some cameras, or of all), and the oldest of too many, in small steps; answers how many went.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget(&self, before: WallTime, cameras: Option<&[CameraId]>) -> Result<usize, StoreError> {
        // By the key's front: what begins later does not end earlier.
        let mut with: Vec<Value> = vec![before.0.into(), AT_ONCE.into()];
        let of = cameras.map_or_else(String::new, |list| {
            let places: Vec<_> = (3..3 + list.len()).map(|n| format!("?{n}")).collect();
            with.extend(list.iter().map(|c| Value::Text(c.as_str().to_owned())));
            format!("AND camera IN (SELECT id FROM word WHERE word IN ({}))", places.join(", "))
        });
        let over = format!(
            "DELETE FROM sighting WHERE (first, camera, track) IN
                 (SELECT first, camera, track FROM sighting WHERE first < ?1 AND last < ?1 {of} ORDER BY first LIMIT ?2)"
        );
        let mut gone = 0;
        loop {
            let step = lock(&self.0.writing).execute(&over, params_from_iter(with.iter())).map_err(|error| self.judged(error))?;
            gone += step;
            if (step as i64) < AT_ONCE {
                break;
            }
        }
        if self.bytes()? > SIGHTINGS_MAX {
            let connection = lock(&self.0.writing);
            let oldest =
                "DELETE FROM sighting WHERE (first, camera, track) IN (SELECT first, camera, track FROM sighting ORDER BY first LIMIT ?1)";
            gone += connection.execute(oldest, [AT_ONCE])?;
        }
        Ok(gone)
    }

    /// Bytes in use.
    ///
    /// # Errors
    /// When the database fails.
    pub fn bytes(&self) -> Result<i64, StoreError> {
        let used = "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
        Ok(self.read().query_row(used, [], |r| r.get(0))?)
    }

    /// How many lines there are; reads all of them.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count(&self) -> Result<i64, StoreError> {
        Ok(self.read().query_row("SELECT count(*) FROM sighting", [], |r| r.get(0))?)
    }
}

/// The question in SQL, and what goes into its places.
fn query(filter: &SightingFilter, limit: usize) -> (String, Vec<Value>) {
    let mut with: Vec<Value> = vec![filter.to.0.into(), filter.from.minus(LONGEST).0.into(), filter.from.0.into()];
    let mut sql = String::from(
        "SELECT s.first, c.word, s.track, s.last, k.word, s.colour, s.heading, s.best, s.box, s.score
         FROM sighting s CROSS JOIN word c ON c.id = s.camera CROSS JOIN word k ON k.id = s.class
         WHERE s.first < ?1 AND s.first >= ?2 AND s.last >= ?3",
    );
    let mut one_of = |(before, behind): (String, &str), values: Vec<Value>| {
        let places: Vec<_> = (1..=values.len()).map(|i| format!("?{}", with.len() + i)).collect();
        sql.push_str(&format!(" AND {before}{}{behind}", places.join(", ")));
        with.extend(values);
    };
    let words = |column: &'static str| (format!("{column} IN (SELECT id FROM word WHERE word IN ("), "))");
    if let Some(cameras) = &filter.cameras {
        one_of(words("s.camera"), cameras.iter().map(|c| Value::Text(c.as_str().to_owned())).collect());
    }
    if !filter.classes.is_empty() {
        one_of(words("s.class"), filter.classes.iter().map(|c| Value::Text(c.as_str().to_owned())).collect());
    }
    if !filter.colours.is_empty() {
        one_of(("s.colour IN (".to_owned(), ")"), filter.colours.iter().map(|c| position(Colour::ALL, *c).into()).collect());
    }
    if !filter.headings.is_empty() {
        one_of(("s.heading IN (".to_owned(), ")"), filter.headings.iter().map(|h| position(Heading::ALL, *h).into()).collect());
    }
    if let Some(key) = &filter.before {
        let at = with.len();
        sql.push_str(&format!(
            " AND (s.first, s.camera, s.track) < (?{}, coalesce((SELECT id FROM word WHERE word = ?{}), 0), ?{})",
            at + 1,
            at + 2,
            at + 3
        ));
        let track = i64::try_from(key.track.0).unwrap_or(i64::MAX);
        with.extend([key.first.0.into(), Value::Text(key.camera.as_str().to_owned()), track.into()]);
    }
    with.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    sql.push_str(&format!(" ORDER BY s.first DESC, s.camera DESC, s.track DESC LIMIT ?{}", with.len()));
    (sql, with)
}

fn line(r: &Row<'_>) -> rusqlite::Result<(CameraId, Sighting)> {
    let damaged = |column: usize, what: String| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, what.into());
    let camera = CameraId::new(&r.get::<_, String>(1)?).map_err(|e| damaged(1, e.to_string()))?;
    let place = |column: usize, n: i64| usize::try_from(n).map_err(|_| damaged(column, "a number without a word".to_owned()));
    let colour = r.get::<_, Option<i64>>(5)?.map(|n| place(5, n)).transpose()?.and_then(|n| Colour::ALL.get(n).copied());
    let heading = Heading::ALL.get(place(6, r.get(6)?)?).copied().unwrap_or(Heading::Still);
    let sighting = Sighting {
        first: WallTime(r.get(0)?),
        track: TrackId(r.get::<_, i64>(2)?.unsigned_abs()),
        last: WallTime(r.get(3)?),
        class: Class::from(r.get::<_, String>(4)?.as_str()),
        colour,
        heading,
        best: WallTime(r.get(7)?),
        bbox: unpacked(r.get(8)?),
        score: r.get::<_, i64>(9)? as f64 / 1000.0,
    };
    Ok((camera, sighting))
}

/// What stands for a word of a fixed list; the lists only grow at their ends.
fn position<T: PartialEq + Copy>(all: &[T], one: T) -> i64 {
    all.iter().position(|other| *other == one).and_then(|n| i64::try_from(n).ok()).unwrap_or(0)
}

/// Four sides in 16 bits each: 1/65535 of the picture is less than a pixel.
fn packed(bbox: &BBox) -> i64 {
    let sides = <[f64; 4]>::from(*bbox).map(|v| (v.clamp(0.0, 1.0) * 65_535.0).round() as u16);
    i64::from_le_bytes(std::array::from_fn(|i| sides[i / 2].to_le_bytes()[i % 2]))
}

fn unpacked(number: i64) -> BBox {
    let b = number.to_le_bytes();
    BBox::from(std::array::from_fn::<f64, 4, _>(|i| f64::from(u16::from_le_bytes([b[2 * i], b[2 * i + 1]])) / 65_535.0))
}

/// The name of a file beside another: the same with an end.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    // A panic cannot leave half a change behind: transactions roll back when dropped.
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}
