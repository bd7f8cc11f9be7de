//! An official document as WordprocessingML (ECMA-376 part 1), by the measures of GB/T 9704-2012, with a hyperlink at every figure. The
//! fonts are those that the standard names, which offices have; where one is missing the program of the reader takes another.

use super::layout::{
    CELL, HEAD, LEFT, LINE, LINE_THICK, LINE_THIN, PAGE, PAGE_NUMBER_DOWN, RED_LINE_DOWN,
    SIGN_DOWN, SIGN_MAX, SMALL, TEXT, TITLE, TYPE_AREA,
};
use super::{Block, Level, Official, Span, Table, Words};
use crate::docx::{escaped, pack};
use model::Problem;
use std::fmt::Write as _;

const NAMESPACES: &str = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" \
     xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/><Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/><Override PartName="/word/settings.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml"/><Override PartName="/word/footer1.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"/><Override PartName="/word/footer2.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"/><Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>"#;

const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>"#;

/// Odd and even pages have their numbers at different sides (7.5).
const SETTINGS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:settings xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:evenAndOddHeaders/></w:settings>"#;

/// Fonts of the standard: 仿宋 for text, 小标宋 for sign and title, 黑体 and 楷体 for headings (5.2.2, 7.3.1, 7.3.3).
const TEXT_FONT: &str = "仿宋_GB2312";
const TITLE_FONT: &str = "方正小标宋简体";
const FIRST_FONT: &str = "黑体";
const SECOND_FONT: &str = "楷体_GB2312";
/// 五号 to 四号 text of the page's number is 宋体 (7.5).
const NUMBER_FONT: &str = "宋体";

const RELATION: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
/// Relations of the document that are no links.
const OWN_RELATIONS: usize = 4;

fn twips(points: f32) -> String {
    format!("{:.0}", points * 20.0)
}

/// Half points, as letters are measured.
fn halves(points: f32) -> String {
    format!("{:.0}", points * 2.0)
}

/// Eighths of a point, as lines are measured.
fn eighths(points: f32) -> String {
    format!("{:.0}", points * 8.0)
}

/// How a run is written.
#[derive(Clone, Copy)]
struct Run<'a> {
    font: &'a str,
    size: f32,
    colour: &'a str,
}

impl Run<'_> {
    fn properties(self, colour: &str) -> String {
        let Self { font, size, .. } = self;
        let size = halves(size);
        let colour = match colour {
            "" => String::new(),
            colour => format!("<w:color w:val=\"{colour}\"/>"),
        };
        format!(
            "<w:rPr><w:rFonts w:ascii=\"Times New Roman\" w:hAnsi=\"Times New Roman\" w:eastAsia=\"{font}\"/>{colour}\
             <w:sz w:val=\"{size}\"/><w:szCs w:val=\"{size}\"/></w:rPr>"
        )
    }
}

/// The document's body while it is written, and the addresses that it leads to.
#[derive(Default)]
struct Body {
    text: String,
    links: Vec<String>,
}

impl Body {
    /// A paragraph with its properties.
    fn paragraph(&mut self, properties: &str, words: &Words, run: Run<'_>) {
        let _ = write!(self.text, "<w:p><w:pPr>{properties}</w:pPr>");
        for span in &words.0 {
            self.span(span, run);
        }
        self.text.push_str("</w:p>");
    }

    fn span(&mut self, span: &Span, run: Run<'_>) {
        if let Some(link) = &span.link {
            self.links.push(link.clone());
            let id = OWN_RELATIONS + self.links.len();
            let _ = write!(self.text, "<w:hyperlink r:id=\"rId{id}\" w:history=\"1\">");
        }
        let colour = if span.link.is_some() {
            "05297A"
        } else {
            run.colour
        };
        let _ = write!(self.text, "<w:r>{}", run.properties(colour));
        for (n, line) in span.text.split('\n').enumerate() {
            if n > 0 {
                self.text.push_str("<w:br/>");
            }
            let _ = write!(
                self.text,
                "<w:t xml:space=\"preserve\">{}</w:t>",
                escaped(line)
            );
        }
        self.text.push_str("</w:r>");
        if span.link.is_some() {
            self.text.push_str("</w:hyperlink>");
        }
    }

