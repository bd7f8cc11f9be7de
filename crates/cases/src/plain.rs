//! A picture without what the camera or a program wrote into it (place, time, device, names, a preview): its pixels byte for byte, and what
//! is needed to show them as they were taken. JPEG (ITU-T T.81), PNG (ISO/IEC 15948), WebP (RFC 9649).

use exif::{In, Tag};

/// The picture without it; `None` for one whose parts cannot be told apart.
pub(crate) fn plain(bytes: &[u8], media_type: &str) -> Option<Vec<u8>> {
    let turned = orientation(bytes);
    match media_type {
        "image/jpeg" => jpeg(bytes, turned),
        "image/png" => png(bytes),
        "image/webp" => webp(bytes, turned),
        _ => None,
    }
}

/// How the picture is turned to be looked at (Exif 2.32, 4.6.5): 1 when it is upright, or does not say.
fn orientation(bytes: &[u8]) -> u8 {
    let mut cursor = std::io::Cursor::new(bytes);
    let said = exif::Reader::new().read_from_container(&mut cursor).ok();
    let said = said.as_ref().and_then(|exif| {
        exif.get_field(Tag::Orientation, In::PRIMARY)?
            .value
            .get_uint(0)
    });
    said.and_then(|said| u8::try_from(said).ok())
        .filter(|said| (2..=8).contains(said))
        .unwrap_or(1)
}

/// Exif that says nothing but how the picture is turned.
fn tiff(turned: u8) -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08".to_vec();
    // One entry: Orientation, one SHORT, its value; no further directory.
    tiff.extend([0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, turned, 0, 0]);
    tiff.extend([0; 4]);
    tiff
}

fn exif_segment(turned: u8) -> Vec<u8> {
    let tiff = tiff(turned);
    let length = u16::try_from(tiff.len() + 8).unwrap_or(u16::MAX);
    let head = [&[0xFF, 0xE1][..], &length.to_be_bytes(), b"Exif\0\0"];
    [&head.concat()[..], &tiff].concat()
}

fn jpeg(bytes: &[u8], turned: u8) -> Option<Vec<u8>> {
    let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
    let mut kept = vec![0xFF, 0xD8];
    let mut is_said = turned == 1;
    loop {
        let &[0xFF, marker, ..] = rest else {
            return None;
        };
        // JFIF wants its own part to be the first.
        if !is_said && !matches!(marker, 0xE0 | 0xFF) {
            kept.extend(exif_segment(turned));
            is_said = true;
        }
        match marker {
            // Bytes between segments.
            0xFF => rest = &rest[1..],
            0xD9 => {
                kept.extend([0xFF, 0xD9]);
                return Some(kept);
            }
            0x01 | 0xD0..=0xD7 => {
                kept.extend([0xFF, marker]);
                rest = &rest[2..];
            }
            _ => {
                let length = rest.get(2..4)?;
                let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
                let segment = rest.get(..length.checked_add(2)?).filter(|_| length >= 2)?;
                if is_of_the_picture(marker, &segment[4..]) {
                    kept.extend(segment);
                }
                rest = &rest[segment.len()..];
                if marker == 0xDA {
                    let scan = scan_length(rest);
                    kept.extend(&rest[..scan]);
                    rest = &rest[scan..];
                }
            }
        }
    }
}

/// Whether a segment is needed to show the picture: not what applications say in it, and no comment.
fn is_of_the_picture(marker: u8, body: &[u8]) -> bool {
    match marker {
        0xE0 => body.starts_with(b"JFIF\0"),
        0xE2 => body.starts_with(b"ICC_PROFILE\0"),
        // How its colours are coded.
        0xEE => body.starts_with(b"Adobe"),
        0xE1 | 0xE3..=0xED | 0xEF | 0xFE => false,
        _ => true,
    }
}

/// How many bytes of coded pixels come before the next marker.
fn scan_length(bytes: &[u8]) -> usize {
    let mut pairs = bytes.windows(2);
    // A zero behind it is of the pixels, and so are the marks for a new start.
    pairs
        .position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xD0..=0xD7 | 0xFF))
        .unwrap_or(bytes.len())
}

fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    const HEAD: &[u8] = b"\x89PNG\r\n\x1a\n";
    /// Which parts that a reader need not know show the picture as it is: transparency, colours, size of a pixel, movement.
    const SHOWN: [&[u8]; 12] = [
        b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"bKGD", b"pHYs", b"acTL",
        b"fcTL", b"fdAT",
    ];
    let mut rest = bytes.strip_prefix(HEAD)?;
    let mut kept = HEAD.to_vec();
    loop {
        let length = rest.get(..4)?;
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
        let name = rest.get(4..8)?;
        let chunk = rest.get(..usize::try_from(length).ok()?.checked_add(12)?)?;
        if name[0].is_ascii_uppercase() || SHOWN.contains(&name) {
            kept.extend(chunk);
        }
        if name == b"IEND" {
            return Some(kept);
        }
        rest = &rest[chunk.len()..];
    }
}

fn webp(bytes: &[u8], turned: u8) -> Option<Vec<u8>> {
    // Bits of the first part.
    const HAS_EXIF: u8 = 0x08;
    const HAS_XMP: u8 = 0x04;
    let mut rest = bytes
        .strip_prefix(b"RIFF")?
        .get(4..)?
        .strip_prefix(b"WEBP")?;
    let mut kept = b"WEBP".to_vec();
    let mut is_extended = false;
    while rest.len() >= 8 {
        let length = u32::from_le_bytes([rest[4], rest[5], rest[6], rest[7]]);
        let length = usize::try_from(length).ok()?;
        // Each part begins at an even byte.
        let chunk = rest.get(..length.checked_add(8)?)?;
        let next = rest.len().min(chunk.len() + length % 2);
        match &rest[..4] {
            b"VP8X" => {
                is_extended = true;
                let flags = *chunk.get(8)?;
                let exif = if turned == 1 { 0 } else { HAS_EXIF };
                kept.extend(&chunk[..8]);
                kept.push((flags & !(HAS_EXIF | HAS_XMP)) | exif);
                kept.extend(&chunk[9..]);
            }
            b"VP8 " | b"VP8L" | b"ALPH" | b"ANIM" | b"ANMF" | b"ICCP" => kept.extend(chunk),
            _ => {
                rest = &rest[next..];
                continue;
            }
        }
        if length % 2 == 1 {
            kept.push(0);
        }
        rest = &rest[next..];
    }
    if is_extended && turned != 1 {
        let tiff = tiff(turned);
        kept.extend(b"EXIF");
        kept.extend(u32::try_from(tiff.len()).ok()?.to_le_bytes());
        kept.extend(&tiff);
    }
    let length = u32::try_from(kept.len()).ok()?;
    Some([&b"RIFF"[..], &length.to_le_bytes(), &kept].concat())
}

