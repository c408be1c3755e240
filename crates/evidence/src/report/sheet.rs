//! Lines of text on A4 pages, one below the other, broken between words.

use super::Fonts;
use crate::error::EvidenceError;
use krilla::{
    Document,
    color::rgb,
    geom::Point,
    num::NormalizedF32,
    page::PageSettings,
    paint::{Fill, FillRule},
    text::{Font, TextDirection},
};
use ttf_parser::Face;

/// A4 in points.
const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;
/// Margins as official letters have them: left 30 mm, right 18 mm, top and bottom 22 mm.
const LEFT: f32 = 85.0;
const RIGHT: f32 = 51.0;
const TOP: f32 = 64.0;
const BOTTOM: f32 = 64.0;
const SIZE: f32 = 12.0;
/// Where values begin behind their labels.
const INDENT: f32 = 14.0;

/// One piece of text and where it stands.
struct Piece {
    x: f32,
    y: f32,
    size: f32,
    bold: bool,
    text: String,
}

/// Pages being filled.
pub(super) struct Sheet<'a> {
    fonts: &'a Fonts,
    pages: Vec<Vec<Piece>>,
    y: f32,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(fonts: &'a Fonts) -> Self {
        Self { fonts, pages: vec![Vec::new()], y: TOP }
    }

    fn width(&self, text: &str, size: f32, bold: bool) -> f32 {
        let data = if bold { &self.fonts.bold } else { &self.fonts.regular };
        let Ok(face) = Face::parse(data, 0) else { return text.chars().count() as f32 * size * 0.5 };
        let em = f32::from(face.units_per_em()).max(1.0);
        let advance = |c| face.glyph_index(c).and_then(|g| face.glyph_hor_advance(g)).map_or(em / 2.0, f32::from);
        text.chars().map(advance).sum::<f32>() / em * size
    }

    fn put(&mut self, x: f32, size: f32, bold: bool, text: &str) {
        let piece = Piece { x, y: self.y, size, bold, text: text.to_owned() };
        if let Some(page) = self.pages.last_mut() {
            page.push(piece);
        }
    }

    /// Goes down one line; onto the next page where there is no room.
    fn down(&mut self, size: f32) {
        self.y += size * 1.45;
        if self.y > HEIGHT - BOTTOM {
            self.page();
        }
    }

    pub(super) fn page(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    pub(super) fn space(&mut self, points: f32) {
        self.y += points;
    }

    /// Words in lines from `x` on; what is longer than a line is broken inside.
    fn wrapped(&mut self, x: f32, size: f32, bold: bool, text: &str) {
        let room = WIDTH - RIGHT - x;
        let mut line = String::new();
        for word in text.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.width(&longer, size, bold) <= room {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                self.down(size);
                let full = std::mem::take(&mut line);
                self.put(x, size, bold, &full);
            }
            for c in word.chars() {
                if self.width(&format!("{line}{c}"), size, bold) > room {
                    self.down(size);
                    let full = std::mem::take(&mut line);
                    self.put(x, size, bold, &full);
                }
                line.push(c);
            }
        }
        if !line.is_empty() {
            self.down(size);
            self.put(x, size, bold, &line);
        }
    }

    /// Two columns of a heading, each centred in its half.
    pub(super) fn two(&mut self, left: &str, right: &str, bold: bool) {
        self.down(SIZE);
        let middle = LEFT + (WIDTH - LEFT - RIGHT) * 0.42;
        for (text, from, to) in [(left, LEFT, middle), (right, middle, WIDTH - RIGHT)] {
            // A long name of a village is set smaller rather than over the other column.
            let mut size = SIZE - 1.0;
            while size > 6.0 && self.width(text, size, bold) > to - from - 6.0 {
                size -= 0.5;
            }
            let x = (from + to - self.width(text, size, bold)) / 2.0;
            self.put(x, size, bold, text);
        }
    }

    pub(super) fn centre(&mut self, text: &str, size: f32) {
        self.down(size);
        let x = (WIDTH + LEFT - RIGHT - self.width(text, size, true)) / 2.0;
        self.put(x, size, true, text);
    }

    pub(super) fn title(&mut self, text: &str) {
        self.space(5.0);
        self.wrapped(LEFT, SIZE, true, text);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.wrapped(LEFT + INDENT, SIZE, false, text);
    }

    pub(super) fn line(&mut self, label: &str, value: &str) {
        self.wrapped(LEFT + INDENT, SIZE, false, &format!("{label}: {value}"));
    }

    pub(super) fn small(&mut self, text: &str) {
        self.wrapped(LEFT + INDENT, 9.0, false, text);
    }

    pub(super) fn mark(&mut self, text: &str) {
        self.wrapped(LEFT + INDENT, SIZE + 1.0, true, text);
    }

    /// The PDF. Page numbers stand in the middle of the top margin, but not on the first page.
    pub(super) fn finish(self) -> Result<Vec<u8>, EvidenceError> {
        let failed = |why: &str| EvidenceError::Report(why.to_owned());
        let font = |data: &[u8]| Font::new(data.to_vec().into(), 0).ok_or_else(|| failed("the font cannot be read"));
        let (regular, bold) = (font(&self.fonts.regular)?, font(&self.fonts.bold)?);
        let mut document = Document::new();
        for (n, pieces) in self.pages.iter().enumerate() {
            let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| failed("A4 is no page"))?;
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            let ink = Fill { paint: rgb::Color::new(0, 0, 0).into(), opacity: NormalizedF32::ONE, rule: FillRule::default() };
            surface.set_fill(Some(ink));
            for p in pieces {
                let font = if p.bold { bold.clone() } else { regular.clone() };
                surface.draw_text(Point::from_xy(p.x, p.y), font, p.size, &p.text, false, TextDirection::LeftToRight);
            }
            if n > 0 {
                let number = (n + 1).to_string();
                surface.draw_text(Point::from_xy(WIDTH / 2.0, 40.0), regular.clone(), 11.0, &number, false, TextDirection::LeftToRight);
            }
            surface.finish();
            page.finish();
        }
        document.finish().map_err(|e| EvidenceError::Report(format!("{e:?}")))
    }
}