    fn empty(&mut self, high: f32) {
        let _ = write!(
            self.text,
            "<w:p><w:pPr><w:spacing w:before=\"0\" w:after=\"0\" w:line=\"{}\" w:lineRule=\"exact\"/></w:pPr></w:p>",
            twips(high)
        );
    }

    fn table(&mut self, table: &Table) {
        let title = Run {
            font: FIRST_FONT,
            size: CELL + 1.0,
            colour: "",
        };
        self.paragraph(
            &format!(
                "<w:keepNext/>{}<w:jc w:val=\"center\"/>",
                tight(6.0, LINED * title.size, 3.0)
            ),
            &table.title.as_str().into(),
            title,
        );
        let _ = write!(
            self.text,
            "<w:tbl><w:tblPr>{}<w:tblBorders>",
            as_wide_as_the_text(CELL_INSET)
        );
        for side in ["top", "left", "bottom", "right", "insideH", "insideV"] {
            let _ = write!(
                self.text,
                "<w:{side} w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"595959\"/>"
            );
        }
        let _ = write!(
            self.text,
            "</w:tblBorders>{}</w:tblPr><w:tblGrid>",
            fixed(CELL_INSET)
        );
        let shares = table.shares();
        let widths: Vec<f32> = shares.iter().map(|share| share * TYPE_AREA[0]).collect();
        for width in &widths {
            let _ = write!(self.text, "<w:gridCol w:w=\"{}\"/>", twips(*width));
        }
        self.text.push_str("</w:tblGrid>");
        let head: Vec<Words> = table.head.iter().map(|name| name.as_str().into()).collect();
        self.row(&head, &widths, true);
        for cells in &table.rows {
            self.row(cells, &widths, false);
        }
        // Two tables without a paragraph between them would become one.
        self.text.push_str("</w:tbl>");
        self.empty(LINE / 2.0);
    }

    fn row(&mut self, cells: &[Words], widths: &[f32], is_head: bool) {
        self.text.push_str("<w:tr><w:trPr><w:cantSplit/>");
        if is_head {
            self.text.push_str("<w:tblHeader/>");
        }
        self.text.push_str("</w:trPr>");
        let shade = match is_head {
            true => "<w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"EDEDED\"/>",
            false => "",
        };
        let run = Run {
            font: if is_head { FIRST_FONT } else { TEXT_FONT },
            size: CELL,
            colour: "",
        };
        for (cell, width) in cells.iter().zip(widths) {
            let _ = write!(
                self.text,
                "<w:tc><w:tcPr><w:tcW w:w=\"{}\" w:type=\"dxa\"/>{shade}<w:vAlign w:val=\"center\"/></w:tcPr>",
                twips(*width)
            );
            let side = match (is_head, cell.lone_figure().is_some()) {
                (true, _) => "center",
                (false, true) => "right",
                (false, false) => "left",
            };
            let spacing = tight(1.5, LINED * CELL, 1.5);
            let properties = format!("{spacing}<w:jc w:val=\"{side}\"/>");
            self.paragraph(&properties, cell, run);
            self.text.push_str("</w:tc>");
        }
        self.text.push_str("</w:tr>");
    }