/// A JPEG that says how it is turned.
#[cfg(test)]
pub(crate) fn with_orientation(jpeg: &[u8], turned: u8) -> Vec<u8> {
    [&jpeg[..2], &exif_segment(turned), &jpeg[2..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::jpeg::JpegEncoder;
    use image::{ExtendedColorType, ImageEncoder as _, ImageFormat, RgbImage};
    use std::io::Cursor;

    fn picture() -> RgbImage {
        let byte = |n: u32| u8::try_from(n).unwrap();
        RgbImage::from_fn(64, 48, |x, y| image::Rgb([byte(x * 3), byte(y * 5), 90]))
    }

    fn bytes(format: ImageFormat) -> Vec<u8> {
        let mut written = Cursor::new(Vec::new());
        picture().write_to(&mut written, format).unwrap();
        written.into_inner()
    }

    fn pixels(bytes: &[u8], format: ImageFormat) -> Vec<u8> {
        image::load_from_memory_with_format(bytes, format)
            .unwrap()
            .to_rgb8()
            .into_raw()
    }

    fn holds(bytes: &[u8], word: &[u8]) -> bool {
        bytes.windows(word.len()).any(|part| part == word)
    }

    /// A segment of a JPEG.
    fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len() + 2).unwrap();
        [&[0xFF, marker][..], &length.to_be_bytes(), body].concat()
    }

    #[test]
    fn of_a_jpeg_the_pixels_stay_and_what_was_written_goes() {
        let clean = bytes(ImageFormat::Jpeg);
        let said = [
            &clean[..2],
            &exif_segment(6),
            &segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0secret"),
            &segment(0xE2, b"MPF\0secret"),
            &segment(0xED, b"Photoshop 3.0\0secret"),
            &segment(0xFE, b"secret"),
            &clean[2..],
            b"secret behind the end",
        ]
        .concat();
        let made = plain(&said, "image/jpeg").unwrap();
        assert!(!holds(&made, b"secret"));
        assert_eq!(orientation(&made), 6, "how it is turned stays");
        assert_eq!(
            pixels(&made, ImageFormat::Jpeg),
            pixels(&clean, ImageFormat::Jpeg)
        );
        // One that says nothing stays as it is.
        assert_eq!(plain(&clean, "image/jpeg").unwrap(), clean);
        assert_eq!(plain(&made, "image/jpeg").unwrap(), made);
    }

    #[test]
    fn a_profile_of_colours_stays() {
        let mut written = Vec::new();
        let mut encoder = JpegEncoder::new(&mut written);
        encoder.set_icc_profile(b"a profile".to_vec()).unwrap();
        encoder
            .write_image(picture().as_raw(), 64, 48, ExtendedColorType::Rgb8)
            .unwrap();
        assert!(holds(&plain(&written, "image/jpeg").unwrap(), b"a profile"));
    }

    #[test]
    fn of_a_png_and_a_webp_too() {
        let clean = bytes(ImageFormat::Png);
        let chunk = |name: &[u8], body: &[u8]| {
            let length = u32::try_from(body.len()).unwrap();
            [&length.to_be_bytes()[..], name, body, b"\0\0\0\0"].concat()
        };
        let said = [
            &clean[..33],
            &chunk(b"tEXt", b"Author\0secret"),
            &chunk(b"eXIf", b"MM\0\x2asecret"),
            &clean[33..],
            b"secret behind the end",
        ]
        .concat();
        assert_eq!(plain(&said, "image/png").unwrap(), clean);

        let clean = bytes(ImageFormat::WebP);
        let chunk = |name: &[u8], body: &[u8]| {
            let length = u32::try_from(body.len()).unwrap();
            let even: &[u8] = if body.len() % 2 == 1 { b"\0" } else { b"" };
            [name, &length.to_le_bytes()[..], body, even].concat()
        };
        // Flags of Exif, XMP and transparency; width and height less one.
        let extended = chunk(b"VP8X", &[0x1C, 0, 0, 0, 63, 0, 0, 47, 0, 0]);
        let inner = [
            &b"WEBP"[..],
            &extended,
            &clean[12..],
            &chunk(b"EXIF", &tiff(3)),
            &chunk(b"XMP ", b"secret!"),
        ]
        .concat();
        let length = u32::try_from(inner.len()).unwrap();
        let said = [&b"RIFF"[..], &length.to_le_bytes(), &inner].concat();
        let made = plain(&said, "image/webp").unwrap();
        assert!(!holds(&made, b"secret"));
        assert_eq!(made[20], 0x18, "Exif says how it is turned, and no more");
        assert_eq!(orientation(&made), 3);
        assert_eq!(
            pixels(&made, ImageFormat::WebP),
            pixels(&clean, ImageFormat::WebP)
        );
        assert_eq!(plain(&clean, "image/webp").unwrap(), clean);
    }

    #[test]
    fn what_is_cut_or_of_another_kind_is_not_given_as_a_picture() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let whole = bytes(format);
            let kind = format.to_mime_type();
            for length in [0, 1, 3, 10, whole.len() / 2, whole.len() - 1] {
                assert_eq!(plain(&whole[..length], kind), None, "{kind} {length}");
            }
        }
        assert_eq!(plain(b"\xFF\xD8\xFF\xE1\0\x01", "image/jpeg"), None);
        assert_eq!(plain(b"%PDF-1.7", "application/pdf"), None);
    }
}
