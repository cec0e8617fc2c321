//! To be written.
use crate::support::arguments::Run;
use crate::support::report::Figure;
pub async fn measure(_run: &Run) -> anyhow::Result<Vec<Figure>> {
    Ok(Vec::new())
}
