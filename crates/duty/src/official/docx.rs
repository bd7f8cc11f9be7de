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
            "<w:keepNext/><w:spacing w:before=\"120\" w:after=\"60\"/><w:jc w:val=\"center\"/>",
            &table.title.as_str().into(),
            title,
        );
        self.text
            .push_str("<w:tbl><w:tblPr><w:tblW w:w=\"5000\" w:type=\"pct\"/><w:tblBorders>");
        for side in ["top", "left", "bottom", "right", "insideH", "insideV"] {
            let _ = write!(
                self.text,
                "<w:{side} w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"595959\"/>"
            );
        }
        self.text
            .push_str("</w:tblBorders><w:tblLayout w:type=\"fixed\"/></w:tblPr><w:tblGrid>");
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
            let properties =
                format!("<w:spacing w:before=\"30\" w:after=\"30\"/><w:jc w:val=\"{side}\"/>");
            self.paragraph(&properties, cell, run);
            self.text.push_str("</w:tc>");
        }
        self.text.push_str("</w:tr>");
    }

    fn head(&mut self, of: &Official) {
        let letters = of
            .sign
            .chars()
            .map(|c| if c.is_ascii() { 0.55 } else { 1.0 });
        let size = (TYPE_AREA[0] / letters.sum::<f32>().max(1.0)).min(SIGN_MAX);
        let sign = Run {
            font: TITLE_FONT,
            size: size.floor(),
            colour: "D6000D",
        };
        let down = twips(SIGN_DOWN);
        self.paragraph(
            &format!("<w:spacing w:before=\"{down}\" w:after=\"0\"/><w:jc w:val=\"center\"/>"),
            &of.sign.as_str().into(),
            sign,
        );
        self.empty(LINE);
        self.empty(LINE);
        let text = Run {
            font: TEXT_FONT,
            size: TEXT.round(),
            colour: "",
        };
        // The red line is the paragraph's lower border: 4 mm below the number, in points.
        let border = format!(
            "<w:pBdr><w:bottom w:val=\"single\" w:sz=\"12\" w:space=\"{RED_LINE_DOWN:.0}\" w:color=\"D6000D\"/></w:pBdr>\
             <w:spacing w:before=\"0\" w:after=\"0\"/><w:jc w:val=\"center\"/>"
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
            "<w:pStyle w:val=\"Title\"/>",
            &of.title.as_str().into(),
            title,
        );
        self.empty(LINE);
        if let Some(to) = of.to_line() {
            self.paragraph(&line("0", "left"), &to.into(), text);
        }
    }

    fn tail(&mut self, of: &Official) {
        let text = Run {
            font: TEXT_FONT,
            size: TEXT.round(),
            colour: "",
        };
        let attachments = of.attachment_lines();
        if !attachments.is_empty() {
            self.empty(LINE);
        }
        for attachment in attachments {
            self.paragraph(&line(&twips(2.0 * TEXT), "left"), &attachment.into(), text);
        }
        self.empty(LINE);
        for (words, characters) in [(of.signed.clone(), 2.0_f32), (of.day_line(), 4.0)] {
            let properties = format!(
                "<w:keepLines/>{}<w:ind w:right=\"{}\"/><w:jc w:val=\"right\"/>",
                exact(),
                twips(characters * TEXT)
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
                "<w:{side} w:val=\"single\" w:sz=\"{}\" w:space=\"1\" w:color=\"000000\"/>",
                eighths(thick)
            )
        };
        let inset = twips(SMALL);
        let between = if copies.is_some() {
            LINE_THIN
        } else {
            LINE_THICK
        };
        if let Some(copies) = copies {
            let top = rule("top", LINE_THICK);
            let properties = format!(
                "<w:keepNext/><w:pBdr>{top}</w:pBdr>{}<w:ind w:left=\"{inset}\" w:right=\"{inset}\"/>",
                exact()
            );
            self.paragraph(&properties, &copies.into(), small);
        }
        let (top, bottom) = (rule("top", between), rule("bottom", LINE_THICK));
        let at = twips(TYPE_AREA[0] - SMALL);
        let properties = format!(
            "<w:keepLines/><w:pBdr>{top}{bottom}</w:pBdr><w:tabs><w:tab w:val=\"right\" w:pos=\"{at}\"/></w:tabs>{}\
             <w:ind w:left=\"{inset}\"/>",
            exact()
        );
        let _ = write!(
            self.text,
            "<w:p><w:pPr>{properties}</w:pPr><w:r>{run}<w:t>{}</w:t></w:r><w:r>{run}<w:tab/><w:t>{}</w:t></w:r></w:p>",
            escaped(&printer),
            escaped(&printed),
            run = small.properties("")
        );
    }
}

/// Lines of the type area (5.2.3).
fn exact() -> String {
    format!(
        "<w:spacing w:before=\"0\" w:after=\"0\" w:line=\"{}\" w:lineRule=\"exact\"/>",
        twips(LINE)
    )
}

/// A line of the body, with how far its first one is moved in.
fn line(indent: &str, side: &str) -> String {
    format!(
        "{}<w:ind w:firstLine=\"{indent}\"/><w:jc w:val=\"{side}\"/>",
        exact()
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
    let run = |font| Run {
        font,
        size: TEXT.round(),
        colour: "",
    };
    let indent = twips(2.0 * TEXT);
    for block in &document.blocks {
        match block {
            Block::Heading(level, text) => {
                let (style, font) = match level {
                    Level::First => ("Heading1", FIRST_FONT),
                    Level::Second => ("Heading2", SECOND_FONT),
                };
                let properties = format!("<w:pStyle w:val=\"{style}\"/>{}", line(&indent, "left"));
                body.paragraph(&properties, &text.as_str().into(), run(font));
            }
            Block::Text(words) => body.paragraph(&line(&indent, "both"), words, run(TEXT_FONT)),
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
        twips(LINE)
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
            "w:linePitch=\"580\"",
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
