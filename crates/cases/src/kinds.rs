//! What may be attached to a case, told by its bytes: photos, voice notes, signatures, documents. The sender's word does not
//! count, except that a drawing is a signature.

use crate::Options;
use model::{Problem, problem::quote};

/// How far into a file of Matroska its tracks are looked for, in bytes: a recorder writes them first.
const TRACKS_WITHIN: usize = 64 * 1024;

/// As what somebody signs: party (当事人), reporter (反映人), merchant (经营者), witness (见证人), worker (承办人), other (其他).
pub const CAPACITIES: &[&str] = &[
    "party", "reporter", "merchant", "witness", "worker", "other",
];

/// What an attachment is to the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A picture (照片).
    Photo,
    /// A spoken note (语音备注).
    Voice,
    /// A signature (签名).
    Signature,
    /// A document (文件).
    Document,
}

impl Kind {
    /// Its word in the records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Voice => "voice",
            Self::Signature => "signature",
            Self::Document => "document",
        }
    }
}

/// Whose signature a picture is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Who signed.
    pub signer: String,
    /// As what: one of [`CAPACITIES`].
    pub capacity: String,
    /// Whether the name was typed where nobody could draw.
    pub is_typed: bool,
}

impl Signed {
    /// Checks it; answers it with the name trimmed.
    pub(crate) fn checked(&self, options: &Options) -> Result<Self, Problem> {
        let signer = self.signer.trim();
        let max = options.signer_chars_max;
        if signer.is_empty() || signer.chars().count() > max || signer.chars().any(char::is_control)
        {
            return Err(Problem::new(
                "signer",
                "a signature needs the name of who signed",
                "signer",
                format!("write the name, at most {max} characters"),
            ));
        }
        if !CAPACITIES.contains(&self.capacity.as_str()) {
            return Err(Problem::new(
                "signer-capacity",
                format!("\"{}\" is not a capacity to sign in", quote(&self.capacity)),
                "capacity",
                format!("use one of {}", CAPACITIES.join(", ")),
            ));
        }
        Ok(Self {
            signer: signer.to_owned(),
            ..self.clone()
        })
    }
}

/// What a file is, by its bytes and by whether it is said to be a signature.
///
/// # Errors
/// `attachment-type`, `attachment-size`, `signature-type`.
pub(crate) fn of(
    bytes: &[u8],
    is_signature: bool,
    options: &Options,
) -> Result<(&'static str, Kind), Problem> {
    let size = |max: usize, mend: &str| {
        if bytes.is_empty() || bytes.len() > max {
            return Err(Problem::new(
                "attachment-size",
                format!("the file has {} bytes", bytes.len()),
                "file",
                format!("send 1 to {max} bytes; {mend}"),
            ));
        }
        Ok(())
    };
    size(
        options.attachment_bytes_max,
        "let the phone take a smaller picture",
    )?;
    let (media_type, kind) = sniff(bytes).ok_or_else(|| {
        Problem::new(
            "attachment-type",
            "the file is none of the kinds that may be attached",
            "file",
            "send a JPEG, PNG or WebP picture, a PDF, or sound as WebM, Ogg or MP4 without a picture",
        )
    })?;
    if is_signature && media_type != "image/png" {
        return Err(Problem::new(
            "signature-type",
            format!("a signature cannot be {media_type}"),
            "file",
            "send a PNG picture",
        ));
    }
    if is_signature {
        size(options.signature_bytes_max, "draw it smaller")?;
        return Ok((media_type, Kind::Signature));
    }
    if kind == Kind::Voice {
        size(options.voice_bytes_max, "speak shorter notes")?;
    }
    Ok((media_type, kind))
}

