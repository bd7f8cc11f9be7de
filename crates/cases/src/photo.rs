//! When and where a photo was taken, as it says itself (Exif 2.32, JEITA CP-3451).

use exif::{In, Tag, Value};
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use model::Timestamp;

/// What a photo says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Said {
    pub taken_at: Option<Timestamp>,
    pub place: Option<[f64; 2]>,
}

/// Reads it; a picture without Exif, or with one that is damaged, says nothing. Its time is of the city's zone when it
/// names no offset.
pub(crate) fn read(bytes: &[u8], zone: &TimeZone) -> Said {
    let mut cursor = std::io::Cursor::new(bytes);
    let Ok(exif) = exif::Reader::new().read_from_container(&mut cursor) else {
        return Said::default();
    };
    let text = |tag| match exif.get_field(tag, In::PRIMARY).map(|f| &f.value) {
        Some(Value::Ascii(all)) => all
            .first()
            .and_then(|text| std::str::from_utf8(text).ok())
            .map(|text| text.trim().to_owned()),
        _ => None,
    };
    let zone = text(Tag::OffsetTimeOriginal)
        .and_then(|text| offset(&text))
        .map_or_else(|| zone.clone(), TimeZone::fixed);
    let taken_at = text(Tag::DateTimeOriginal).and_then(|text| {
        let time: DateTime = DateTime::strptime("%Y:%m:%d %H:%M:%S", &text).ok()?;
        let time = zone.to_timestamp(time).ok()?;
        Some(Timestamp::from_micros(time.as_microsecond()))
    });
    let degrees = |tag, reference, negative| {
        let parts = match exif.get_field(tag, In::PRIMARY).map(|f| &f.value) {
            Some(Value::Rational(parts)) => parts,
            _ => return None,
        };
        let part = |n: usize| parts.get(n).map_or(0.0, exif::Rational::to_f64);
        let value = part(0) + part(1) / 60.0 + part(2) / 3_600.0;
        let sign = if text(reference).as_deref() == Some(negative) {
            -1.0
        } else {
            1.0
        };
        value.is_finite().then_some(sign * value)
    };
    let lon = degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef, "W");
    let lat = degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef, "S");
    let place = lon
        .zip(lat)
        .map(|(lon, lat)| [lon, lat])
        .filter(|[lon, lat]| lon.abs() <= 180.0 && lat.abs() <= 90.0);
    Said { taken_at, place }
}

/// `+08:00`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG with an Exif part that holds one text field of the Exif directory.
    fn jpeg(date: &str) -> Vec<u8> {
        let mut tiff = b"MM\0\x2a\0\0\0\x08".to_vec();
        // Directory 0 at 8: one entry, the pointer to the Exif directory at 26.
        tiff.extend([0, 1, 0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0]);
        // Exif directory at 26: DateTimeOriginal, 20 characters at 44.
        tiff.extend([0, 1, 0x90, 0x03, 0, 2, 0, 0, 0, 20, 0, 0, 0, 44, 0, 0, 0, 0]);
        tiff.extend(date.as_bytes());
        tiff.push(0);
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1];
        bytes.extend(u16::try_from(tiff.len() + 8).unwrap().to_be_bytes());
        bytes.extend(b"Exif\0\0");
        bytes.extend(tiff);
        bytes.extend([0xFF, 0xD9]);
        bytes
    }

    #[test]
    fn a_photo_says_when_it_was_taken_in_the_citys_zone() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let said = read(&jpeg("2026:11:23 08:00:00"), &zone);
        assert_eq!(
            said.taken_at,
            Some(Timestamp::parse("2026-11-23T00:00:00Z").unwrap())
        );
        assert_eq!(said.place, None);
        for nothing in [&jpeg("0000:00:00 00:00:00")[..], b"\xFF\xD8\xFF\xE0 x", b""] {
            assert_eq!(read(nothing, &zone), Said::default());
        }
        assert_eq!(offset("+08:00"), Offset::from_seconds(28_800).ok());
        assert_eq!(offset("８"), None);
    }
}
