//! Fax pages as one TIFF file: the format in which fax providers accept finished pages, and in which what was sent is
//! stored.
//!
//! TIFF class F (RFC 2306): little-endian, one page per directory, each directory before its picture, CCITT Group 4 (T.6),
//! white is zero, the resolutions of T.4. The picture is a single strip per page.

use fax::encoder::Encoder;
use fax::{Color, VecWriter};
use touchline_typeset::Bitmap;

/// The most pages in one file. Providers refuse faxes of a few hundred pages anyway.
const PAGES_MAX: usize = 1000;
/// The widest page the run-length codes of T.6 are used for here, in dots (A3 at 204 dpi has 2432).
const WIDTH_MAX: u32 = 2560;
/// The longest page, in dots (0.5 m at 391 dpi).
const HEIGHT_MAX: u32 = 8192;

/// Why pages cannot be written as TIFF.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TiffError {
    /// There is nothing to write.
    #[error("a fax file needs at least one page")]
    NoPages,
    /// More pages than a fax may have.
    #[error("{pages} pages are too many for a fax file; at most {max}")]
    TooManyPages {
        /// Pages given.
        pages: usize,
        /// The limit.
        max: usize,
    },
    /// A page whose rows do not fit its size, or that no fax machine could print.
    #[error("page {page} has an impossible size")]
    BadPage {
        /// Which page, from 1.
        page: usize,
    },
    /// The file would pass the 4 GiB that TIFF can address.
    #[error("the fax file would be too large")]
    TooLarge,
}

/// Writes the pages, in order, as one TIFF-F file with Group 4 compression.
///
/// # Errors
/// [`TiffError`] for no pages, more than 1000, or a page whose size is wrong.
pub fn write(pages: &[Bitmap]) -> Result<Vec<u8>, TiffError> {
    check(pages)?;
    let mut file = b"II\x2a\x00\x08\x00\x00\x00".to_vec();
    for (number, page) in pages.iter().enumerate() {
        let strip = encode(page);
        let directory = Directory { page, number, total: pages.len(), strip_bytes: strip.len() };
        let last = number + 1 == pages.len();
        let start = file.len();
        file.extend(directory.bytes(start, last).ok_or(TiffError::TooLarge)?);
        file.extend(strip);
        if file.len() % 2 == 1 {
            file.push(0); // a directory begins on a word
        }
    }
    Ok(file)
}

fn check(pages: &[Bitmap]) -> Result<(), TiffError> {
    if pages.is_empty() {
        return Err(TiffError::NoPages);
    }
    if pages.len() > PAGES_MAX {
        return Err(TiffError::TooManyPages { pages: pages.len(), max: PAGES_MAX });
    }
    for (index, page) in pages.iter().enumerate() {
        let fits = page.rows.len() == page.row_bytes() * page.height as usize;
        if !fits || !(1..=WIDTH_MAX).contains(&page.width) || !(1..=HEIGHT_MAX).contains(&page.height) {
            return Err(TiffError::BadPage { page: index + 1 });
        }
    }
    Ok(())
}

/// The page in Group 4, with its end-of-block mark.
fn encode(page: &Bitmap) -> Vec<u8> {
    let mut encoder = Encoder::new(VecWriter::new());
    for row in page.rows.chunks_exact(page.row_bytes()) {
        let dots = (0..page.width).map(|x| {
            let black = row[(x / 8) as usize] & (0x80 >> (x % 8)) != 0;
            if black { Color::Black } else { Color::White }
        });
        let Ok(()) = encoder.encode_line(dots, page.width);
    }
    let Ok(writer) = encoder.finish();
    writer.finish()
}

/// One page's directory of tags.
struct Directory<'a> {
    page: &'a Bitmap,
    number: usize,
    total: usize,
    strip_bytes: usize,
}

/// A tag's value, by TIFF type.
enum Value {
    Short(u16),
    ShortPair(u16, u16),
    Long(u32),
    Ratio(u32),
}

