//! `jingling decode`: what frames say, without a city. Each protocol is one row of [`PROTOCOLS`].

use crate::output::print_json_line;
use anyhow::{Context, Result, bail};
use clap::Args;
use model::{Problem, Timestamp, problem::quote};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

/// Longest line, in bytes: a frame as hexadecimal digits, with room to spare.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// `jingling decode`.
#[derive(Debug, Args)]
pub struct Decode {
    /// The protocol: sl651.
    pub protocol: String,
    /// File with one frame a line, in hexadecimal digits; empty lines and those that begin with # are passed over. Without
    /// it, standard input.
    pub file: Option<PathBuf>,
    /// When the frames were received (RFC 3339): the sender's clock is judged by it. Without it that clock is believed.
    #[arg(long)]
    pub at: Option<String>,
}

/// Reads the frames of one protocol in their order, and tells of each one JSON object with its `outcome`: `message`,
/// `incomplete`, `foreign` or `invalid`.
type Reader = Box<dyn FnMut(&[u8], Option<Timestamp>) -> Value>;

/// A protocol: its name, and what reads its frames.
type Protocol = (&'static str, fn() -> Reader);

const PROTOCOLS: [Protocol; 1] = [("sl651", sl651)];

fn sl651() -> Reader {
    let mut lines = proto_sl651::Lines::default();
    Box::new(move |frame, at| lines.frame(frame, at))
}

/// `jingling decode`; `false` when a line was no message.
///
/// # Errors
/// A protocol that there is not, a file that cannot be read, a time that is none.
pub fn decode(args: &Decode) -> Result<bool> {
    let found = PROTOCOLS.iter().find(|(name, _)| *name == args.protocol);
    let Some((_, reader)) = found else {
        let names: Vec<&str> = PROTOCOLS.iter().map(|(name, _)| *name).collect();
        bail!(
            "\"{}\" is none of the protocols whose frames are read here: {}",
            quote(&args.protocol),
            names.join(", ")
        );
    };
    let at = args.at.as_deref().map(Timestamp::parse).transpose();
    let at = at.context("--at")?;
    match &args.file {
        Some(path) => {
            let file = std::fs::File::open(path);
            let file = file.with_context(|| format!("reading {}", path.display()))?;
            each(BufReader::new(file), reader(), at)
        }
        None => each(std::io::stdin().lock(), reader(), at),
    }
}

fn each(mut input: impl BufRead, mut reader: Reader, at: Option<Timestamp>) -> Result<bool> {
    let mut are_messages = true;
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = input.by_ref().take(LINE_BYTES_MAX);
        if limited.read_until(b'\n', &mut line)? == 0 {
            return Ok(are_messages);
        }
        if line.len() as u64 == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
            bail!("a line has more than {LINE_BYTES_MAX} bytes; write one frame a line");
        }
        let text = line.trim_ascii();
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let told = match bytes(text) {
            Ok(frame) => reader(&frame, at),
            Err(problem) => json!({"outcome": "invalid", "error": problem}),
        };
        are_messages &= told["outcome"] == "message";
        print_json_line(&told)?;
    }
}

/// Hexadecimal digits in pairs; white space between them does not count.
fn bytes(text: &[u8]) -> std::result::Result<Vec<u8>, Problem> {
    let bad = || {
        Problem::new(
            "decode-hex",
            format!(
                "\"{}\" is not made of pairs of hexadecimal digits",
                quote(&String::from_utf8_lossy(text))
            ),
            "line",
            "write each byte as two of 0 to 9 and A to F",
        )
    };
    let digits: Option<Vec<u8>> = text
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| {
            char::from(*byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    let digits = digits.ok_or_else(bad)?;
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(bad());
    }
    Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_become_bytes() {
        assert_eq!(bytes(b"7e 7E0a").unwrap(), [0x7E, 0x7E, 0x0A]);
        assert_eq!(bytes(b"7e7").unwrap_err().code, "decode-hex");
        assert_eq!(bytes(b"zz").unwrap_err().code, "decode-hex");
    }

    #[test]
    fn the_packets_of_a_file_are_put_together() {
        let given = include_str!("../../../protocols/proto-sl651/vectors/captures/examples.txt");
        let mut reader = sl651();
        let frames = given.lines().filter(|line| !line.starts_with('#'));
        let told: Vec<Value> = frames
            .map(|line| reader(&bytes(line.as_bytes()).unwrap(), None))
            .collect();
        let outcomes = told.iter().filter(|told| told["outcome"] == "message");
        assert_eq!((told.len(), outcomes.count()), (36, 35));
        let whole: Vec<&Value> = told
            .iter()
            .filter(|told| !told["whole"].is_null())
            .collect();
        assert_eq!(whole.len(), 1);
        assert_eq!(whole[0]["whole"]["message"]["packets"], 13);
        let timed = &told[2];
        assert_eq!(
            timed["updates"][0]["entity_id"],
            "urn:ngsi-ld:WaterObserved:11223344"
        );
    }
}
