//! Places in the file, and the list that mistakes are noted on.

use crate::mistake::{Mistake, Mistakes};

/// Where something was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Place {
    /// Byte offset into the text.
    pub(crate) offset: usize,
    /// `camera[0].rule[1].after`.
    pub(crate) key: String,
    /// How it is written right; empty where only its type says so.
    pub(crate) example: &'static str,
}

impl Place {
    /// The place of a key inside the table at `self`.
    pub(crate) fn child(&self, key: &str, offset: usize, example: &'static str) -> Self {
        let key = if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) };
        Self { offset, key, example }
    }

    /// The place of an element of the array at `self`.
    pub(crate) fn element(&self, index: usize, offset: usize) -> Self {
        Self { offset, key: format!("{}[{index}]", self.key), example: "" }
    }
}

/// What is wrong and what to write instead, before it is known where.
#[derive(Debug, PartialEq)]
pub(crate) struct Wrong {
    pub(crate) problem: String,
    pub(crate) fix: String,
}

impl Wrong {
    pub(crate) fn new(problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: problem.into(), fix: fix.into() }
    }

    /// The same of one part of what was written.
    pub(crate) fn of(self, part: &str) -> Self {
        Self { problem: format!("{part}: {}", self.problem), ..self }
    }
}

/// The text being read and everything found wrong with it so far.
pub(crate) struct Source<'a> {
    file: &'a str,
    text: &'a str,
    /// Lines that could not be read: what looks missing may be there.
    torn: Vec<usize>,
    found: usize,
    mistakes: Vec<(usize, Mistake)>,
    warnings: Vec<(usize, Mistake)>,
    /// Keys whose files are judged later.
    pointed: Vec<Mistake>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, torn: Vec::new(), found: 0, mistakes: Vec::new(), warnings: Vec::new(), pointed: Vec::new() }
    }

    /// A mistake of the text itself: nothing is called missing any more, and what is left of its line is not judged.
    pub(crate) fn torn(&mut self, offset: usize, wrong: Wrong) {
        let place = Place { offset, ..Place::default() };
        let line = self.line(&place);
        if !self.torn.contains(&line) {
            self.mistake(&place, wrong);
            self.torn.push(line);
        }
    }

    pub(crate) fn mistake(&mut self, place: &Place, wrong: Wrong) {
        let mistake = self.at(place, wrong);
        // Counted even when it only follows from a torn line, so that nothing is built from what is wrong.
        self.found += 1;
        if !self.torn.contains(&mistake.line) {
            self.mistakes.push((place.offset, mistake));
        }
    }

    /// A mistake that may only follow from text that could not be read: something is not there.
    pub(crate) fn missing(&mut self, place: &Place, wrong: Wrong) {
        if self.torn.is_empty() {
            self.mistake(place, wrong);
        }
    }

    pub(crate) fn warning(&mut self, place: &Place, wrong: Wrong) {
        let mistake = self.at(place, wrong);
        self.warnings.push((place.offset, mistake));
    }

    /// Notes where a key stands whose file is judged later.
    pub(crate) fn point(&mut self, place: &Place) {
        let at = self.at(place, Wrong::new("", ""));
        self.pointed.push(at);
    }

    /// What was pointed at.
    pub(crate) fn places(&mut self) -> Vec<Mistake> {
        std::mem::take(&mut self.pointed)
    }

    /// Mistakes so far.
    pub(crate) fn count(&self) -> usize {
        self.found
    }

    /// The line of a place, to point at it from another mistake.
    pub(crate) fn line(&self, place: &Place) -> usize {
        position(self.text, place.offset).0
    }

    /// The warnings if nothing is wrong.
    pub(crate) fn finish(self) -> Result<Vec<Mistake>, Mistakes> {
        let in_order = |mut list: Vec<(usize, Mistake)>| {
            list.sort_by_key(|(offset, _)| *offset);
            list.into_iter().map(|(_, m)| m).collect::<Vec<_>>()
        };
        let (mistakes, warnings) = (in_order(self.mistakes), in_order(self.warnings));
        if mistakes.is_empty() { Ok(warnings) } else { Err(Mistakes { mistakes, warnings }) }
    }

    fn at(&self, place: &Place, wrong: Wrong) -> Mistake {
        let (line, column) = position(self.text, place.offset);
        Mistake { file: self.file.to_owned(), line, column, key: place.key.clone(), problem: wrong.problem, fix: wrong.fix }
    }
}

/// Line and column (in characters) from 1; an offset beyond the text or inside a character counts as the place before.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or("");
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    (line, before.get(line_start..).unwrap_or("").chars().count() + 1)
}

/// A value as it may appear in a message: short, on one line.
pub(crate) fn show(value: &str) -> String {
    let mut shown: String = value.chars().take(40).flat_map(char::escape_debug).collect();
    if value.chars().nth(40).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// The candidate nearest to a word by edit distance, if it is near enough to be meant.
pub(crate) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word: Vec<char> = word.chars().take(65).collect();
    if word.len() > 64 {
        return None;
    }
    let scored = candidates.into_iter().map(|c| (distance(&word, &c.chars().collect::<Vec<_>>()), c));
    // A third of the letters wrong is still that word; more is another word.
    scored.filter(|(d, c)| *d <= 1.max(word.len().max(c.chars().count()) / 3)).min().map(|(_, c)| c)
}

/// Edits (insert, delete, replace, swap of neighbours) from `a` to `b`; case counts for nothing.
fn distance(a: &[char], b: &[char]) -> usize {
    let same = |x: char, y: char| x.eq_ignore_ascii_case(&y) || (x == '_' && y == '-') || (x == '-' && y == '_');
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(!same(x, y))).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && same(x, b[j - 1]) && same(a[i - 1], y) {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let text = "a\nthôn = 1\n";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, 2), (2, 1));
        assert_eq!(position(text, text.find('=').unwrap()), (2, 6));
        assert_eq!(position(text, 5), (2, 3), "inside ô");
        assert_eq!(position(text, 999), (3, 1));
        assert_eq!(position("", 0), (1, 1));
    }

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["polygon", "name", "password_file", "sub"];
        assert_eq!(nearest("poligon", known), Some("polygon"));
        assert_eq!(nearest("plygon", known), Some("polygon"));
        assert_eq!(nearest("anme", known), Some("name"));
        assert_eq!(nearest("password-file", known), Some("password_file"));
        assert_eq!(nearest("Name", known), Some("name"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest(&"x".repeat(100), known), None);
        assert_eq!(nearest("", ["a"]), Some("a"));
    }
}
