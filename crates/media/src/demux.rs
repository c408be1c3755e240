//! Which bytes of somebody's MP4 are its pictures: progressive and fragmented files, whoever wrote them. Of the boxes only those
//! are looked at that say so; nothing in the file is believed, and no length takes memory by being said.

use crate::{
    boxes::read::{Fields, Node, child, nodes},
    error::MediaError,
};

/// Largest `moov` and `moof` that are read.
const INDEX_MAX: u64 = 256 << 20;
const WHAT: &str = "MP4 file";

/// Where a picture's bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From the file's beginning.
    pub offset: u64,
    /// Bytes.
    pub size: u32,
}

/// The pictures of the first video track, in decoding order. `read` fills a buffer from an offset, or fails.
///
/// # Errors
/// When the file is no MP4 with video, is cut off inside its index, or `read` fails.
pub fn pictures(len: u64, mut read: impl FnMut(u64, &mut [u8]) -> std::io::Result<()>) -> Result<Vec<Place>, MediaError> {
    let mut out = Found { places: Vec::new(), left: len };
    let (mut at, mut track) = (0u64, None);
    while at < len {
        let mut head = [0; 16];
        let have = usize::try_from(len - at).unwrap_or(usize::MAX).min(16);
        let (head, _) = head.split_at_mut(have);
        read(at, head).map_err(|_| MediaError::truncated(WHAT))?;
        let Some((kind, size)) = top_level(head, len - at) else { break };
        if kind == *b"moov" || kind == *b"moof" {
            if size > INDEX_MAX {
                return Err(MediaError::malformed(WHAT, "its index is larger than any film's"));
            }
            let mut bytes = vec![0; usize::try_from(size).map_err(|_| MediaError::truncated(WHAT))?];
            read(at, &mut bytes).map_err(|_| MediaError::truncated(WHAT))?;
            let node = nodes(&bytes).next().ok_or(MediaError::truncated(WHAT))??;
            match (&track, kind == *b"moov") {
                (None, true) => track = moov(node.body, &mut out)?,
                (Some(track), false) => moof(node.body, at, track, &mut out)?,
                _ => {}
            }
        }
        at = at.saturating_add(size);
    }
    if track.is_none() {
        return Err(MediaError::malformed(WHAT, "it has no video track"));
    }
    Ok(out.places)
}

/// What was found. Pictures take bytes of the file, each at least one: their number is bounded by its length.
struct Found {
    places: Vec<Place>,
    left: u64,
}

impl Found {
    fn add(&mut self, offset: u64, size: u32) -> Result<(), MediaError> {
        let taken = u64::from(size).max(1);
        self.left = self.left.checked_sub(taken).ok_or(MediaError::malformed(WHAT, "its pictures are larger than the file"))?;
        self.places.push(Place { offset, size });
        Ok(())
    }
}

/// Kind and size of the box that begins here, cut to what there is.
fn top_level(head: &[u8], left: u64) -> Option<([u8; 4], u64)> {
    let short = u32::from_be_bytes(*head.first_chunk()?);
    let kind = *head.get(4..)?.first_chunk()?;
    let size = match short {
        0 => left,
        1 => u64::from_be_bytes(*head.get(8..)?.first_chunk()?),
        n => n.into(),
    };
    (size >= 8).then_some((kind, size.min(left)))
}

/// The track that is read: its number, and the size of a picture where no fragment says another.
struct Track {
    id: u32,
    size: u32,
}

fn moov(body: &[u8], out: &mut Found) -> Result<Option<Track>, MediaError> {
    for node in nodes(body) {
        let node = node?;
        if node.kind != *b"trak" {
            continue;
        }
        let mdia = child(node.body, b"mdia", WHAT)?;
        let mut hdlr = Fields::new("hdlr box", child(mdia.body, b"hdlr", WHAT)?.body);
        hdlr.skip(8)?;
        if hdlr.take::<4>()? != *b"vide" {
            continue;
        }
        let mut tkhd = Fields::new("tkhd box", child(node.body, b"tkhd", WHAT)?.body);
        let version = tkhd.u8()?;
        tkhd.skip(3 + if version == 1 { 16 } else { 8 })?;
        let id = tkhd.u32()?;
        let minf = child(mdia.body, b"minf", WHAT)?;
        table(child(minf.body, b"stbl", WHAT)?.body, out)?;
        return Ok(Some(Track { id, size: default_size(body, id)? }));
    }
    Ok(None)
}

