//! What a package says in words: of the box, its clock, its cameras and a case.

use super::Sources;
use crate::models;
use anyhow::Result;
use domain::{CaseId, Clock, WallTime};
use evidence::{
    manifest::{CameraWord, CaseWord, ClockWord, Maker, Place},
    report,
};

/// The first thing somebody opens.
pub(super) const READ_FIRST: &str = "\
Tệp này do máy ghi camera của thôn xuất ra cho cơ quan chức năng.

goc/            hình gốc từng camera, chép nguyên từ máy ghi (.mp4), kèm sổ ghi để kiểm tra (.chuoi)
ban-xem…mp4     bản xem từng camera, nếu có: in địa điểm và giờ lên hình, đã mã hóa lại, không có tiếng; KHÔNG phải bản gốc
anh/            ảnh chụp, nếu có
bao-cao.pdf     báo cáo trích xuất và biên bản giao nhận
manifest.json   mọi thông tin về lần trích xuất; manifest.sig là chữ ký của máy ghi
SHA256SUMS      mã kiểm tra từng tệp (sha256sum -c SHA256SUMS)
verify.html     trang tự kiểm tra: mở bằng trình duyệt, không cần mạng, rồi chọn lại tệp ZIP này

Kiểm tra chắc chắn nhất: matthon verify TEP.zip --key \"DẤU VÂN TAY KHÓA\"
Dấu vân tay khóa được in trong báo cáo; hãy đối chiếu với dấu đã được công bố của máy.
";

/// At the top of each picture of a viewing copy.
pub(super) const VIEWING_TITLE: &str = "BẢN XEM – KHÔNG PHẢI BẢN GỐC";
/// Nobody asked for one.
pub(super) const NO_VIEWING_COPY: &str = "Không kèm bản xem có in giờ lên hình: người trích xuất không yêu cầu.";
/// Letters cannot be set.
pub(super) const NO_LETTERS: &str = "máy chưa cài phông chữ tiếng Việt (gói fonts-dejavu-core)";

/// What a viewing copy is and is not.
pub(super) fn viewed(file: &str, master: &str, copied: vision::Copied) -> String {
    let mut text = format!("{file} là bản xem: in địa điểm và giờ lên hình, đã mã hóa lại, không có tiếng; bản gốc là {master}.");
    let missing = copied.wanted.saturating_sub(copied.shown);
    if missing > 0 {
        text.push_str(&format!(" Bản xem thiếu {missing} trên {} hình không giải mã được.", copied.wanted));
    }
    text
}

/// Why there is none of a camera.
pub(super) fn not_viewed(camera: &str, why: &str) -> String {
    format!("Không kèm bản xem của camera {camera}: {why}. Bản gốc vẫn đầy đủ.")
}

/// The same in a reader's words; what exactly happened is in the log.
pub(super) fn why(error: &vision::CopyError) -> String {
    use vision::{CopyError, LoneError};
    match error {
        CopyError::Worker(LoneError::Launch(e)) if e.kind() == std::io::ErrorKind::NotFound => {
            "máy thiếu chương trình matthon-worker".into()
        }
        CopyError::Worker(LoneError::Launch(_) | LoneError::Io(_)) => "không khởi động được chương trình giải mã hình".into(),
        CopyError::Worker(LoneError::Crashed(_)) => "chương trình giải mã hình bị dừng giữa chừng".into(),
        CopyError::Worker(LoneError::Silent(_)) => "chương trình giải mã hình không trả lời".into(),
        CopyError::Worker(LoneError::Protocol(_)) => "chương trình giải mã hình trả lời sai".into(),
        CopyError::Refused(what) => format!("không giải mã hoặc mã hóa lại được hình ({what})"),
        CopyError::Source(_) => "không đọc lại được hình gốc trong tệp trích xuất".into(),
        CopyError::Sink(e) if e.kind() == std::io::ErrorKind::StorageFull => "đĩa đầy".into(),
        CopyError::Sink(_) => "không ghi được ra đĩa".into(),
        CopyError::Cancelled => "đã hủy".into(),
    }
}

pub(super) fn camera(camera: &config::Camera, offset: Option<f64>) -> CameraWord {
    let about = camera.about.clone();
    CameraWord {
        id: camera.id.to_string(),
        name: camera.name.clone(),
        place: about.place,
        direction: about.direction,
        make: about.make,
        serial: about.serial,
        clock_offset: offset,
    }
}

pub(super) fn maker(sources: &Sources, cameras: &[&config::Camera], now: WallTime) -> Result<Maker> {
    let config = &sources.config;
    let model = config.vision.as_ref().and_then(|v| {
        let library = models::library(config);
        let manifest = library.manifest(&v.model).ok()?;
        let sums: Vec<_> = manifest.weights.iter().map(|w| w.sha256.clone()).collect();
        Some(format!("{} sha256 {}", manifest.name, sums.join(" / ")))
    });
    let mut rules: Vec<String> = cameras.iter().flat_map(|c| c.rules.iter().map(|r| format!("{}: {}", c.id, r.kind()))).collect();
    rules.dedup();
    Ok(Maker {
        site: config.site.name.clone(),
        controller: config.privacy.as_ref().map(|p| p.controller.clone()).unwrap_or_default(),
        id: sources.store.identity(now)?.id,
        key: String::new(),
        // The report is written before the signature, and must name the key.
        fingerprint: evidence::fingerprint(&sources.signer.public_key()),
        software: concat!("matthon ", env!("CARGO_PKG_VERSION")).into(),
        models: model.into_iter().collect(),
        rules,
    })
}

pub(super) fn clock(clock: &dyn Clock, unsynchronised: u64, cameras: &[CameraWord], now: WallTime, place: &Place) -> ClockWord {
    let synchronised = clock.synchronised();
    let offsets: Vec<_> = cameras.iter().filter_map(|c| Some((c.name.clone(), c.clock_offset?))).collect();
    ClockWord {
        source: "box".into(),
        synchronised,
        unsynchronised_records: unsynchronised,
        sentence: report::clock_sentence(synchronised, unsynchronised, &offsets, now, place),
    }
}

pub(super) fn case(sources: &Sources, id: Option<CaseId>, place: &Place) -> Result<Vec<CaseWord>> {
    let Some(id) = id else { return Ok(Vec::new()) };
    let row = sources.store.case(id)?;
    let confirmed = row.answered.filter(|_| row.state == domain::CaseState::Confirmed);
    Ok(vec![CaseWord {
        id: id.to_string(),
        kind: row.kind,
        confirmed_by: confirmed.as_ref().map(|(by, _)| by.clone()).unwrap_or_default(),
        confirmed_at: confirmed.map(|(_, at)| place.moment(at)),
        why: row.why.vi,
    }])
}