    fn head(&mut self, of: &Official) {
        let [size, pitch] = letters(of);
        let letters = of
            .sign
            .chars()
            .map(|c| if c.is_ascii() { 0.55 } else { 1.0 });
        let large = (TYPE_AREA[0] / letters.sum::<f32>().max(1.0)).min(SIGN_MAX);
        let sign = Run {
            font: TITLE_FONT,
            size: large.floor(),
            colour: "D6000D",
        };
        self.paragraph(
            &format!(
                "{}<w:jc w:val=\"center\"/>",
                tight(SIGN_DOWN, sign.size, 0.0)
            ),
            &of.sign.as_str().into(),
            sign,
        );
        self.empty(LINE);
        self.empty(LINE);
        let text = Run {
            font: TEXT_FONT,
            size,
            colour: "",
        };
        // The red line is the paragraph's lower border: 4 mm below the number, in points.
        let border = format!(
            "<w:pBdr><w:bottom w:val=\"single\" w:sz=\"12\" w:space=\"{RED_LINE_DOWN:.0}\" w:color=\"D6000D\"/></w:pBdr>\
             {}<w:jc w:val=\"center\"/>",
            tight(LINE - LINED * text.size, LINED * text.size, 0.0)
        );
        self.paragraph(&border, &of.number_line().into(), text);
        self.empty(LINE);
        self.empty(LINE);
        let title = Run {
            font: TITLE_FONT,
            size: TITLE,
            colour: "",
        };
        self.paragraph(
            &format!(
                "<w:pStyle w:val=\"Title\"/>{}",
                tight(0.0, 1.5 * TITLE, 0.0)
            ),
            &of.title.as_str().into(),
            title,
        );
        self.empty(LINE);
        if let Some(to) = of.to_line() {
            self.paragraph(&line(pitch, "0", "left"), &to.into(), text);
        }
    }

    fn tail(&mut self, of: &Official) {
        let [size, pitch] = letters(of);
        let text = Run {
            font: TEXT_FONT,
            size,
            colour: "",
        };
        let attachments = of.attachment_lines();
        if !attachments.is_empty() {
            self.empty(LINE);
        }
        for attachment in attachments {
            self.paragraph(
                &line(pitch, &twips(2.0 * size), "left"),
                &attachment.into(),
                text,
            );
        }
        self.empty(LINE);
        for (words, characters) in [(of.signed.clone(), 2.0_f32), (of.day_line(), 4.0)] {
            let properties = format!(
                "<w:keepLines/>{}<w:ind w:right=\"{}\"/><w:jc w:val=\"right\"/>",
                exact(pitch),
                twips(characters * size)
            );
            self.paragraph(&properties, &words.into(), text);
        }
        self.empty(LINE);
        let (copies, printer, printed) = of.end_lines();
        let small = Run {
            font: TEXT_FONT,
            size: SMALL,
            colour: "",
        };
        let rule = |side: &str, thick: f32| {
            format!(
                "<w:{side} w:val=\"single\" w:sz=\"{}\" w:space=\"0\" w:color=\"000000\"/>",
                eighths(thick)
            )
        };
        // The lines are as wide as the type area, the words moved in by a character at each side: a table.
        let half = twips(TYPE_AREA[0] / 2.0);
        let _ = write!(
            self.text,
            "<w:tbl><w:tblPr>{}\
             <w:tblBorders>{}{}{}</w:tblBorders>{}</w:tblPr><w:tblGrid><w:gridCol w:w=\"{half}\"/><w:gridCol w:w=\"{half}\"/></w:tblGrid>",
            as_wide_as_the_text(SMALL),
            rule("top", LINE_THICK),
            rule("bottom", LINE_THICK),
            rule("insideH", LINE_THIN),
            fixed(SMALL)
        );
        if let Some(copies) = copies {
            let all = twips(TYPE_AREA[0]);
            let _ = write!(
                self.text,
                "<w:tr><w:trPr><w:cantSplit/></w:trPr><w:tc><w:tcPr><w:tcW w:w=\"{all}\" w:type=\"dxa\"/><w:gridSpan w:val=\"2\"/></w:tcPr>"
            );
            let properties = format!("<w:keepNext/>{}", exact(pitch));
            self.paragraph(&properties, &copies.into(), small);
            self.text.push_str("</w:tc></w:tr>");
        }
        self.text.push_str("<w:tr><w:trPr><w:cantSplit/></w:trPr>");
        for (words, side) in [(printer, "left"), (printed, "right")] {
            let _ = write!(
                self.text,
                "<w:tc><w:tcPr><w:tcW w:w=\"{half}\" w:type=\"dxa\"/></w:tcPr>"
            );
            let properties = format!("{}<w:jc w:val=\"{side}\"/>", exact(pitch));
            self.paragraph(&properties, &words.into(), small);
            self.text.push_str("</w:tc>");
        }
        // Behind a table stands a paragraph, always; this one takes no room.
        self.text.push_str("</w:tr></w:tbl>");
        self.empty(1.0);
    }
}