/// `trex` of a fragmented file.
fn default_size(moov: &[u8], id: u32) -> Result<u32, MediaError> {
    let Ok(mvex) = child(moov, b"mvex", WHAT) else { return Ok(0) };
    for node in nodes(mvex.body) {
        let node = node?;
        if node.kind == *b"trex" {
            let mut f = Fields::new("trex box", node.body);
            f.skip(4)?;
            let track = f.u32()?;
            f.skip(8)?;
            let size = f.u32()?;
            if track == id {
                return Ok(size);
            }
        }
    }
    Ok(0)
}

/// The tables of a progressive file (ISO 14496-12 §8.7).
fn table(stbl: &[u8], out: &mut Found) -> Result<(), MediaError> {
    let mut stsz = Fields::new("stsz box", child(stbl, b"stsz", WHAT)?.body);
    stsz.skip(4)?;
    let (same, count) = (stsz.u32()?, stsz.u32()?);
    let mut sizes = stsz;
    let mut next = || if same > 0 { Ok(same) } else { sizes.u32() };
    let mut stsc = Fields::new("stsc box", child(stbl, b"stsc", WHAT)?.body);
    stsc.skip(4)?;
    let runs = stsc.u32()?;
    let (wide, chunks) = match child(stbl, b"co64", WHAT) {
        Ok(node) => (true, node),
        Err(_) => (false, child(stbl, b"stco", WHAT)?),
    };
    let mut chunks = Fields::new("chunk table", chunks.body);
    chunks.skip(4)?;
    let chunk_count = chunks.u32()?;
    // Entry by entry: first chunk, pictures in each; the next entry says how far it goes.
    let (mut run, mut per) = (0, 0);
    let (mut following, mut following_per) = if runs > 0 { (stsc.u32()?, stsc.u32()?) } else { (u32::MAX, 0) };
    if runs > 0 {
        stsc.skip(4)?;
    }
    let mut left = count;
    for chunk in 1..=chunk_count {
        if left == 0 {
            break;
        }
        while chunk >= following {
            (run, per) = (run + 1, following_per);
            (following, following_per) = if run < runs { (stsc.u32()?, stsc.u32()?) } else { (u32::MAX, 0) };
            if following != u32::MAX {
                stsc.skip(4)?;
            } else {
                break;
            }
        }
        let mut at = if wide { chunks.u64()? } else { chunks.u32()?.into() };
        for _ in 0..per.min(left) {
            let size = next()?;
            out.add(at, size)?;
            at = at.saturating_add(size.into());
        }
        left -= per.min(left);
    }
    Ok(())
}

/// One fragment (§8.8).
fn moof(body: &[u8], start: u64, track: &Track, out: &mut Found) -> Result<(), MediaError> {
    for node in nodes(body) {
        let node = node?;
        if node.kind == *b"traf" {
            traf(&node, start, track, out)?;
        }
    }
    Ok(())
}

