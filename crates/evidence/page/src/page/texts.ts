// The page's words, Vietnamese and English, same keys; a template gets its variables as {name}. What is said when does not belong
// here.

import type { What } from '../verify/judge';

export type Lang = 'vi' | 'en';

const vi = {
  'title': 'Kiểm tra gói bằng chứng',
  'lead': 'Chọn tệp ZIP do máy Mắt Thôn trích xuất. Trang này tính lại từng tệp, từng khung hình và chữ ký ngay trên thiết bị này, không cần mạng và không gửi gì đi.',
  'lang.other': 'English',
  'key.label': 'Dấu vân tay khóa đã biết (nếu có)',
  'key.hint': 'Bốn mươi chữ số và chữ cái, lấy từ máy hoặc từ nơi đã công bố, không lấy từ chính gói này. Khoảng trắng, gạch nối, dấu hai chấm và chữ hoa không tính.',
  'pick': 'Chọn tệp ZIP',
  'drop': 'hoặc kéo thả tệp vào đây',
  'again': 'Kiểm tra lại',
  'other': 'Chọn tệp khác',
  'busy': 'Đang kiểm tra {file}…',
  'progress': 'Tiến độ kiểm tra',
  'stop': 'Dừng',
  'stopped': 'Đã dừng. Tệp chưa được kiểm tra xong, nên chưa có kết luận.',
  'failed': 'Trình duyệt này chưa kiểm tra được tệp ({why}). Thử trình duyệt mới hơn, hoặc lệnh matthon verify.',
  'limit': 'Trang này không tự bảo vệ được mình: nếu nó nằm trong chính tệp ZIP thì người sửa tệp cũng có thể đã thay nó. Hãy dùng bản lấy từ nơi tin cậy, hoặc lệnh matthon verify.',
  'unnamed': '(không ghi tên)',
  'none': '(không ghi)',
  'good': 'Tệp nguyên vẹn, đúng chữ ký của máy {site}.',
  'bad.times': 'Tệp đã bị thay đổi: {file}, từ {from} đến {to}.',
  'bad.file': 'Tệp đã bị thay đổi: {file}.',
  'bad.none': 'Tệp này không phải gói bằng chứng của Mắt Thôn, hoặc chưa đầy đủ.',
  'bad.signature': 'Chữ ký không đúng: không thể tin nội dung của tệp này.',
  'bad.key': 'Gói này do một máy khác ký, không phải máy có dấu vân tay đã nhập.',
  'key.unknown': 'khóa chưa đối chiếu',
  'key.unknown.long': 'Khóa chưa đối chiếu: chưa biết chắc chữ ký là của máy nào. So dấu vân tay dưới đây với dấu đã công bố của máy, hoặc nhập nó ở trên rồi kiểm tra lại.',
  'key.right': 'trùng với dấu đã nhập',
  'key.wrong': 'KHÁC với dấu đã nhập',
  'findings': 'Những điều tìm thấy',
  'findings.more': 'Còn {n} điều khác không liệt kê.',
  'finding.camera': 'camera {camera}',
  'finding.times': 'từ {from} đến {to}',
  'about': 'Gói này ghi rằng',
  'about.unsigned': 'Gói này ghi như sau, nhưng không có chữ ký đúng bảo đảm:',
  'site': 'Thôn, nơi đặt máy', 'controller': 'Đơn vị quản lý', 'purpose': 'Mục đích sử dụng', 'authority': 'Cơ quan yêu cầu',
  'officer': 'Cán bộ tiếp nhận', 'document': 'Văn bản yêu cầu', 'exporter': 'Người trích xuất', 'made': 'Lúc trích xuất',
  'range': 'Khoảng thời gian', 'range.value': 'từ {from} đến {to}', 'cameras': 'Camera', 'gaps': 'Khoảng thiếu hình',
  'gaps.none': 'Không có.', 'gap': '{stream}: từ {from} đến {to}, lý do: {reason}', 'clock': 'Đồng hồ', 'notes': 'Ghi chú',
  'checked': 'Đã kiểm tra',
  'checked.value': '{files} tệp và {records} đoạn ghi đúng; {bytes} byte hình và tiếng đã tính lại',
  'fingerprint': 'Dấu vân tay khóa ký', 'fingerprint.none': 'không có chữ ký đúng',
  'reason.power': 'mất điện', 'reason.restart': 'máy khởi động lại', 'reason.camera': 'camera mất kết nối',
  'reason.network': 'lỗi mạng', 'reason.overload': 'máy quá tải', 'reason.damaged': 'dữ liệu hỏng',
  'reason.expired': 'đã hết hạn lưu', 'reason.not-recorded': 'camera chưa ghi hình', 'reason.unknown': 'chưa rõ',
  'what.not-a-package': 'Đây không phải gói bằng chứng, hoặc tệp tải về chưa đủ',
  'what.file-missing': 'Thiếu tệp {file}',
  'what.file-extra': 'Có tệp lạ hoặc trùng tên: {file}',
  'what.file-changed': 'Tệp {file} khác với lúc được ký',
  'what.manifest': 'Không đọc được bản kê {file}',
  'what.signature': 'Bản kê không được ký bằng khóa mà nó ghi ({file})',
  'what.other-key': 'Chữ ký trong {file} là của khóa khác, không phải khóa đã nhập',
  'what.sums': 'Danh sách mã kiểm tra {file} không khớp',
  'what.records': 'Không đọc hết được các đoạn ghi trong {file}',
  'what.media': 'Hình hoặc tiếng trong {file} khác với lúc được ghi',
  'what.chain': 'Chuỗi đoạn ghi trong {file} bị đứt',
  'what.record-missing': 'Thiếu đoạn ghi trong {file} mà bản kê không nói tới',
  'what.foreign': 'Trong {file} có dữ liệu không thuộc đoạn ghi nào',
  'what.track': 'Bản kê nói khác với các đoạn ghi trong {file}',
  'what.unreadable': 'Không đọc được tệp {file}',
};

