//! Small copies of photos. A picture is read only when it is not larger than [`PIXELS_MAX`] by what it says of itself before a pixel
//! of it is unpacked: a file of a few kilobytes may claim to be of billions.

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// Longer side of a small copy, pixels.
pub const SMALL_SIDE_MAX: u32 = 480;
/// Largest picture, pixels: what the largest cameras of telephones take at once (8,192 × 6,144), and a little more.
pub const PIXELS_MAX: u64 = 52_000_000;
/// Most bytes of an unpacked picture: four for each pixel.
const UNPACKED_BYTES_MAX: u64 = 4 * PIXELS_MAX;
/// How well a small copy is kept, of 100.
const QUALITY: u8 = 80;

/// What reads the picture; `None` for what is no picture, or one that is damaged in its first bytes.
fn reader<'a>(bytes: &'a [u8], media_type: &str) -> Option<impl ImageDecoder + 'a> {
    let format = match media_type {
        "image/jpeg" => ImageFormat::Jpeg,
        "image/png" => ImageFormat::Png,
        "image/webp" => ImageFormat::WebP,
        _ => return None,
    };
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(UNPACKED_BYTES_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    reader.into_decoder().ok()
}

fn is_above(decoder: &impl ImageDecoder) -> bool {
    let (width, height) = decoder.dimensions();
    u64::from(width) * u64::from(height) > PIXELS_MAX || decoder.total_bytes() > UNPACKED_BYTES_MAX
}

/// Width and height of a picture that is too large to be read, pixels.
pub(crate) fn too_large(bytes: &[u8], media_type: &str) -> Option<[u32; 2]> {
    let decoder = reader(bytes, media_type)?;
    let (width, height) = decoder.dimensions();
    is_above(&decoder).then_some([width, height])
}

/// A copy as JPEG, upright, at most [`SMALL_SIDE_MAX`] wide and high, without anything that the camera wrote into the picture; `None` for
/// what cannot be read, or is too large.
pub(crate) fn small(bytes: &[u8], media_type: &str) -> Option<Vec<u8>> {
    let mut decoder = reader(bytes, media_type)?;
    if is_above(&decoder) {
        return None;
    }
    let turned = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let whole = DynamicImage::from_decoder(decoder).ok()?;
    let mut small = if whole.width().max(whole.height()) > SMALL_SIDE_MAX {
        whole.thumbnail(SMALL_SIDE_MAX, SMALL_SIDE_MAX)
    } else {
        whole
    };
    small.apply_orientation(turned);
    let mut written = Vec::new();
    JpegEncoder::new_with_quality(&mut written, QUALITY)
        .encode_image(&small.to_rgb8())
        .ok()?;
    Some(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};

    /// Left half red, right half blue.
    fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, _| {
            if x < width / 2 {
                Rgb([200, 0, 0])
            } else {
                Rgb([0, 0, 200])
            }
        })
    }

    fn bytes(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
        let mut written = Cursor::new(Vec::new());
        picture.write_to(&mut written, format).unwrap();
        written.into_inner()
    }

    fn read(jpeg: &[u8]) -> RgbImage {
        image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg)
            .unwrap()
            .to_rgb8()
    }

    #[test]
    fn a_small_copy_keeps_the_shape_and_never_grows() {
        for (format, media_type) in [
            (ImageFormat::Jpeg, "image/jpeg"),
            (ImageFormat::Png, "image/png"),
            (ImageFormat::WebP, "image/webp"),
        ] {
            for (size, expected) in [
                ((960, 320), (480, 160)),
                ((320, 960), (160, 480)),
                ((40, 30), (40, 30)),
            ] {
                let whole = bytes(&picture(size.0, size.1), format);
                assert_eq!(too_large(&whole, media_type), None);
                let made = read(&small(&whole, media_type).unwrap());
                assert_eq!(made.dimensions(), expected, "{media_type}");
                let (left, right) = (made.get_pixel(2, 2), made.get_pixel(expected.0 - 3, 2));
                assert!(left[0] > 150 && left[2] < 60, "{media_type} {left:?}");
                assert!(right[2] > 150 && right[0] < 60, "{media_type} {right:?}");
            }
        }
    }

    #[test]
    fn a_small_copy_stands_upright_and_says_nothing() {
        // Exif: turned by a quarter to the right to be looked at.
        let whole = bytes(&picture(96, 32), ImageFormat::Jpeg);
        let turned = crate::plain::with_orientation(&whole, 6);
        let made = small(&turned, "image/jpeg").unwrap();
        assert!(!made.windows(4).any(|part| part == b"Exif"));
        let shown = read(&made);
        assert_eq!(shown.dimensions(), (32, 96));
        assert!(shown.get_pixel(16, 4)[0] > 150, "what was left is on top");
        assert!(shown.get_pixel(16, 91)[2] > 150);
    }

    #[test]
    fn what_claims_to_be_huge_is_not_unpacked() {
        // The size stands at byte 16 of a PNG, and is guarded by the sum behind the chunk.
        let mut bomb = bytes(&picture(8, 8), ImageFormat::Png);
        bomb[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        let sum = crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(too_large(&bomb, "image/png"), Some([65_536, 65_536]));
        assert_eq!(small(&bomb, "image/png"), None);
        for (nothing, media_type) in [
            (&b"\xFF\xD8\xFF\xE0 x"[..], "image/jpeg"),
            (b"", "image/png"),
            (b"%PDF-1.7", "application/pdf"),
        ] {
            assert_eq!(too_large(nothing, media_type), None);
            assert_eq!(small(nothing, media_type), None);
        }
        // Cut in the middle: what was read of it is shown, or nothing; it does not fail.
        let whole = bytes(&picture(640, 480), ImageFormat::Jpeg);
        let _ = small(&whole[..whole.len() / 2], "image/jpeg");
    }

    /// CRC-32 of ISO 3309, as PNG wants it.
    fn crc(bytes: &[u8]) -> u32 {
        let step = |sum: u32, byte: &u8| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg())
            })
        };
        !bytes.iter().fold(u32::MAX, step)
    }
}
