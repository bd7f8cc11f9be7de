//! Literate vectors: Markdown files in a room's `vectors/` folder. Each `## ` section is one vector: a
//! sentence that says what it shows, then fenced blocks. Blocks named in [`check`]'s answer are
//! expectations; the others are input. A test run with `BLESS=1` writes the answers into the files;
//! read the difference before you keep it.

use std::path::{Path, PathBuf};

/// One vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    /// The file it stands in.
    pub file: PathBuf,
    /// Line of its heading, from 1.
    pub line: usize,
    /// The heading.
    pub title: String,
    /// The fenced blocks, in order.
    pub blocks: Vec<Block>,
}

/// One fenced block.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The word after the fence, e.g. `json`, `hex`, `updates`.
    pub name: String,
    /// The text between the fences, without the last line end.
    pub text: String,
    /// Line of the text's first line, from 1.
    pub line: usize,
}

impl Vector {
    /// The text of the block called `name`.
    pub fn block(&self, name: &str) -> Option<&str> {
        let block = self.blocks.iter().find(|b| b.name == name)?;
        Some(&block.text)
    }

    /// The bytes of the block called `hex`: pairs of digits, white space ignored, `#` starts a comment.
    ///
    /// # Panics
    /// When there is no such block or it is not hexadecimal.
    pub fn hex(&self) -> Vec<u8> {
        let text = self
            .block("hex")
            .unwrap_or_else(|| self.fail("no `hex` block"));
        let digits: String = text
            .lines()
            .flat_map(|line| {
                line.split('#')
                    .next()
                    .unwrap_or_default()
                    .split_whitespace()
            })
            .collect();
        hex::decode(digits).unwrap_or_else(|e| self.fail(&e.to_string()))
    }

    /// Ends the test, naming this vector's file and line.
    ///
    /// # Panics
    /// Always.
    pub fn fail(&self, why: &str) -> ! {
        panic!(
            "{}:{} \"{}\": {why}",
            self.file.display(),
            self.line,
            self.title
        )
    }
}

/// Reads the vectors of one file's text.
///
/// # Panics
/// When a section has no sentence or no block, or a fence is left open: a vector nobody can read.
pub fn read(file: &Path, text: &str) -> Vec<Vector> {
    let mut vectors: Vec<Vector> = Vec::new();
    let mut has_sentence = true;
    let mut lines = text.lines().enumerate();
    while let Some((n, line)) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            vectors.push(Vector {
                file: file.to_owned(),
                line: n + 1,
                title: title.trim().to_owned(),
                blocks: Vec::new(),
            });
            has_sentence = false;
        } else if let Some(name) = line.strip_prefix("```") {
            let (mut body, mut closed) = (Vec::new(), false);
            for (_, line) in lines.by_ref() {
                if line == "```" {
                    closed = true;
                    break;
                }
                body.push(line);
            }
            assert!(closed, "{}:{}: fence is not closed", file.display(), n + 1);
            if let Some(vector) = vectors.last_mut() {
                if !has_sentence {
                    vector.fail("a sentence that says what it shows must come first");
                }
                vector.blocks.push(Block {
                    name: name.trim().to_owned(),
                    text: body.join("\n"),
                    line: n + 2,
                });
            }
        } else if !line.trim().is_empty() {
            has_sentence = true;
        }
    }
    if let Some(empty) = vectors.iter().find(|v| v.blocks.is_empty()) {
        empty.fail("no fenced block");
    }
    vectors
}

/// Reads every `*.md` file of a folder, in name order.
///
/// # Panics
/// When the folder or a file cannot be read, or holds no vector.
pub fn load(dir: &Path) -> Vec<Vector> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    files.sort();
    let vectors: Vec<Vector> = files
        .iter()
        .flat_map(|file| {
            let text =
                std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            read(file, &text)
        })
        .collect();
    assert!(!vectors.is_empty(), "no vector in {}", dir.display());
    vectors
}

/// Runs `actual` on every vector of the folder and compares: `actual` answers the text of each
/// expectation block by name. With `BLESS=1` in the environment, writes the answers instead.
///
/// # Panics
/// When an answer differs from its block, or has no block.
pub fn check(dir: &Path, actual: impl Fn(&Vector) -> Vec<(&'static str, String)>) {
    let bless = std::env::var_os("BLESS").is_some();
    let mut faults = Vec::new();
    // Backwards, so that blessing one vector does not move the lines of those still to come.
    for vector in load(dir).iter().rev() {
        for (name, answer) in actual(vector).into_iter().rev() {
            let answer = answer.trim_end();
            let Some(block) = vector.blocks.iter().find(|b| b.name == name) else {
                vector.fail(&format!("no `{name}` block to compare with"));
            };
            if block.text.trim_end() == answer {
                continue;
            }
            if bless {
                rewrite(&vector.file, block, answer);
            } else {
                faults.push(format!(
                    "{}:{} \"{}\"\n--- expected\n{}\n--- found\n{answer}\n",
                    vector.file.display(),
                    block.line,
                    vector.title,
                    block.text
                ));
            }
        }
    }
    faults.reverse();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn rewrite(file: &Path, block: &Block, answer: &str) {
    let text = std::fs::read_to_string(file).expect("the file was just read");
    let old_lines = block.text.lines().count();
    let mut lines: Vec<&str> = text.lines().collect();
    let start = block.line - 1;
    lines.splice(start..start + old_lines, answer.lines());
    std::fs::write(file, lines.join("\n") + "\n")
        .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# File\nProse.\n\n## One\nA reading.\n```json\n{}\n```\n```hex\n01 02 # two\nff\n```\n";

    #[test]
    fn sections_become_vectors() {
        let vectors = read(Path::new("x.md"), TEXT);
        assert_eq!(vectors.len(), 1);
        assert_eq!((vectors[0].line, vectors[0].title.as_str()), (4, "One"));
        assert_eq!(vectors[0].block("json"), Some("{}"));
        assert_eq!(vectors[0].blocks[1].line, 10);
        assert_eq!(vectors[0].hex(), [1, 2, 255]);
    }

    #[test]
    #[should_panic(expected = "a sentence")]
    fn a_vector_without_a_sentence_is_refused() {
        read(Path::new("x.md"), "## One\n```json\n{}\n```\n");
    }

    #[test]
    #[should_panic(expected = "fence is not closed")]
    fn an_open_fence_is_refused() {
        read(Path::new("x.md"), "## One\nA.\n```json\n{}\n");
    }
}
