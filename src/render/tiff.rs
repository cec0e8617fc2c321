//! Fax pages as one TIFF file, for a preview: the form in which fax software shows and exchanges pages.
//!
//! TIFF class F (RFC 2306): one page per directory, CCITT Group 4 (T.6), white is zero, the resolutions of T.4, a single
//! strip per page. The byte order is the machine's own, and each directory follows its page.

use std::io::Cursor;

use fax::encoder::Encoder;
use fax::{Color, VecWriter};
use tiff::encoder::{DirectoryEncoder, Rational, TiffEncoder, TiffKindStandard};
use tiff::tags::Tag;
use touchline_typeset::Bitmap;

/// `T6Options` and `PageNumber`, which the library has no names for.
const T6_OPTIONS: Tag = Tag::Unknown(293);
const PAGE_NUMBER: Tag = Tag::Unknown(297);

/// The most pages of one file. Providers refuse faxes of a few hundred pages anyway.
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

impl From<tiff::TiffError> for TiffError {
    /// In memory, only an offset that does not fit can fail.
    fn from(_: tiff::TiffError) -> Self {
        Self::TooLarge
    }
}

/// Writes the pages, in order, as one TIFF-F file with Group 4 compression.
///
/// # Errors
/// [`TiffError`] for no pages, more than 1000, or a page whose size is wrong.
pub fn write(pages: &[Bitmap]) -> Result<Vec<u8>, TiffError> {
    check(pages)?;
    let mut file = Cursor::new(Vec::new());
    let mut tiff = TiffEncoder::new(&mut file)?;
    for (number, page) in pages.iter().enumerate() {
        // Both fit: they are at most PAGES_MAX.
        write_page(tiff.image_directory()?, page, [number as u16, pages.len() as u16])?;
    }
    Ok(file.into_inner())
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

/// One page: its strip, then its directory. `place` is the page's number, from 0, and how many there are.
fn write_page(
    mut directory: DirectoryEncoder<'_, &mut Cursor<Vec<u8>>, TiffKindStandard>,
    page: &Bitmap,
    place: [u16; 2],
) -> Result<(), TiffError> {
    let strip = encode(page);
    let strip_at = u32::try_from(directory.write_data(strip.as_slice())?).map_err(|_| TiffError::TooLarge)?;
    let strip_bytes = u32::try_from(strip.len()).map_err(|_| TiffError::TooLarge)?;
    let (dpi_x, dpi_y) = page.resolution.dots_per_inch();

    directory.write_tag(Tag::NewSubfileType, 2_u32)?; // a page of several
    directory.write_tag(Tag::ImageWidth, page.width)?;
    directory.write_tag(Tag::ImageLength, page.height)?;
    directory.write_tag(Tag::BitsPerSample, 1_u16)?;
    directory.write_tag(Tag::Compression, 4_u16)?; // T.6
    directory.write_tag(Tag::PhotometricInterpretation, 0_u16)?; // white is zero
    directory.write_tag(Tag::FillOrder, 1_u16)?; // highest bit first
    directory.write_tag(Tag::StripOffsets, strip_at)?;
    directory.write_tag(Tag::Orientation, 1_u16)?; // top left
    directory.write_tag(Tag::SamplesPerPixel, 1_u16)?;
    directory.write_tag(Tag::RowsPerStrip, page.height)?;
    directory.write_tag(Tag::StripByteCounts, strip_bytes)?;
    directory.write_tag(Tag::XResolution, Rational { n: dpi_x, d: 1 })?;
    directory.write_tag(Tag::YResolution, Rational { n: dpi_y, d: 1 })?;
    directory.write_tag(T6_OPTIONS, 0_u32)?; // plain
    directory.write_tag(Tag::ResolutionUnit, 2_u16)?; // inch
    directory.write_tag(PAGE_NUMBER, place.as_slice())?;
    directory.finish()?;
    Ok(())
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
