//! Files that belong to no case: what proves a reported figure of the plan (佐证材料). They are kept as attachments are; what they are
//! is told by their bytes, and only a table of text, which has no mark of its own, by its name as well.

use crate::Cases;
use crate::attachments::{CHECK_ROWS, clean_name};
use crate::kinds::{self, Kind};
use encoding_rs::GB18030;
use model::problem::{both, quote};
use model::{Problem, Told};
use records::{Result, filing_files};
use std::io::Cursor;
use zip::ZipArchive;

/// A workbook (ISO/IEC 29500).
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// A text document (ISO/IEC 29500).
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

impl Cases {
    /// What a file is that is to prove a figure, by its bytes.
    ///
    /// # Errors
    /// `evidence-size`, `evidence-type`, `evidence-macro`.
    pub fn evidence_kind(
        &self,
        name: &str,
        bytes: &[u8],
    ) -> std::result::Result<&'static str, Told> {
        kind(name, bytes, self.options.attachment_bytes_max)
    }

    /// Keeps the bytes of a file that belongs to no case: on disk, whole and synced, when this answers with their SHA-256.
    ///
    /// # Errors
    /// The disk's own.
    pub async fn keep_evidence(&self, bytes: Vec<u8>) -> Result<String> {
        self.keep(bytes).await
    }

    /// Checks the file of every proof of a figure against its row. Empty when all is well.
    pub(crate) async fn check_evidence(&self) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut after = 0;
        loop {
            let rows =
                filing_files::after(&mut *self.records.read().await?, after, CHECK_ROWS).await?;
            let Some(last) = rows.last() else {
                return Ok(problems);
            };
            after = last.id;
            for row in rows {
                let what = format!("file {} of the report {}", row.id, row.filing_id);
                problems.extend(self.damage(&what, &row.sha256).await);
            }
        }
    }
}

fn told(code: &str, what: [String; 2], mend: [String; 2]) -> Told {
    let said = |[zh, en]: [String; 2]| both(zh, en);
    Told::new(code, said(what), both("佐证材料", "file"), said(mend))
}

fn kind(name: &str, bytes: &[u8], bytes_max: usize) -> std::result::Result<&'static str, Told> {
    if bytes.is_empty() || bytes.len() > bytes_max {
        let size = bytes.len();
        return Err(told(
            "evidence-size",
            [
                format!("文件有 {size} 字节"),
                format!("the file has {size} bytes"),
            ],
            [
                format!("请上传 1 至 {bytes_max} 字节的文件；扫描件可降低分辨率"),
                format!("send 1 to {bytes_max} bytes; scan it less finely"),
            ],
        ));
    }
    let office = office(bytes)?;
    let plain =
        kinds::sniff(bytes).filter(|(_, kind)| matches!(kind, Kind::Photo | Kind::Document));
    let found = office.or_else(|| plain.map(|(media_type, _)| media_type));
    let is_csv = || has_ending(name, "csv") && is_text(bytes);
    found.or_else(|| is_csv().then_some("text/csv")).ok_or_else(|| {
        let name = quote(&clean_name(name));
        told(
            "evidence-type",
            [
                format!("“{name}”不是可以作为佐证的文件"),
                format!("\"{name}\" is no file that may prove a figure"),
            ],
            [
                "请上传 PDF、图片（JPEG、PNG、WebP）、Excel（xlsx）、Word（docx）或 CSV；按文件内容判断，不看扩展名；旧式 xls、doc 请另存为新格式".to_owned(),
                "send a PDF, a picture (JPEG, PNG, WebP), a workbook (xlsx), a text document (docx) or CSV; the bytes tell what it is, not the name; save an old xls or doc in the new format".to_owned(),
            ],
        )
    })
}

/// Whether a name ends like that, in whatever case.
fn has_ending(name: &str, ending: &str) -> bool {
    let last = name.rsplit_once('.').map(|(_, last)| last);
    last.is_some_and(|last| last.eq_ignore_ascii_case(ending))
}