/// What bytes are by the mark with which they begin; nothing for what may not be attached.
pub(crate) fn sniff(bytes: &[u8]) -> Option<(&'static str, Kind)> {
    let at = |from: usize, word: &[u8]| bytes.get(from..from + word.len()) == Some(word);
    if at(0, &[0xFF, 0xD8, 0xFF]) {
        Some(("image/jpeg", Kind::Photo))
    } else if at(0, b"\x89PNG\r\n\x1a\n") {
        Some(("image/png", Kind::Photo))
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some(("image/webp", Kind::Photo))
    } else if at(0, b"%PDF-") {
        Some(("application/pdf", Kind::Document))
    } else if at(0, &[0x1A, 0x45, 0xDF, 0xA3]) {
        is_webm_sound(bytes).then_some(("audio/webm", Kind::Voice))
    } else if at(0, b"OggS") {
        is_ogg_sound(bytes).then_some(("audio/ogg", Kind::Voice))
    } else if at(4, b"ftyp") {
        is_mp4_sound(bytes).then_some(("audio/mp4", Kind::Voice))
    } else {
        None
    }
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// WebM (a profile of Matroska, RFC 9559) whose tracks are sound and no picture, by the names of their codecs.
fn is_webm_sound(bytes: &[u8]) -> bool {
    let head = bytes.get(..TRACKS_WITHIN).unwrap_or(bytes);
    holds(head, b"webm")
        && [&b"A_OPUS"[..], b"A_VORBIS"].iter().any(|w| holds(head, w))
        && ![&b"V_VP8"[..], b"V_VP9", b"V_AV1", b"V_MPEG"]
            .iter()
            .any(|w| holds(head, w))
}

/// Ogg (RFC 3533) whose first packet opens Opus (RFC 7845) or Vorbis.
fn is_ogg_sound(bytes: &[u8]) -> bool {
    // The first page's header: 27 bytes, then one for each segment, whose count is the last of the 27.
    let packet = bytes
        .get(26)
        .and_then(|segments| bytes.get(27 + usize::from(*segments)..));
    packet.is_some_and(|p| p.starts_with(b"OpusHead") || p.starts_with(b"\x01vorbis"))
}

/// MP4 (ISO/IEC 14496-12) with a handler of sound and none of pictures: in a box `hdlr` the handler's name stands 8 bytes
/// after the box's own.
fn is_mp4_sound(bytes: &[u8]) -> bool {
    let handlers = || {
        bytes
            .windows(16)
            .filter(|box_| box_.starts_with(b"hdlr"))
            .filter_map(|box_| box_.get(12..16))
    };
    handlers().any(|name| name == b"soun")
        && !handlers().any(|name| name == b"vide" || name == b"pict")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webm(codecs: &str) -> Vec<u8> {
        [
            &[0x1A, 0x45, 0xDF, 0xA3][..],
            b"\x9fB\x86\x81\x01B\x82\x84webm",
            codecs.as_bytes(),
        ]
        .concat()
    }

    fn ogg(packet: &[u8]) -> Vec<u8> {
        let mut bytes = b"OggS".to_vec();
        bytes.resize(26, 0);
        bytes.extend([1, 19]);
        [&bytes, packet].concat()
    }

    fn mp4(handlers: &[&str]) -> Vec<u8> {
        let mut bytes = b"\0\0\0\x18ftypiso5\0\0\0\0".to_vec();
        for name in handlers {
            bytes.extend(b"hdlr\0\0\0\0\0\0\0\0");
            bytes.extend(name.as_bytes());
        }
        bytes
    }

    #[test]
    fn bytes_say_what_they_are() {
        for (bytes, kind) in [
            (b"\xFF\xD8\xFF\xE0rest".to_vec(), "image/jpeg"),
            (b"\x89PNG\r\n\x1a\nrest".to_vec(), "image/png"),
            (b"RIFF\x10\0\0\0WEBPVP8 ".to_vec(), "image/webp"),
            (b"%PDF-1.7".to_vec(), "application/pdf"),
            (webm("A_OPUS"), "audio/webm"),
            (ogg(b"OpusHead"), "audio/ogg"),
            (mp4(&["soun"]), "audio/mp4"),
        ] {
            assert_eq!(sniff(&bytes).map(|(kind, _)| kind), Some(kind));
        }
        for bad in [
            b"RIFF\x10\0\0\0WAVE".to_vec(),
            b"RIFF".to_vec(),
            b"<svg/>".to_vec(),
            b"MZ".to_vec(),
            Vec::new(),
            webm("V_VP9 A_OPUS"),
            webm(""),
            ogg(b"\x80theora"),
            b"OggS".to_vec(),
            mp4(&["soun", "vide"]),
            mp4(&["pict"]),
            mp4(&[]),
        ] {
            assert_eq!(sniff(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn each_kind_has_its_own_limit() {
        let options = Options {
            attachment_bytes_max: 100,
            voice_bytes_max: 60,
            signature_bytes_max: 40,
            ..Options::new(std::path::PathBuf::new())
        };
        let sized = |mut bytes: Vec<u8>, to: usize| {
            bytes.resize(to, 0);
            bytes
        };
        let png = || b"\x89PNG\r\n\x1a\n".to_vec();
        let code = |bytes: &[u8], is_signature| {
            of(bytes, is_signature, &options)
                .map_or_else(|p| p.code, |(_, kind)| kind.name().to_owned())
        };
        assert_eq!(code(&sized(png(), 100), false), "photo");
        assert_eq!(code(&sized(png(), 101), false), "attachment-size");
        assert_eq!(code(&sized(webm("A_OPUS"), 60), false), "voice");
        assert_eq!(code(&sized(webm("A_OPUS"), 61), false), "attachment-size");
        assert_eq!(code(&sized(png(), 40), true), "signature");
        assert_eq!(code(&sized(png(), 41), true), "attachment-size");
        assert_eq!(code(b"\xFF\xD8\xFF", true), "signature-type");
    }

    #[test]
    fn who_signs_has_a_name_and_a_capacity() {
        let options = Options::new(std::path::PathBuf::new());
        let signed = |signer: &str, capacity: &str| {
            Signed {
                signer: signer.to_owned(),
                capacity: capacity.to_owned(),
                is_typed: false,
            }
            .checked(&options)
            .map(|signed| signed.signer)
            .map_err(|p| p.code)
        };
        assert_eq!(signed(" 张三 ", "party"), Ok("张三".to_owned()));
        assert_eq!(signed(" ", "party"), Err("signer".to_owned()));
        assert_eq!(signed("a\nb", "party"), Err("signer".to_owned()));
        assert_eq!(signed(&"字".repeat(51), "party"), Err("signer".to_owned()));
        assert_eq!(signed("张三", "king"), Err("signer-capacity".to_owned()));
    }
}
