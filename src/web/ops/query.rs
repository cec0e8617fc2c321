//! The query of a page's address. One that cannot be read gets a page, like every other error.

use axum::extract::{self, FromRequestParts};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::form::refused;
use crate::web::problem::PageProblem;

/// What may stand in the query. As an extractor it refuses what else stands there.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = PageProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, PageProblem> {
        let read = extract::Query::<T>::from_request_parts(parts, state).await;
        read.map(|extract::Query(read)| Self(read))
            .map_err(|_| refused("The address of this page cannot be read. Follow a link instead."))
    }
}
