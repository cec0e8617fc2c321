//! Pages as a fax machine prints them: one bit per dot, dots that are not square.

use typst::layout::{Abs, Axes, Ratio, Size, Transform};
use typst_layout::Page;
use typst_render::RenderOptions;

use crate::TypesetError;

/// Dots per inch across the page, the same in every fax resolution.
const DPI_X: u32 = 204;
/// Dots across a fax page: every machine has exactly this many (8.47 in).
const WIDTH: u32 = 1728;
/// Lightness (0-255) below which a dot prints. Above the middle, so that a thin stroke lying between two rows of
/// the coarse resolution prints as one rather than vanishing.
const INK_BELOW: u8 = 160;
/// Lightness of a dot that is meant black, and of one that is meant white.
const NEAR_BLACK: u8 = 64;
const NEAR_WHITE: u8 = 192;

/// A fax resolution for US Letter. Dots per inch are those of T.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// 204 x 196 dots per inch, 1728 x 2156 dots.
    Fine,
    /// 204 x 98 dots per inch, 1728 x 1078 dots.
    Standard,
}

impl Resolution {
    /// Dots per inch, across and down.
    pub fn dots_per_inch(self) -> (u32, u32) {
        match self {
            Self::Fine => (DPI_X, 196),
            Self::Standard => (DPI_X, 98),
        }
    }

    /// Dots of a full US Letter page, across and down.
    pub fn page_dots(self) -> (u32, u32) {
        (WIDTH, self.dots_per_inch().1 * 11)
    }
}

/// One page in black and white.
#[derive(Debug, Clone, PartialEq)]
pub struct Bitmap {
    /// The grid its dots lie on.
    pub resolution: Resolution,
    /// Dots across.
    pub width: u32,
    /// Dots down.
    pub height: u32,
    /// Rows from top to bottom, eight dots per byte, the leftmost in the highest bit, 1 = black; each row is padded
    /// to a whole byte with 0.
    pub rows: Vec<u8>,
    /// What the threshold had to decide: the share (0-1) of dots that were gray with no black dot beside them, before
    /// thresholding. The soft edge of black type does not count; gray type, tints and photographs do.
    pub grey_share: f64,
}

impl Bitmap {
    /// A page from packed rows (see [`Bitmap::rows`]); `None` if their length does not fit the size, or the size is
    /// nothing. Padding bits are cleared. Its gray share is 0.
    pub fn new(resolution: Resolution, width: u32, height: u32, mut rows: Vec<u8>) -> Option<Self> {
        let row_bytes = width.div_ceil(8) as usize;
        if width == 0 || height == 0 || row_bytes.checked_mul(height as usize) != Some(rows.len()) {
            return None;
        }
        if !width.is_multiple_of(8) {
            let kept = 0xff_u8 << (8 - width % 8);
            rows.iter_mut().skip(row_bytes - 1).step_by(row_bytes).for_each(|byte| *byte &= kept);
        }
        Some(Self { resolution, width, height, rows, grey_share: 0.0 })
    }

    /// A page from its colors, four bytes a dot (red, green, blue, and alpha, which is ignored: paper is opaque), by
    /// the threshold that every page goes through. `None` if their length does not fit the size, or the size is
    /// nothing.
    pub fn from_rgba(resolution: Resolution, width: u32, height: u32, pixels: &[u8]) -> Option<Self> {
        if width == 0 || (width as usize).checked_mul(height as usize)?.checked_mul(4)? != pixels.len() {
            return None;
        }
        let lightness: Vec<u8> = pixels.chunks_exact(4).map(|p| lightness(p[0], p[1], p[2])).collect();
        let mut bitmap = Self::new(resolution, width, height, pack(&lightness, width as usize))?;
        bitmap.grey_share = stray_grey(&lightness, width as usize) as f64 / lightness.len() as f64;
        Some(bitmap)
    }

    /// Bytes of one row.
    pub fn row_bytes(&self) -> usize {
        self.width.div_ceil(8) as usize
    }

    /// Whether the dot at `x`, `y` is black; `false` outside the page.
    pub fn is_black(&self, x: u32, y: u32) -> bool {
        let byte = self.rows.get(y as usize * self.row_bytes() + (x / 8) as usize);
        x < self.width && byte.is_some_and(|byte| byte & (0x80 >> (x % 8)) != 0)
    }

    /// The share (0-1) of dots that are black. A page of text has about 0.05; above 0.2 machines overheat, jam or
    /// take minutes.
    pub fn ink_share(&self) -> f64 {
        let black: u64 = self.rows.iter().map(|byte| u64::from(byte.count_ones())).sum();
        black as f64 / (f64::from(self.width) * f64::from(self.height))
    }
}

/// Renders a page straight onto the fax grid and thresholds it.
pub(crate) fn rasterise(page: &Page, resolution: Resolution) -> Result<Bitmap, TypesetError> {
    let (width, height) = resolution.page_dots();
    let pixel_per_pt = f64::from(DPI_X) / 72.0;
    let target = Size::new(Abs::pt(f64::from(width) / pixel_per_pt), Abs::pt(f64::from(height) / pixel_per_pt));
    let mut page = page.clone();
    let scale = Axes::new(target.x / page.frame.width(), target.y / page.frame.height());
    page.frame.transform(Transform::scale(Ratio::new(scale.x), Ratio::new(scale.y)));
    page.frame.set_size(target);
    let options = RenderOptions { pixel_per_pt: pixel_per_pt.into(), render_bleed: false };
    let pixels = typst_render::render(&page, &options);
    Bitmap::from_rgba(resolution, width, height, pixels.data())
        .ok_or(TypesetError::Internal("a page was rendered in another size than asked"))
}

fn lightness(red: u8, green: u8, blue: u8) -> u8 {
    ((u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114) / 1000) as u8
}

fn pack(lightness: &[u8], width: usize) -> Vec<u8> {
    let mut rows = Vec::with_capacity(lightness.len() / 8);
    for row in lightness.chunks_exact(width) {
        rows.extend(row.chunks(8).map(|dots| {
            let bits = dots.iter().fold(0_u8, |bits, &dot| bits << 1 | u8::from(dot < INK_BELOW));
            bits << (8 - dots.len())
        }));
    }
    rows
}

/// Counts gray dots none of whose eight neighbors is near black.
fn stray_grey(lightness: &[u8], width: usize) -> usize {
    let height = lightness.len() / width;
    let is_grey = |dot: u8| (NEAR_BLACK..NEAR_WHITE).contains(&dot);
    let near_black_around = |at: usize| {
        let (x, y) = (at % width, at / width);
        (y.saturating_sub(1)..(y + 2).min(height))
            .flat_map(|y| &lightness[y * width + x.saturating_sub(1)..y * width + (x + 2).min(width)])
            .any(|&dot| dot < NEAR_BLACK)
    };
    (0..lightness.len()).filter(|&at| is_grey(lightness[at]) && !near_black_around(at)).count()
}