/// Tags per directory.
const TAGS: usize = 17;
/// Entry count, entries, offset of the next directory.
const DIRECTORY_BYTES: usize = 2 + 12 * TAGS + 4;
/// The two resolutions, which do not fit in their entries.
const RATIOS_BYTES: usize = 2 * 8;

impl Directory<'_> {
    /// The directory at `start` in the file, its picture right after it; `None` past 4 GiB.
    fn bytes(&self, start: usize, last: bool) -> Option<Vec<u8>> {
        let ratios_at = start + DIRECTORY_BYTES;
        let strip_at = ratios_at + RATIOS_BYTES;
        let end = (strip_at + self.strip_bytes).next_multiple_of(2);
        let next = if last { 0 } else { u32::try_from(end).ok()? };
        u32::try_from(end).ok()?;

        let mut entries = (TAGS as u16).to_le_bytes().to_vec();
        let mut ratios = Vec::with_capacity(RATIOS_BYTES);
        for (tag, value) in self.tags(u32::try_from(strip_at).ok()?) {
            let (kind, count, field): (u16, u32, [u8; 4]) = match value {
                Value::Short(v) => (3, 1, u32::from(v).to_le_bytes()),
                Value::ShortPair(a, b) => (3, 2, (u32::from(b) << 16 | u32::from(a)).to_le_bytes()),
                Value::Long(v) => (4, 1, v.to_le_bytes()),
                Value::Ratio(v) => {
                    let at = u32::try_from(ratios_at + ratios.len()).ok()?;
                    ratios.extend(v.to_le_bytes());
                    ratios.extend(1_u32.to_le_bytes());
                    (5, 1, at.to_le_bytes())
                }
            };
            entries.extend(tag.to_le_bytes());
            entries.extend(kind.to_le_bytes());
            entries.extend(count.to_le_bytes());
            entries.extend(field);
        }
        entries.extend(next.to_le_bytes());
        entries.extend(ratios);
        Some(entries)
    }

    /// The tags in ascending order, as TIFF requires. Page counts fit: both are at most [`PAGES_MAX`].
    fn tags(&self, strip_at: u32) -> [(u16, Value); TAGS] {
        let (dpi_x, dpi_y) = self.page.resolution.dots_per_inch();
        [
            (254, Value::Long(2)),                                          // NewSubfileType: a page of several
            (256, Value::Long(self.page.width)),                            // ImageWidth
            (257, Value::Long(self.page.height)),                           // ImageLength
            (258, Value::Short(1)),                                         // BitsPerSample
            (259, Value::Short(4)),                                         // Compression: T.6
            (262, Value::Short(0)),                                         // Photometric: white is zero
            (266, Value::Short(1)),                                         // FillOrder: highest bit first
            (273, Value::Long(strip_at)),                                   // StripOffsets
            (274, Value::Short(1)),                                         // Orientation: top left
            (277, Value::Short(1)),                                         // SamplesPerPixel
            (278, Value::Long(self.page.height)),                           // RowsPerStrip
            (279, Value::Long(self.strip_bytes as u32)),                    // StripByteCounts
            (282, Value::Ratio(dpi_x)),                                     // XResolution
            (283, Value::Ratio(dpi_y)),                                     // YResolution
            (293, Value::Long(0)),                                          // T6Options: plain
            (296, Value::Short(2)),                                         // ResolutionUnit: inch
            (297, Value::ShortPair(self.number as u16, self.total as u16)), // PageNumber, from 0
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchline_typeset::Resolution;

    /// A page of deterministic noise, runs and empty rows, `width` across.
    fn page(resolution: Resolution, width: u32, height: u32, seed: u32) -> Bitmap {
        let row_bytes = width.div_ceil(8) as usize;
        let mut state = seed;
        let rows = (0..row_bytes * height as usize).map(|at| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match (at / row_bytes) % 4 {
                0 => 0,
                1 => (state >> 24) as u8,
                2 => 0xff,
                _ => {
                    if state >> 29 == 0 {
                        (state >> 16) as u8
                    } else {
                        0
                    }
                }
            }
        });
        Bitmap::new(resolution, width, height, rows.collect()).expect("the rows fit")
    }

    fn u32_at(file: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"))
    }

    fn u16_at(file: &[u8], at: usize) -> u16 {
        u16::from_le_bytes([file[at], file[at + 1]])
    }

    /// The directories of a file, each as (tag, field offset) in file order.
    fn directories(file: &[u8]) -> Vec<Vec<(u16, usize)>> {
        let mut found = Vec::new();
        let mut at = u32_at(file, 4) as usize;
        while at != 0 {
            let count = usize::from(u16_at(file, at));
            found.push((0..count).map(|i| (u16_at(file, at + 2 + 12 * i), at + 10 + 12 * i)).collect());
            at = u32_at(file, at + 2 + 12 * count) as usize;
        }
        found
    }

    fn field(file: &[u8], directory: &[(u16, usize)], tag: u16) -> u32 {
        let (_, at) = directory.iter().find(|(t, _)| *t == tag).expect("the tag is there");
        u32_at(file, *at)
    }

    fn decode(strip: &[u8], page: &Bitmap) -> Vec<u8> {
        let mut rows = Vec::new();
        fax::decoder::decode_g4(strip.iter().copied(), page.width, Some(page.height), |line| {
            let dots: Vec<bool> = fax::decoder::pels(line, page.width).map(|c| c == Color::Black).collect();
            rows.extend(dots.chunks(8).map(|eight| {
                eight.iter().enumerate().fold(0_u8, |byte, (i, &black)| byte | u8::from(black) << (7 - i))
            }));
        })
        .expect("the strip decodes");
        rows
    }

    #[test]
    fn every_page_decodes_to_the_dots_it_was_made_of() {
        let pages = [
            page(Resolution::Fine, 1728, 300, 7),
            page(Resolution::Standard, 1728, 101, 11),
            page(Resolution::Fine, 1, 3, 5),
            page(Resolution::Fine, 2559, 9, 3),
        ];
        let file = write(&pages).expect("the pages are sound");
        let found = directories(&file);
        assert_eq!(found.len(), pages.len());
        for (directory, page) in found.iter().zip(&pages) {
            let at = field(&file, directory, 273) as usize;
            let strip = &file[at..at + field(&file, directory, 279) as usize];
            assert_eq!(decode(strip, page), page.rows);
        }
    }

    #[test]
    fn every_page_tells_its_place_and_its_grid() {
        let pages = [page(Resolution::Fine, 1728, 20, 1), page(Resolution::Standard, 1728, 10, 2)];
        let file = write(&pages).expect("the pages are sound");
        for (number, directory) in directories(&file).iter().enumerate() {
            let tags: Vec<u16> = directory.iter().map(|(tag, _)| *tag).collect();
            assert!(tags.is_sorted(), "TIFF wants ascending tags");
            assert_eq!(field(&file, directory, 297), 2 << 16 | number as u32);
            assert_eq!(field(&file, directory, 259), 4);
            assert_eq!(field(&file, directory, 262), 0);
            let dpi = |tag| u32_at(&file, field(&file, directory, tag) as usize);
            assert_eq!((dpi(282), dpi(283)), pages[number].resolution.dots_per_inch());
        }
    }

    #[test]
    fn pages_no_machine_could_print_are_refused() {
        assert_eq!(write(&[]), Err(TiffError::NoPages));
        let good = page(Resolution::Fine, 1728, 2, 1);
        let torn = Bitmap { rows: vec![0; 5], ..good.clone() };
        assert_eq!(write(&[good.clone(), torn]), Err(TiffError::BadPage { page: 2 }));
        let wide = page(Resolution::Fine, 4000, 2, 1);
        assert_eq!(write(&[wide]), Err(TiffError::BadPage { page: 1 }));
        assert_eq!(write(&vec![good; 1001]), Err(TiffError::TooManyPages { pages: 1001, max: 1000 }));
    }
}
