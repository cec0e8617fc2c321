//! Fax pages as pictures for people: the exact dots, and a preview with the proportions of paper.

use png::{BitDepth, ColorType, Encoder, PixelDimensions, Unit};
pub use touchline_typeset::{Bitmap, Resolution};

/// The widest preview, in pixels: one per dot of the fax.
pub const PREVIEW_WIDTH_MAX: u32 = 1728;
/// The narrowest preview, in pixels.
pub const PREVIEW_WIDTH_MIN: u32 = 64;

/// Why a page could not be written as PNG.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// The page's rows do not fit its size.
    #[error("the page has an impossible size")]
    BadPage,
    /// The PNG encoder failed.
    #[error("the page could not be written as PNG: {0}")]
    Encoding(#[from] png::EncodingError),
}

/// The exact dots as a one-bit PNG. Its physical size (pHYs) says that they are not square; viewers that ignore it show a
/// standard page at half its height, so screens get [`preview_png`] instead.
///
/// # Errors
/// [`PngError::BadPage`] for a page whose rows do not fit its size.
pub fn png(page: &Bitmap) -> Result<Vec<u8>, PngError> {
    check(page)?;
    let white_is_one: Vec<u8> = page.rows.iter().map(|byte| !byte).collect();
    let (dpi_x, dpi_y) = page.resolution.dots_per_inch();
    let physical = PixelDimensions { xppu: per_metre(dpi_x), yppu: per_metre(dpi_y), unit: Unit::Meter };
    encode((page.width, page.height), BitDepth::One, physical, &white_is_one)
}

/// The page as a recipient sees it, for a screen: square pixels, `width_px` across (64 to 1728, clamped), as tall as the
/// paper's proportions require; each pixel is the mean of the dots it covers.
///
/// # Errors
/// [`PngError::BadPage`] for a page whose rows do not fit its size.
pub fn preview_png(page: &Bitmap, width_px: u32) -> Result<Vec<u8>, PngError> {
    check(page)?;
    let width = width_px.clamp(PREVIEW_WIDTH_MIN, PREVIEW_WIDTH_MAX);
    let (dpi_x, dpi_y) = page.resolution.dots_per_inch();
    let paper_ratio = f64::from(page.height * dpi_x) / f64::from(page.width * dpi_y);
    let height = (f64::from(width) * paper_ratio).round().max(1.0) as u32;
    let dpi = f64::from(dpi_x) * f64::from(width) / f64::from(page.width);
    let per_metre = (dpi / 0.0254).round() as u32;
    let physical = PixelDimensions { xppu: per_metre, yppu: per_metre, unit: Unit::Meter };
    encode((width, height), BitDepth::Eight, physical, &shrink(page, width, height))
}

fn check(page: &Bitmap) -> Result<(), PngError> {
    let fits = page.rows.len() == page.row_bytes() * page.height as usize;
    // The bound keeps all products below in range; no fax page comes close.
    if !fits || page.width == 0 || page.height == 0 || page.width.max(page.height) > 1 << 16 {
        return Err(PngError::BadPage);
    }
    Ok(())
}

fn per_metre(dots_per_inch: u32) -> u32 {
    (f64::from(dots_per_inch) / 0.0254).round() as u32
}

/// Averages dots into `width` x `height` gray pixels; a dot across a border counts for each side by its share.
fn shrink(page: &Bitmap, width: u32, height: u32) -> Vec<u8> {
    let columns: Vec<Span> = (0..width).map(|x| Span::new(x, width, page.width)).collect();
    let mut pixels = Vec::with_capacity(width as usize * height as usize);
    for y in 0..height {
        let ink = ink_of_rows(page, &Span::new(y, height, page.height));
        pixels.extend(columns.iter().map(|span| {
            let dark: f32 = span.dots().map(|(x, share)| ink[x] * share).sum();
            (255.0 * (1.0 - dark)).round() as u8
        }));
    }
    pixels
}