export type TextKey = keyof typeof vi;

const en: { [key in TextKey]: string } = {
  'title': 'Check an evidence package',
  'lead': 'Choose the ZIP file that a Mắt Thôn box exported. This page computes every file, every picture and the signature again on this device, without a network and without sending anything.',
  'lang.other': 'Tiếng Việt',
  'key.label': 'Known key fingerprint (if any)',
  'key.hint': 'Forty digits and letters, from the box or from where it was published, not from this package. Spaces, dashes, colons and capitals do not count.',
  'pick': 'Choose the ZIP file',
  'drop': 'or drop the file here',
  'again': 'Check again',
  'other': 'Choose another file',
  'busy': 'Checking {file}…',
  'progress': 'Progress of the check',
  'stop': 'Stop',
  'stopped': 'Stopped. The file was not checked to its end, so there is no verdict.',
  'failed': 'This browser could not check the file ({why}). Try a newer browser, or the command matthon verify.',
  'limit': 'This page cannot protect itself: if it came inside the ZIP, whoever changed the file could have replaced it too. Use one from a source you trust, or the command matthon verify.',
  'unnamed': '(no name)',
  'none': '(not written)',
  'good': 'The file is intact and rightly signed by the box {site}.',
  'bad.times': 'The file was changed: {file}, from {from} to {to}.',
  'bad.file': 'The file was changed: {file}.',
  'bad.none': 'This file is no evidence package of Mắt Thôn, or it is not complete.',
  'bad.signature': 'The signature is wrong: nothing in this file can be trusted.',
  'bad.key': 'This package was signed by another box than the one with the fingerprint you entered.',
  'key.unknown': 'key not compared',
  'key.unknown.long': 'Key not compared: it is not certain whose signature this is. Compare the fingerprint below with the one published for the box, or enter that above and check again.',
  'key.right': 'the same as the one entered',
  'key.wrong': 'NOT the one entered',
  'findings': 'What was found',
  'findings.more': '{n} more are not listed.',
  'finding.camera': 'camera {camera}',
  'finding.times': 'from {from} to {to}',
  'about': 'This package says',
  'about.unsigned': 'This package says the following, but no right signature vouches for it:',
  'site': 'Village of the box', 'controller': 'Managed by', 'purpose': 'Purpose', 'authority': 'Requested by',
  'officer': 'Officer', 'document': 'Written request', 'exporter': 'Exported by', 'made': 'Exported at',
  'range': 'Time', 'range.value': 'from {from} to {to}', 'cameras': 'Cameras', 'gaps': 'Missing times',
  'gaps.none': 'None.', 'gap': '{stream}: from {from} to {to}, reason: {reason}', 'clock': 'Clock', 'notes': 'Notes',
  'checked': 'Checked',
  'checked.value': '{files} files and {records} records are right; {bytes} bytes of pictures and sound were computed again',
  'fingerprint': 'Fingerprint of the signing key', 'fingerprint.none': 'no right signature',
  'reason.power': 'power cut', 'reason.restart': 'the box was restarted', 'reason.camera': 'the camera was disconnected',
  'reason.network': 'network fault', 'reason.overload': 'the box was overloaded', 'reason.damaged': 'the data are damaged',
  'reason.expired': 'no longer kept', 'reason.not-recorded': 'the camera was not recording yet', 'reason.unknown': 'not known',
  'what.not-a-package': 'This is no evidence package, or the download is not complete',
  'what.file-missing': 'The file {file} is missing',
  'what.file-extra': 'There is a strange file or one of the same name: {file}',
  'what.file-changed': 'The file {file} is not as it was signed',
  'what.manifest': 'The manifest {file} cannot be read',
  'what.signature': 'The manifest was not signed by the key it names ({file})',
  'what.other-key': 'The signature in {file} is of another key than the one entered',
  'what.sums': 'The list of sums {file} does not fit',
  'what.records': 'The records in {file} cannot be read to their end',
  'what.media': 'Pictures or sound in {file} are not as they were recorded',
  'what.chain': 'The chain of records in {file} is broken',
  'what.record-missing': 'Records are missing in {file} and the manifest does not tell of it',
  'what.foreign': 'There are data in {file} that belong to no record',
  'what.track': 'The manifest says otherwise than the records in {file}',
  'what.unreadable': 'The file {file} cannot be read',
};

const TEXTS: { [lang in Lang]: { [key in TextKey]: string } } = { vi, en };

export interface Vars {
  [name: string]: string | number;
}

export type Words = (key: TextKey, vars?: Vars) => string;

export function words(lang: Lang): Words {
  return (key, vars = {}) => TEXTS[lang][key].replace(/\{(\w+)\}/g, (whole, name: string) => (name in vars ? String(vars[name]) : whole));
}

export function whatKey(what: What): TextKey {
  return `what.${what}` as TextKey;
}

/** The words for a gap's reason; one this page does not know is an unknown one. */
export function reasonKey(reason: string): TextKey {
  const key = `reason.${reason}`;
  return (Object.prototype.hasOwnProperty.call(vi, key) ? key : 'reason.unknown') as TextKey;
}