/// Letters and lines of English text, which the standard does not know, points.
const ENGLISH: [f32; 2] = [12.0, 20.0];
/// How high a line is beside its letters, where the lines of the type area do not hold.
const LINED: f32 = 1.3;
/// How far words stand from the lines of a table, points.
const CELL_INSET: f32 = 4.0;

/// A table as wide as the type area: what stands left of its first words is taken into it.
fn as_wide_as_the_text(inset: f32) -> String {
    format!(
        "<w:tblW w:w=\"{}\" w:type=\"dxa\"/><w:tblInd w:w=\"{}\" w:type=\"dxa\"/>",
        twips(TYPE_AREA[0]),
        twips(inset)
    )
}

/// Columns that keep their widths, with how far words stand from their sides.
fn fixed(inset: f32) -> String {
    let inset = twips(inset);
    format!(
        "<w:tblLayout w:type=\"fixed\"/><w:tblCellMar><w:left w:w=\"{inset}\" w:type=\"dxa\"/><w:right w:w=\"{inset}\" w:type=\"dxa\"/></w:tblCellMar>"
    )
}

/// A line of its own height, off the lines of the type area.
fn tight(before: f32, high: f32, after: f32) -> String {
    format!(
        "<w:snapToGrid w:val=\"0\"/><w:spacing w:before=\"{}\" w:after=\"{}\" w:line=\"{}\" w:lineRule=\"exact\"/>",
        twips(before),
        twips(after),
        twips(high)
    )
}

/// Lines of the type area (5.2.3).
fn exact(pitch: f32) -> String {
    format!(
        "<w:spacing w:before=\"0\" w:after=\"0\" w:line=\"{}\" w:lineRule=\"exact\"/>",
        lines(pitch)
    )
}

/// A height of lines, rounded down: 22 of them must not be higher than the type area, or a page takes 21.
fn lines(pitch: f32) -> String {
    format!("{:.0}", (pitch * 20.0).floor())
}

/// How large the letters of the text are and how high its lines.
fn letters(of: &Official) -> [f32; 2] {
    of.language.pick([TEXT.round(), LINE], ENGLISH)
}

/// A line of the body, with how far its first one is moved in.
fn line(pitch: f32, indent: &str, side: &str) -> String {
    format!(
        "{}<w:ind w:firstLine=\"{indent}\"/><w:jc w:val=\"{side}\"/>",
        exact(pitch)
    )
}

fn styles() -> String {
    let size = halves(TEXT);
    format!(
        "{DECLARATION}<w:styles xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:docDefaults><w:rPrDefault><w:rPr>\
         <w:rFonts w:ascii=\"Times New Roman\" w:hAnsi=\"Times New Roman\" w:eastAsia=\"{TEXT_FONT}\" w:cs=\"Times New Roman\"/>\
         <w:sz w:val=\"{size}\"/><w:lang w:val=\"en-US\" w:eastAsia=\"zh-CN\"/></w:rPr></w:rPrDefault></w:docDefaults>\
         <w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"Normal\"><w:name w:val=\"Normal\"/></w:style>\
         <w:style w:type=\"paragraph\" w:styleId=\"Title\"><w:name w:val=\"Title\"/><w:basedOn w:val=\"Normal\"/><w:pPr><w:jc w:val=\"center\"/></w:pPr></w:style>\
         <w:style w:type=\"paragraph\" w:styleId=\"Heading1\"><w:name w:val=\"heading 1\"/><w:basedOn w:val=\"Normal\"/><w:pPr><w:keepNext/><w:outlineLvl w:val=\"0\"/></w:pPr></w:style>\
         <w:style w:type=\"paragraph\" w:styleId=\"Heading2\"><w:name w:val=\"heading 2\"/><w:basedOn w:val=\"Normal\"/><w:pPr><w:keepNext/><w:outlineLvl w:val=\"1\"/></w:pPr></w:style>\
         <w:style w:type=\"table\" w:default=\"1\" w:styleId=\"TableNormal\"><w:name w:val=\"Normal Table\"/></w:style></w:styles>"
    )
}

