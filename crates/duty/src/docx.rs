//! A document as WordprocessingML (ECMA-376 part 1, ISO/IEC 29500-1; the `.docx` of Word, WPS and `LibreOffice`): the few elements
//! that headings, paragraphs and tables need. Written here, because the crate of the field (docx-rs) brings decoders for
//! every picture format with it and a report has no picture; the packing is `zip`'s.

use crate::document::{Block, Document, Table};
use model::Problem;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The media type of such a file.
pub const MEDIA_TYPE: &str =
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// Width between the margins of A4 with 2 cm at each side, in twentieths of a point.
const WIDTH_TWIPS: f32 = 9_638.0;

const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/><Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>"#;

const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>"#;

const DOCUMENT_RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;

/// Fonts that every Chinese office has, with those of other systems found by the program itself.
const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:eastAsia="SimSun" w:cs="Arial"/><w:sz w:val="21"/><w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:after="80"/></w:pPr></w:pPrDefault></w:docDefaults><w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style><w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:basedOn w:val="Normal"/><w:pPr><w:jc w:val="center"/><w:spacing w:after="160"/></w:pPr><w:rPr><w:rFonts w:eastAsia="SimHei"/><w:b/><w:sz w:val="36"/></w:rPr></w:style><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:basedOn w:val="Normal"/><w:pPr><w:keepNext/><w:spacing w:before="240" w:after="80"/><w:outlineLvl w:val="0"/></w:pPr><w:rPr><w:rFonts w:eastAsia="SimHei"/><w:b/><w:sz w:val="26"/></w:rPr></w:style><w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/></w:style></w:styles>"#;

/// Writes the document.
///
/// # Errors
/// `report-docx`, when it cannot be packed.
pub fn write(document: &Document) -> Result<Vec<u8>, Problem> {
    let mut body = String::new();
    paragraph(&mut body, Some("Title"), &document.title);
    for block in &document.blocks {
        match block {
            Block::Heading(text) => paragraph(&mut body, Some("Heading1"), text),
            Block::Text(text) => paragraph(&mut body, None, text),
            Block::Table(rows) => table(&mut body, rows),
        }
    }
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
         <w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>{body}\
         <w:sectPr><w:pgSz w:w=\"11906\" w:h=\"16838\"/><w:pgMar w:top=\"1134\" w:right=\"1134\" w:bottom=\"1134\" w:left=\"1134\" \
         w:header=\"567\" w:footer=\"567\" w:gutter=\"0\"/></w:sectPr></w:body></w:document>"
    );
    let core = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
         <cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>{}</dc:title><dc:language>{}</dc:language></cp:coreProperties>",
        escaped(&document.title),
        document.language.tag()
    );
    pack(&[
        ("[Content_Types].xml", CONTENT_TYPES),
        ("_rels/.rels", RELATIONS),
        ("word/document.xml", &text),
        ("word/_rels/document.xml.rels", DOCUMENT_RELATIONS),
        ("word/styles.xml", STYLES),
        ("docProps/core.xml", &core),
    ])
    .map_err(|error| {
        Problem::new(
            "report-docx",
            format!("the report could not be packed: {error}"),
            "report",
            "ask for a shorter period, or for the PDF",
        )
    })
}

pub(crate) fn pack(parts: &[(&str, &str)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut packed = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        packed.start_file(*name, SimpleFileOptions::default())?;
        packed.write_all(text.as_bytes())?;
    }
    Ok(packed.finish()?.into_inner())
}

fn paragraph(body: &mut String, style: Option<&str>, text: &str) {
    body.push_str("<w:p>");
    if let Some(style) = style {
        let _ = write!(body, "<w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr>");
    }
    body.push_str("<w:r>");
    for (n, line) in text.split('\n').enumerate() {
        if n > 0 {
            body.push_str("<w:br/>");
        }
        let _ = write!(body, "<w:t xml:space=\"preserve\">{}</w:t>", escaped(line));
    }
    body.push_str("</w:r></w:p>");
}

fn table(body: &mut String, table: &Table) {
    let border = |side: &str| {
        format!("<w:{side} w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"808080\"/>")
    };
    body.push_str("<w:tbl><w:tblPr><w:tblW w:w=\"5000\" w:type=\"pct\"/><w:tblBorders>");
    for side in ["top", "left", "bottom", "right", "insideH", "insideV"] {
        body.push_str(&border(side));
    }
    body.push_str("</w:tblBorders><w:tblLayout w:type=\"fixed\"/></w:tblPr><w:tblGrid>");
    let widths: Vec<f32> = table.shares().iter().map(|s| s * WIDTH_TWIPS).collect();
    for width in &widths {
        let _ = write!(body, "<w:gridCol w:w=\"{width:.0}\"/>");
    }
    body.push_str("</w:tblGrid>");
    row(body, &table.head, &widths, true);
    for cells in &table.rows {
        row(body, cells, &widths, false);
    }
    // Two tables without a paragraph between them would become one.
    body.push_str("</w:tbl><w:p/>");
}

fn row(body: &mut String, cells: &[String], widths: &[f32], is_head: bool) {
    body.push_str("<w:tr>");
    if is_head {
        body.push_str("<w:trPr><w:tblHeader/></w:trPr>");
    }
    for (cell, width) in cells.iter().zip(widths) {
        let shade = if is_head {
            "<w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"E8EEF0\"/>"
        } else {
            ""
        };
        let _ = write!(
            body,
            "<w:tc><w:tcPr><w:tcW w:w=\"{width:.0}\" w:type=\"dxa\"/>{shade}</w:tcPr>"
        );
        paragraph(body, None, cell);
        body.push_str("</w:tc>");
    }
    body.push_str("</w:tr>");
}

/// Text as XML takes it; control characters, which XML cannot hold, are left out.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Language;
    use std::io::Read as _;

    fn part(bytes: Vec<u8>, name: &str) -> String {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut text = String::new();
        archive
            .by_name(name)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn a_document_holds_its_words_and_what_xml_cannot_hold_is_left_out() {
        let mut document = Document::new(Language::Zh, "值班报告 <甲> & \"乙\"");
        document.heading("一、告警");
        document.text("第一行\n第二行\u{1}");
        document.table(
            &[("时间", 2), ("内容", 5)],
            vec![vec!["08:00".to_owned(), "a < b".to_owned()]],
            "无",
        );
        document.table(&[("时间", 1)], Vec::new(), "无");
        let bytes = write(&document).unwrap();
        let text = part(bytes.clone(), "word/document.xml");
        for held in [
            "值班报告 &lt;甲&gt; &amp; &quot;乙&quot;",
            "第二行</w:t>",
            "<w:br/>",
            "a &lt; b",
            "<w:tblHeader/>",
            "<w:gridCol w:w=\"2754\"/><w:gridCol w:w=\"6884\"/>",
        ] {
            assert!(text.contains(held), "{held} in {text}");
        }
        assert_eq!(text.matches("<w:tbl>").count(), 1);
        assert_eq!(write(&document).unwrap(), bytes, "the same each time");
        let core = part(bytes, "docProps/core.xml");
        assert!(core.contains("值班报告") && core.contains("<dc:language>zh-CN<"));
        let english = write(&Document::new(Language::En, "Shift report")).unwrap();
        assert!(part(english, "docProps/core.xml").contains("<dc:language>en<"));
    }
}