fn traf(traf: &Node<'_>, start: u64, track: &Track, out: &mut Found) -> Result<(), MediaError> {
    let mut f = Fields::new("tfhd box", child(traf.body, b"tfhd", WHAT)?.body);
    let flags = f.u32()? & 0x00ff_ffff;
    if f.u32()? != track.id {
        return Ok(());
    }
    let base = if flags & 1 != 0 { f.u64()? } else { start };
    f.skip(if flags & 2 != 0 { 4 } else { 0 } + if flags & 8 != 0 { 4 } else { 0 })?;
    let size = if flags & 0x10 != 0 { f.u32()? } else { track.size };
    let mut at = base;
    for node in nodes(traf.body) {
        let node = node?;
        if node.kind != *b"trun" {
            continue;
        }
        let mut f = Fields::new("trun box", node.body);
        let flags = f.u32()? & 0x00ff_ffff;
        let count = f.u32()?;
        if flags & 1 != 0 {
            let offset = i32::from_be_bytes(f.take()?);
            at = base.checked_add_signed(offset.into()).ok_or(MediaError::malformed("trun box", "its data lies outside the file"))?;
        }
        f.skip(if flags & 4 != 0 { 4 } else { 0 })?;
        let has = |bit: u32| flags & bit != 0;
        for _ in 0..count {
            f.skip(if has(0x100) { 4 } else { 0 })?;
            let size = if has(0x200) { f.u32()? } else { size };
            f.skip(if has(0x400) { 4 } else { 0 } + if has(0x800) { 4 } else { 0 })?;
            out.add(at, size)?;
            at = at.saturating_add(size.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fmp4::{Piece, Track as Announced, fragment_header, init_segment},
        progressive::{Chunk, ClipSample, ClipTrack, TrackKind, header},
    };
    use domain::{Format, VideoCodec};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn h264() -> Format {
        let config = [
            1, 0x64, 0, 10, 0xff, 0xe1, 0, 0x19, 0x67, 0x64, 0x00, 10, 0xac, 0x72, 0x84, 0x44, 0x26, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04,
            0x00, 0x00, 0x03, 0x00, 0xca, 0x3c, 0x48, 0x96, 0x11, 0x80, 1, 0, 7, 0x68, 0xe8, 0x43, 0x8f, 0x13, 0x21, 0x30, 0xfd, 0xf8,
            0xf8, 0,
        ];
        Format::Video(crate::params::video_format(VideoCodec::H264, &config).unwrap())
    }

    fn found(bytes: &[u8]) -> Result<Vec<Place>, MediaError> {
        pictures(bytes.len() as u64, |at, buf| {
            let at = usize::try_from(at).map_err(std::io::Error::other)?;
            let from = bytes.get(at..at + buf.len()).ok_or(std::io::ErrorKind::UnexpectedEof)?;
            buf.copy_from_slice(from);
            Ok(())
        })
    }

    fn progressive(sizes: &[u32], per_chunk: usize) -> Vec<u8> {
        let samples: Vec<_> =
            sizes.iter().map(|size| ClipSample { format: 0, duration: 9, cts_offset: 0, size: *size, random_access: true }).collect();
        let chunks: Vec<_> =
            (0..sizes.len()).step_by(per_chunk).map(|first| Chunk { track: 0, first, count: per_chunk.min(sizes.len() - first) }).collect();
        let track = ClipTrack { kind: TrackKind::Media(vec![Arc::new(h264())]), samples, start_offset: 0, shown: None };
        let mut file = header(&[track], &chunks).unwrap();
        for (n, size) in sizes.iter().enumerate() {
            file.extend(std::iter::repeat_n(n as u8, *size as usize));
        }
        file
    }

    fn fragmented(sizes: &[u32], per_fragment: usize) -> Vec<u8> {
        let format = h264();
        let mut file = init_segment(&[Announced { id: 1, format: &format }]).unwrap();
        for (n, part) in sizes.chunks(per_fragment).enumerate() {
            let pieces: Vec<_> = part.iter().map(|size| Piece { duration: 9, size: *size, cts_offset: 0, random_access: true }).collect();
            file.extend(fragment_header(n as u32 + 1, 1, 0, &pieces));
            for (i, size) in part.iter().enumerate() {
                file.extend(std::iter::repeat_n((n * per_fragment + i) as u8, *size as usize));
            }
        }
        file
    }

    proptest! {
        #[test]
        fn every_picture_is_found_where_it_lies(sizes in prop::collection::vec(1u32..300, 1..80), per in 1usize..9) {
            for file in [progressive(&sizes, per), fragmented(&sizes, per)] {
                let places = found(&file).unwrap();
                prop_assert_eq!(places.iter().map(|p| p.size).collect::<Vec<_>>(), sizes.clone());
                for (n, p) in places.iter().enumerate() {
                    let bytes = &file[p.offset as usize..p.offset as usize + p.size as usize];
                    prop_assert!(bytes.iter().all(|b| *b == n as u8));
                }
            }
        }

        #[test]
        fn whatever_comes_is_read_to_an_end(mut bytes in prop::collection::vec(any::<u8>(), 0..600), at in any::<prop::sample::Index>(), with in any::<u8>()) {
            let _ = found(&bytes);
            let mut film = progressive(&[10, 20, 30], 2);
            let n = film.len();
            film[at.index(n)] = with;
            let _ = found(&film);
            bytes.splice(0..0, fragmented(&[5, 6], 1));
            let _ = found(&bytes);
        }
    }
}