/// The foot of odd pages (at the right) or of even ones (at the left), with the page's number.
fn footer(side: &str) -> String {
    let run = Run {
        font: NUMBER_FONT,
        size: SMALL,
        colour: "",
    };
    let run = run.properties("");
    let inset = twips(SMALL);
    format!(
        "{DECLARATION}<w:ftr {NAMESPACES}><w:p><w:pPr><w:ind w:left=\"{inset}\" w:right=\"{inset}\"/><w:jc w:val=\"{side}\"/></w:pPr>\
         <w:r>{run}<w:t xml:space=\"preserve\">— </w:t></w:r><w:r>{run}<w:fldChar w:fldCharType=\"begin\"/></w:r>\
         <w:r>{run}<w:instrText xml:space=\"preserve\"> PAGE </w:instrText></w:r><w:r>{run}<w:fldChar w:fldCharType=\"separate\"/></w:r>\
         <w:r>{run}<w:t>1</w:t></w:r><w:r>{run}<w:fldChar w:fldCharType=\"end\"/></w:r>\
         <w:r>{run}<w:t xml:space=\"preserve\"> —</w:t></w:r></w:p></w:ftr>"
    )
}

fn relations(links: &[String]) -> String {
    let mut text = format!(
        "{DECLARATION}<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
    );
    let own = [
        ("styles", "styles.xml"),
        ("settings", "settings.xml"),
        ("footer", "footer1.xml"),
        ("footer", "footer2.xml"),
    ];
    for (n, (kind, target)) in own.iter().enumerate() {
        let id = n + 1;
        let _ = write!(
            text,
            "<Relationship Id=\"rId{id}\" Type=\"{RELATION}/{kind}\" Target=\"{target}\"/>"
        );
    }
    for (n, link) in links.iter().enumerate() {
        let id = OWN_RELATIONS + n + 1;
        let _ = write!(
            text,
            "<Relationship Id=\"rId{id}\" Type=\"{RELATION}/hyperlink\" Target=\"{}\" TargetMode=\"External\"/>",
            escaped(link)
        );
    }
    text.push_str("</Relationships>");
    text
}

