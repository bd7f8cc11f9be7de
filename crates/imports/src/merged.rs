//! Merged cells: Excel keeps the value of a merged range in its first cell and nothing in the others. What
//! that means (the same for all of them, or only for the first) nobody but the person who merged them knows.

use crate::excel::Cell;
use calamine::Dimensions;
use model::problem::{both, quote};
use model::{Problem, Told};
use std::str::FromStr;

/// Merged ranges that are named one by one.
const SHOWN_MAX: usize = 10;

/// What is done about merged cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Merged {
    /// The file is refused, with the ranges.
    #[default]
    Refuse,
    /// Each cell of a range has the range's value.
    Fill,
    /// Only the first cell of a range has its value; the others are empty.
    First,
}

impl FromStr for Merged {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "fill" => Ok(Self::Fill),
            "first" => Ok(Self::First),
            other => Err(Problem::new(
                "import-merged",
                format!("\"{}\" is nothing to do about merged cells", quote(other)),
                "merged",
                "use refuse, fill or first",
            )),
        }
    }
}

/// Judges the merged ranges of a sheet. Gives what is told of them when they are taken.
///
/// # Errors
/// `import-merged-cells`.
pub(crate) fn judge(ranges: &[Dimensions], how: Merged, place: &str) -> Result<Option<Told>, Told> {
    if ranges.is_empty() {
        return Ok(None);
    }
    let shown: Vec<String> = ranges.iter().take(SHOWN_MAX).map(address).collect();
    let (mut zh, mut en) = (shown.join("、"), shown.join(", "));
    if ranges.len() > SHOWN_MAX {
        let more = ranges.len() - SHOWN_MAX;
        zh += &format!("，另有 {more} 处");
        en += &format!(", and {more} more");
    }
    let told = |what, mend| Told::new("import-merged-cells", what, place, mend);
    match how {
        Merged::Refuse => Err(told(
            both(
                format!("有合并单元格：{zh}"),
                format!("cells are merged: {en}"),
            ),
            both(
                "请取消合并并在每格填上值；或用“每格都填该值”（--merged fill）、“只有第一格有值”（--merged first）导入；\
                 列名上面的标题，用“列名在第几行”（--header-line）略去",
                "part them (unmerge cells) and write the value into each; or import with --merged fill, which gives \
                 each cell the range's value, or --merged first, which gives it to the first alone; a title above \
                 the names of the columns is left out with --header-line",
            ),
        )),
        Merged::Fill => Ok(Some(told(
            both(
                format!("合并的单元格每格都填了该值：{zh}"),
                format!("each cell of a merged range was given the range's value: {en}"),
            ),
            both(
                "请核对每格是否都是这个意思；不是的话，用“只有第一格有值”（--merged first）导入",
                "look whether each of them means that value; otherwise import with --merged first",
            ),
        ))),
        Merged::First => Ok(Some(told(
            both(
                format!("合并的单元格只有第一格有值：{zh}"),
                format!("only the first cell of a merged range has its value: {en}"),
            ),
            both(
                "请核对其余的格是否本来就是空的；不是的话，用“每格都填该值”（--merged fill）导入",
                "look whether the others are meant to be empty; otherwise import with --merged fill",
            ),
        ))),
    }
}

/// `B3:B7`.
fn address(range: &Dimensions) -> String {
    format!("{}:{}", cell(range.start), cell(range.end))
}

/// `B3`, of the second column and third row.
pub(crate) fn cell((row, column): (u32, u32)) -> String {
    format!("{}{}", letters(column), u64::from(row) + 1)
}

/// The letters of a column, counted from 0.
pub(crate) fn letters(column: u32) -> String {
    let mut letters = String::new();
    let mut n = u64::from(column) + 1;
    while n > 0 {
        letters.insert(0, char::from(b'A' + ((n - 1) % 26) as u8));
        n = (n - 1) / 26;
    }
    letters
}

/// Fills the cells of merged ranges, row by row from the top.
pub(crate) struct Filler<'a> {
    /// By their first row.
    ranges: &'a [Dimensions],
    next: usize,
    /// Ranges that the current row may be in, and their values.
    open: Vec<(&'a Dimensions, String)>,
}

impl<'a> Filler<'a> {
    /// The ranges must be in the order of their first rows.
    pub fn new(ranges: &'a [Dimensions]) -> Self {
        Self {
            ranges,
            next: 0,
            open: Vec::new(),
        }
    }

    /// Fills a row, whose cells are counted from the first column; at most `width` of them.
    pub fn fill(&mut self, row: u32, cells: &mut Vec<Cell>, width: usize) {
        while let Some(range) = self.ranges.get(self.next) {
            if range.start.0 > row {
                break;
            }
            self.next += 1;
            if range.start.0 == row
                && let Some(Ok(value)) = cells.get(range.start.1 as usize)
            {
                self.open.push((range, value.clone()));
            }
        }
        self.open.retain(|(range, _)| range.end.0 >= row);
        for (range, value) in &self.open {
            let (first, last) = (range.start.1 as usize, range.end.1 as usize);
            let last = last.min(width.saturating_sub(1));
            if cells.len() <= last {
                cells.resize(last + 1, Ok(String::new()));
            }
            for cell in cells.iter_mut().take(last + 1).skip(first) {
                *cell = Ok(value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_named_as_excel_does() {
        for (column, letters) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")] {
            assert_eq!(super::letters(column), letters);
        }
        assert_eq!(address(&Dimensions::new((1, 0), (3, 1))), "A2:B4");
    }

    #[test]
    fn ranges_are_filled_downwards_and_across() {
        let ranges = [
            Dimensions::new((1, 0), (2, 0)),
            Dimensions::new((2, 1), (2, 5)),
        ];
        let mut filler = Filler::new(&ranges);
        let mut fill = |row, texts: &[&str]| {
            let cells = texts.iter().map(|t| Ok((*t).to_owned()));
            let mut cells: Vec<Cell> = cells.collect();
            filler.fill(row, &mut cells, 3);
            cells.into_iter().flatten().collect::<Vec<_>>()
        };
        assert_eq!(fill(0, &["x", "y"]), ["x", "y"]);
        assert_eq!(fill(1, &["a"]), ["a"]);
        assert_eq!(fill(2, &["", "b"]), ["a", "b", "b"]);
        assert_eq!(fill(3, &["", "c"]), ["", "c"]);
    }
}