/// For each dot column, how much of it is black (0-1) within a span of rows.
fn ink_of_rows(page: &Bitmap, span: &Span) -> Vec<f32> {
    let mut ink = vec![0.0; page.row_bytes() * 8];
    for (y, share) in span.dots() {
        let row = &page.rows[y * page.row_bytes()..(y + 1) * page.row_bytes()];
        for (at, &byte) in row.iter().enumerate().filter(|(_, byte)| **byte != 0) {
            for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
                ink[at * 8 + bit] += share;
            }
        }
    }
    ink
}

/// The stretch of dots that one pixel covers.
struct Span {
    from: f32,
    to: f32,
    end: usize,
}

impl Span {
    fn new(pixel: u32, pixels: u32, dots: u32) -> Self {
        let step = dots as f32 / pixels as f32;
        Self { from: pixel as f32 * step, to: (pixel + 1) as f32 * step, end: dots as usize }
    }

    /// The dots covered, each with its share of the whole; the shares add up to 1.
    fn dots(&self) -> impl Iterator<Item = (usize, f32)> + '_ {
        let whole = self.to - self.from;
        let last = (self.to.ceil() as usize).min(self.end);
        (self.from as usize..last).map(move |dot| {
            let covered = self.to.min(dot as f32 + 1.0) - self.from.max(dot as f32);
            (dot, covered.max(0.0) / whole)
        })
    }
}

fn encode(
    (width, height): (u32, u32),
    depth: BitDepth,
    physical: PixelDimensions,
    data: &[u8],
) -> Result<Vec<u8>, PngError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(depth);
    encoder.set_pixel_dims(Some(physical));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(data)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full page whose upper half is black.
    fn half_black(resolution: Resolution) -> Bitmap {
        let (width, height) = resolution.page_dots();
        let bytes = (width / 8 * height) as usize;
        let rows = (0..bytes).map(|at| if at < bytes / 2 { 0xff } else { 0 }).collect();
        Bitmap::new(resolution, width, height, rows).expect("the rows fit")
    }

    fn read(file: &[u8]) -> (png::OutputInfo, Option<PixelDimensions>, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().expect("a PNG header");
        let mut data = vec![0; reader.output_buffer_size().expect("a small picture")];
        let info = reader.next_frame(&mut data).expect("a PNG picture");
        (info, reader.info().pixel_dims, data)
    }

    #[test]
    fn the_exact_picture_keeps_every_dot_and_tells_their_shape() {
        let page = half_black(Resolution::Standard);
        let (info, physical, data) = read(&png(&page).expect("a sound page"));
        assert_eq!((info.width, info.height, info.bit_depth), (1728, 1078, BitDepth::One));
        assert_eq!(data, page.rows.iter().map(|byte| !byte).collect::<Vec<u8>>());
        let physical = physical.expect("a physical size");
        assert_eq!((physical.xppu, physical.yppu), (8031, 3858));
    }

    #[test]
    fn both_resolutions_show_in_the_proportions_of_paper() {
        for resolution in [Resolution::Fine, Resolution::Standard] {
            let (info, _, data) = read(&preview_png(&half_black(resolution), 864).expect("a sound page"));
            assert_eq!((info.width, info.height), (864, 1122));
            assert_eq!((data[0], data[data.len() - 1]), (0, 255));
            let mean = data.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / data.len() as f64;
            assert!((mean - 127.5).abs() < 0.5, "half the page is black, mean {mean}");
        }
    }

    #[test]
    fn a_preview_is_never_larger_than_the_fax_nor_smaller_than_a_stamp() {
        let page = half_black(Resolution::Fine);
        let width = |asked| read(&preview_png(&page, asked).expect("a sound page")).0.width;
        assert_eq!((width(0), width(u32::MAX)), (PREVIEW_WIDTH_MIN, PREVIEW_WIDTH_MAX));
    }

    #[test]
    fn a_torn_page_is_refused() {
        let page = Bitmap { rows: vec![0; 3], ..half_black(Resolution::Fine) };
        assert!(matches!(png(&page), Err(PngError::BadPage)));
        assert!(matches!(preview_png(&page, 864), Err(PngError::BadPage)));
    }
}