/// Writes the document.
///
/// # Errors
/// `report-docx`, when it cannot be packed.
pub fn write(document: &Official) -> Result<Vec<u8>, Problem> {
    let mut body = Body::default();
    body.head(document);
    let [size, pitch] = letters(document);
    let run = |font| Run {
        font,
        size,
        colour: "",
    };
    let indent = twips(2.0 * size);
    for block in &document.blocks {
        match block {
            Block::Heading(level, text) => {
                let (style, font) = match level {
                    Level::First => ("Heading1", FIRST_FONT),
                    Level::Second => ("Heading2", SECOND_FONT),
                };
                let properties = format!(
                    "<w:pStyle w:val=\"{style}\"/>{}",
                    line(pitch, &indent, "left")
                );
                body.paragraph(&properties, &text.as_str().into(), run(font));
            }
            Block::Text(words) => {
                body.paragraph(&line(pitch, &indent, "both"), words, run(TEXT_FONT));
            }
            Block::Table(table) => body.table(table),
        }
    }
    body.tail(document);
    let right = PAGE[0] - LEFT - TYPE_AREA[0];
    let bottom = PAGE[1] - HEAD - TYPE_AREA[1];
    let text = format!(
        "{DECLARATION}<w:document {NAMESPACES}><w:body>{}<w:sectPr><w:footerReference w:type=\"default\" r:id=\"rId3\"/>\
         <w:footerReference w:type=\"even\" r:id=\"rId4\"/><w:pgSz w:w=\"{}\" w:h=\"{}\"/>\
         <w:pgMar w:top=\"{}\" w:right=\"{}\" w:bottom=\"{}\" w:left=\"{}\" w:header=\"567\" w:footer=\"{}\" w:gutter=\"0\"/>\
         <w:docGrid w:type=\"lines\" w:linePitch=\"{}\"/></w:sectPr></w:body></w:document>",
        body.text,
        twips(PAGE[0]),
        twips(PAGE[1]),
        twips(HEAD),
        twips(right),
        twips(bottom),
        twips(LEFT),
        twips(bottom - PAGE_NUMBER_DOWN - SMALL / 2.0),
        lines(pitch)
    );
    let core = format!(
        "{DECLARATION}<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>{}</dc:title><dc:creator>{}</dc:creator><dc:language>{}</dc:language></cp:coreProperties>",
        escaped(&document.title),
        escaped(&document.signed),
        document.language.tag()
    );
    pack(&[
        ("[Content_Types].xml", CONTENT_TYPES),
        ("_rels/.rels", RELATIONS),
        ("word/document.xml", &text),
        ("word/_rels/document.xml.rels", &relations(&body.links)),
        ("word/styles.xml", &styles()),
        ("word/settings.xml", SETTINGS),
        ("word/footer1.xml", &footer("right")),
        ("word/footer2.xml", &footer("left")),
        ("docProps/core.xml", &core),
    ])
    .map_err(|error| {
        Problem::new(
            "report-docx",
            format!("the document could not be packed: {error}"),
            "format",
            "ask for the PDF",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Language;
    use crate::official::tests::sample;
    use std::io::{Cursor, Read as _};

    fn part(bytes: &[u8], name: &str) -> String {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut text = String::new();
        let mut part = archive.by_name(name).unwrap();
        part.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn it_has_the_measures_of_the_standard_and_a_hyperlink_at_every_figure() {
        let document = sample(Language::Zh);
        let bytes = write(&document).unwrap();
        assert_eq!(write(&document).unwrap(), bytes, "the same each time");
        let text = part(&bytes, "word/document.xml");
        for held in [
            "<w:pgSz w:w=\"11906\" w:h=\"16838\"/>",
            "w:top=\"2098\" w:right=\"1474\" w:bottom=\"1984\" w:left=\"1587\"",
            "w:linePitch=\"579\"",
            // 22 lines are not higher than the type area.
            "w:line=\"579\" w:lineRule=\"exact\"",
            "<w:tblW w:w=\"8844\" w:type=\"dxa\"/>",
            "w:space=\"11\" w:color=\"D6000D\"",
            "天门新基建办〔2026〕12号",
            "各成员单位：",
            "一、总体情况",
            "（一）滞后指标",
            "<w:tblHeader/>",
            "附件：1. 甲",
            "2026年11月5日印发",
        ] {
            assert!(text.contains(held), "{held} in {text}");
        }
        assert_eq!(text.matches("<w:hyperlink ").count(), document.links());
        let relations = part(&bytes, "word/_rels/document.xml.rels");
        assert_eq!(
            relations.matches("TargetMode=\"External\"").count(),
            document.links()
        );
        assert!(relations.contains("Target=\"http://city/plan/i89?a=1&amp;b=2\""));
        assert!(part(&bytes, "word/footer1.xml").contains("<w:jc w:val=\"right\"/>"));
        assert!(part(&bytes, "word/settings.xml").contains("evenAndOddHeaders"));
        assert!(part(&bytes, "docProps/core.xml").contains("<dc:language>zh-CN<"));
    }
}
