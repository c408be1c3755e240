//! `bao-cao.pdf`: the package in words on A4, with every hash, and a sheet to sign when it is handed over.
//!
//! Belongs here: the sentences (Vietnamese, for officials) and where they stand. Does not belong here: drawing (`sheet`).

mod sheet;

use crate::{
    error::EvidenceError,
    manifest::{Manifest, Moment, Place},
};
use domain::WallTime;
use sheet::Sheet;
use std::path::Path;

/// Fonts with every Vietnamese letter, the preferred first: Debian's packages fonts-liberation and fonts-dejavu-core.
pub const FONTS: &[(&str, &str)] = &[
    ("/usr/share/fonts/truetype/liberation/LiberationSerif-Regular.ttf", "/usr/share/fonts/truetype/liberation/LiberationSerif-Bold.ttf"),
    ("/usr/share/fonts/truetype/liberation2/LiberationSerif-Regular.ttf", "/usr/share/fonts/truetype/liberation2/LiberationSerif-Bold.ttf"),
    ("/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSerif-Bold.ttf"),
];

/// The two cuts of a font.
pub struct Fonts {
    regular: Vec<u8>,
    bold: Vec<u8>,
}

impl Fonts {
    /// The first pair of [`FONTS`] that is installed.
    ///
    /// # Errors
    /// A sentence that says which package to install.
    pub fn installed() -> Result<Self, EvidenceError> {
        let read = |path: &str| std::fs::read(Path::new(path)).ok();
        let found = FONTS.iter().find_map(|(regular, bold)| Some(Self { regular: read(regular)?, bold: read(bold)? }));
        found.ok_or_else(|| EvidenceError::Report("no font with Vietnamese letters is installed; `apt install fonts-dejavu-core`".into()))
    }
}

impl Fonts {
    /// Whether both cuts have every letter of a text.
    #[must_use]
    pub fn have(&self, text: &str) -> bool {
        [&self.regular, &self.bold].into_iter().all(|data| {
            ttf_parser::Face::parse(data, 0).is_ok_and(|face| text.chars().all(|c| c.is_whitespace() || face.glyph_index(c).is_some()))
        })
    }
}

/// Writes the report. `manifest` is complete but for its list of files, which is `files` of the package so far.
///
/// # Errors
/// [`EvidenceError::Report`].
pub fn write(manifest: &Manifest, fonts: &Fonts, place: &Place) -> Result<Vec<u8>, EvidenceError> {
    if manifest.made_by.fingerprint.is_empty() {
        return Err(EvidenceError::Report("it would name no key to compare with".into()));
    }
    let mut sheet = Sheet::new(fonts);
    head(&mut sheet, manifest);
    body(&mut sheet, manifest, place);
    files(&mut sheet, manifest);
    handover(&mut sheet, manifest);
    sheet.finish()
}

fn head(s: &mut Sheet<'_>, m: &Manifest) {
    s.two("", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", true);
    s.two(&m.made_by.site.to_uppercase(), "Độc lập - Tự do - Hạnh phúc", true);
    s.space(10.0);
    s.centre("BÁO CÁO TRÍCH XUẤT DỮ LIỆU CAMERA", 15.0);
    s.centre(&format!("Mã trích xuất: {}", m.export.id), 12.0);
    s.space(8.0);
}

fn local(moment: &Moment, place: &Place) -> String {
    moment.wall().map_or_else(|| moment.local.clone(), |at| place.words(at))
}

fn body(s: &mut Sheet<'_>, m: &Manifest, place: &Place) {
    let or = |text: &str| if text.is_empty() { "(không ghi)".to_owned() } else { text.to_owned() };
    s.title("1. Yêu cầu");
    s.line("Cơ quan yêu cầu", &or(&m.export.authority));
    s.line("Cán bộ tiếp nhận", &or(&m.export.officer));
    s.line("Văn bản yêu cầu số, ngày", &or(&m.export.document));
    s.line("Mục đích sử dụng", &or(&m.export.purpose));
    s.line("Người trích xuất", &format!("{} ({})", m.export.exporter, m.export.role));
    if let Some(at) = &m.export.made_at {
        s.line("Lúc", &local(at, place));
    }
    s.title("2. Nội dung");
    s.line("Khoảng thời gian", &format!("từ {} đến {}", local(&m.from, place), local(&m.to, place)));
    for c in &m.cameras {
        let more: Vec<&str> =
            [&c.place, &c.direction, &c.make, &c.serial].into_iter().map(String::as_str).filter(|t| !t.is_empty()).collect();
        s.line("Camera", &format!("{} ({}){}{}", c.name, c.id, if more.is_empty() { "" } else { ": " }, more.join(", ")));
    }
    for c in &m.cases {
        let by = if c.confirmed_by.is_empty() {
            "chưa có người xác nhận (nghi vấn)".into()
        } else {
            format!("{} xác nhận", c.confirmed_by)
        };
        s.line("Vụ việc", &format!("số {}, {}: {by}. {}", c.id, c.kind, c.why));
    }
    s.text("Hình ảnh là bản gốc, chép nguyên từ máy ghi, không mã hóa lại, không che phần nào (tệp “bản xem”, nếu có, thì đã mã hóa lại). Camera không phải phương tiện đo lường; tốc độ (nếu có) chỉ là ước lượng.");
    s.title("3. Đồng hồ");
    s.text(&m.clock.sentence);
    s.title("4. Khoảng thiếu hình");
    if m.gaps.is_empty() {
        s.text("Không có: hình liên tục trong suốt khoảng thời gian.");
    }
    for g in &m.gaps {
        s.text(&format!("{}: từ {} đến {}, lý do: {}.", g.stream, local(&g.from, place), local(&g.to, place), reason(&g.reason)));
    }
    for note in &m.notes {
        s.text(note);
    }
}

/// The reason of a gap in words.
#[must_use]
pub fn reason(word: &str) -> &'static str {
    match word {
        "power" => "mất điện",
        "restart" => "máy khởi động lại",
        "camera" => "camera mất kết nối",
        "network" => "lỗi mạng",
        "overload" => "máy quá tải",
        "damaged" => "dữ liệu hỏng",
        "expired" => "đã hết hạn lưu",
        "not-recorded" => "camera chưa ghi hình",
        _ => "chưa rõ",
    }
}

