//! The pages of a finished fax document as dots, drawn from its PDF: what was sent can be viewed as it was sent,
//! however the letter, the referrer or the letterhead has changed since.

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{RenderCache, RenderSettings};
use touchline_typeset::{Bitmap, Resolution};

/// A fax document whose pages can be drawn. Drawing takes a few milliseconds per page and belongs on a blocking thread.
pub struct DrawnFax(Pdf);

impl DrawnFax {
    /// Reads a PDF; `None` if it cannot be read or has no page.
    #[must_use]
    pub fn read(pdf: Vec<u8>) -> Option<Self> {
        let pdf = Pdf::new(pdf).ok()?;
        (!pdf.pages().is_empty()).then_some(Self(pdf))
    }

    /// How many pages it has.
    #[must_use]
    pub fn page_count(&self) -> usize {
        self.0.pages().len()
    }

    /// A page, from 0, on the fax grid, by the threshold of every fax page. `None` if there is no such page, or it has no
    /// size.
    #[must_use]
    pub fn bitmap(&self, page: usize, resolution: Resolution) -> Option<Bitmap> {
        let page = self.0.pages().get(page)?;
        let (width_pt, height_pt) = page.render_dimensions();
        if !(width_pt > 1.0 && height_pt > 1.0) {
            return None;
        }
        let (width, height) = resolution.page_dots();
        let settings = RenderSettings {
            x_scale: width as f32 / width_pt,
            y_scale: height as f32 / height_pt,
            width: u16::try_from(width).ok(),
            height: u16::try_from(height).ok(),
            bg_color: WHITE,
        };
        let dots = hayro::render(page, &RenderCache::new(), &InterpreterSettings::default(), &settings);
        Bitmap::from_rgba(resolution, width, height, dots.data_as_u8_slice())
    }
}
