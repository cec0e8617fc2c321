//! The dashboard: what an operator watches and decides.

/// The dashboard's pages.
pub fn routes() -> axum::Router<super::WebState> {
    axum::Router::new()
}