/// A workbook or a text document, by the parts in its archive; nothing for what is neither.
fn office(bytes: &[u8]) -> std::result::Result<Option<&'static str>, Told> {
    if !bytes.starts_with(b"PK\x03\x04") {
        return Ok(None);
    }
    // Only the list of its parts is read: nothing is unpacked.
    let Ok(archive) = ZipArchive::new(Cursor::new(bytes)) else {
        return Ok(None);
    };
    let has = |part: &str| archive.file_names_raw().any(|name| name == part.as_bytes());
    if !has("[Content_Types].xml") {
        return Ok(None);
    }
    let is_macro = |name: &[u8]| name.ends_with(b"vbaProject.bin");
    if archive.file_names_raw().any(is_macro) {
        return Err(told(
            "evidence-macro",
            ["文件带有宏".to_owned(), "the file has macros".to_owned()],
            [
                "请另存为不带宏的 xlsx 或 docx，或导出 PDF".to_owned(),
                "save it without macros as xlsx or docx, or as PDF".to_owned(),
            ],
        ));
    }
    Ok(if has("xl/workbook.xml") {
        Some(XLSX)
    } else {
        has("word/document.xml").then_some(DOCX)
    })
}

/// Whether it is text as spreadsheets write it: UTF-8 or GB18030, without characters that no text has.
fn is_text(bytes: &[u8]) -> bool {
    let is_plain = |b: &u8| *b != 0x7F && (*b >= b' ' || matches!(b, b'\t' | b'\r' | b'\n'));
    let is_encoded = || {
        std::str::from_utf8(bytes).is_ok()
            || GB18030
                .decode_without_bom_handling_and_without_replacement(bytes)
                .is_some()
    };
    bytes.iter().all(is_plain) && is_encoded()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use zip::write::{SimpleFileOptions, ZipWriter};

    fn archive(parts: &[&str]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for part in parts {
            writer
                .start_file(*part, SimpleFileOptions::default())
                .unwrap();
            writer.write_all(b"<x/>").unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn said(name: &str, bytes: &[u8]) -> std::result::Result<&'static str, String> {
        kind(name, bytes, 1_000_000).map_err(|told| told.code)
    }

    #[test]
    fn bytes_say_what_proves_a_figure() {
        let types = "[Content_Types].xml";
        let (gb18030, _, _) = GB18030.encode("镇,用户数\r\n岳口镇,12\r\n");
        for (name, bytes, expected) in [
            ("年报.pdf", b"%PDF-1.7 rest".to_vec(), Ok("application/pdf")),
            ("照片", b"\xFF\xD8\xFF\xE0rest".to_vec(), Ok("image/jpeg")),
            // The name does not count.
            ("x.exe", archive(&[types, "xl/workbook.xml"]), Ok(XLSX)),
            ("x.xlsx", archive(&[types, "word/document.xml"]), Ok(DOCX)),
            ("用户.csv", "镇,用户数\r\n".into(), Ok("text/csv")),
            ("用户.CSV", gb18030.into_owned(), Ok("text/csv")),
            // Macros, other archives, one that is cut, sound, programs, text of another kind, old formats, nothing.
            (
                "x.xlsm",
                archive(&[types, "xl/workbook.xml", "xl/vbaProject.bin"]),
                Err("evidence-macro"),
            ),
            ("x.zip", archive(&["a.txt"]), Err("evidence-type")),
            (
                "x.xlsx",
                archive(&["xl/workbook.xml"]),
                Err("evidence-type"),
            ),
            ("x.xlsx", b"PK\x03\x04rest".to_vec(), Err("evidence-type")),
            ("x.csv", b"MZ\x90\0\x03".to_vec(), Err("evidence-type")),
            ("x.csv", b"a,\xFF\xFF".to_vec(), Err("evidence-type")),
            ("x.html", b"<script>".to_vec(), Err("evidence-type")),
            ("csv", b"a,b".to_vec(), Err("evidence-type")),
            ("x.svg", b"<svg/>".to_vec(), Err("evidence-type")),
            (
                "x.xls",
                b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec(),
                Err("evidence-type"),
            ),
            ("x.webm", b"OggS".to_vec(), Err("evidence-type")),
            ("x.pdf", Vec::new(), Err("evidence-size")),
            ("x.csv", vec![b'a'; 1_000_001], Err("evidence-size")),
        ] {
            let expected = expected.map_err(str::to_owned);
            assert_eq!(said(name, &bytes), expected, "{name}");
        }
    }
}