fn files(s: &mut Sheet<'_>, m: &Manifest) {
    s.title("5. Danh mục tệp và mã kiểm tra SHA-256");
    for f in &m.files {
        s.text(&format!("{} – {} byte{}", f.name, grouped(f.bytes), role(&f.what)));
        s.small(&f.sha256);
    }
    s.title("6. Tự kiểm tra");
    s.text(
        "Mở tệp verify.html bằng trình duyệt bất kỳ (không cần mạng), chọn lại tệp ZIP này; hoặc chạy: matthon verify TỆP.zip. \
         Kết quả tin được khi dấu vân tay khóa ký dưới đây trùng với dấu đã được công bố của máy:",
    );
    s.mark(&m.made_by.fingerprint);
    s.line("Máy ghi", &format!("{}, {}", m.made_by.site, m.made_by.software));
    s.line("Đơn vị quản lý", &m.made_by.controller);
}

/// Which film is the original: said beside its name.
fn role(what: &str) -> &'static str {
    match what {
        "master" => " – BẢN GỐC",
        "view" => " – bản xem, đã mã hóa lại, KHÔNG phải bản gốc",
        _ => "",
    }
}

fn handover(s: &mut Sheet<'_>, m: &Manifest) {
    s.page();
    s.two("", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", true);
    s.two(&m.made_by.site.to_uppercase(), "Độc lập - Tự do - Hạnh phúc", true);
    s.space(10.0);
    s.centre("BIÊN BẢN GIAO NHẬN DỮ LIỆU", 15.0);
    s.centre(&format!("Mã trích xuất: {}", m.export.id), 12.0);
    s.space(8.0);
    let dots = "…………………………………………………………";
    s.line("Bên giao (họ tên, chức vụ)", if m.export.exporter.is_empty() { dots } else { &m.export.exporter });
    s.line("Bên nhận (họ tên, chức vụ)", if m.export.officer.is_empty() { dots } else { &m.export.officer });
    s.line("Đơn vị", if m.export.authority.is_empty() { dots } else { &m.export.authority });
    s.line("Số giấy tờ công vụ", dots);
    s.line("Căn cứ yêu cầu", if m.export.document.is_empty() { dots } else { &m.export.document });
    s.line("Phương tiện giao (USB, liên kết)", "………………………………………");
    s.line("Giờ, ngày giao", dots);
    s.text(&format!("Tài liệu giao: một tệp ZIP gồm {} tệp theo danh mục trong báo cáo kèm theo.", m.files.len()));
    s.text("Bên nhận cam kết sử dụng dữ liệu đúng mục đích đã nêu, bảo quản và xóa khi không còn cần thiết theo quy định của pháp luật.");
    s.text("Biên bản lập thành 02 bản, mỗi bên giữ 01 bản.");
    s.space(20.0);
    s.two("BÊN GIAO", "BÊN NHẬN", true);
    s.two("(Ký, ghi rõ họ tên)", "(Ký, ghi rõ họ tên)", false);
}

fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('.');
        }
        out.push(c);
    }
    out
}

/// How far the box's clock is to be trusted, in one sentence.
#[must_use]
pub fn clock_sentence(synchronised: bool, unsynchronised: u64, offsets: &[(String, f64)], made: WallTime, place: &Place) -> String {
    let set = if synchronised { "đang được máy chủ giờ đồng bộ" } else { "CHƯA được máy chủ giờ đồng bộ" };
    let mut text = format!("Giờ ghi là giờ của máy ghi, {set} khi trích xuất ({})", place.words(made));
    for (name, offset) in offsets {
        if offset.abs() < 0.05 {
            text.push_str(&format!("; đồng hồ của camera {name} trùng với máy ghi"));
            continue;
        }
        let word = if *offset >= 0.0 { "nhanh" } else { "chậm" };
        let seconds = format!("{:.1}", offset.abs()).replace('.', ",");
        text.push_str(&format!("; đồng hồ của camera {name} {word} hơn máy ghi {seconds} giây"));
    }
    if unsynchronised > 0 {
        text.push_str(&format!("; {unsynchronised} đoạn được ghi khi đồng hồ máy chưa đồng bộ"));
    }
    text.push('.');
    text
}
