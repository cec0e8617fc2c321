//! The page again: a form that was refused is shown on its page with what was filled in, and with what is wrong beside the
//! field. So is one that came after its session had ended, once its operator has logged in. Nothing of it is kept here: it
//! goes back to the browser it came from.

use askama::Template;
use askama::filters::HtmlSafe;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

use super::form::Fields;
use crate::web::problem::{Kind, PageProblem, Problem, Refused};
use crate::web::session::SessionEnded;
use crate::web::{WebState, login};

/// Where every form says on which page it stands.
const PAGE: &str = "page";
/// The proof that a form belongs to its session; it is never kept.
const FORM_KEY: &str = "form_key";
/// Passwords, which are never sent back.
const PASSWORDS: [&str; 2] = ["password", "password_again"];
/// The longest form that is kept through a log-in, in octets.
const KEPT_OCTETS_MAX: usize = 16 * 1024;

/// What was filled in, and what is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    action: String,
    fields: Fields,
    field: Option<String>,
    words: String,
}

impl Kept {
    /// A form of that address, and what is wrong with one of its fields, or with all of it.
    #[must_use]
    pub fn new(action: &str, fields: Fields, refused: Refused) -> Self {
        let fields = fields.without(&PASSWORDS);
        Self { action: action.to_owned(), fields, field: refused.field, words: refused.words }
    }

    /// What is said, as a sentence.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Whether it is about one field.
    #[must_use]
    pub const fn is_about_field(&self) -> bool {
        self.field.is_some()
    }
}

/// The dashboard's pages without what stands before them, to show one of them again.
#[derive(Debug, Clone)]
pub struct Pages {
    state: WebState,
    router: Router,
}

impl Pages {
    /// The pages over a state.
    #[must_use]
    pub const fn new(state: WebState, router: Router) -> Self {
        Self { state, router }
    }

    /// The page with what was filled in, if there is such a page. `headers` has the cookies.
    async fn again(&self, page: &str, kept: Kept, headers: &HeaderMap, status: StatusCode) -> Option<Response> {
        let uri: Uri = page.parse().ok()?;
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = uri;
        for cookie in headers.get_all(header::COOKIE) {
            request.headers_mut().append(header::COOKIE, cookie.clone());
        }
        request.extensions_mut().insert(kept);
        let Ok(mut shown) = self.router.clone().oneshot(request).await;
        let is_page =
            shown.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        if shown.status() != StatusCode::OK || !is_page {
            return None;
        }
        *shown.status_mut() = status;
        Some(shown)
    }

    /// After a log-in: the page where somebody was when the session ended, with what they had filled in. `redirect` is the
    /// answer without it, whose cookies the page brings along.
    pub(in crate::web) async fn after_login(&self, left: &Left, session: &str, redirect: Response) -> Response {
        let words =
            "Your session had ended, so nothing was saved yet. Check what you entered, then press the button again.";
        let refused = Refused { field: None, words: words.to_owned() };
        let kept = Kept::new(&left.action, Fields::parse(left.kept.as_bytes()), refused);
        let mut headers = HeaderMap::new();
        if let Ok(cookie) = HeaderValue::try_from(session) {
            headers.insert(header::COOKIE, cookie);
        }
        let Some(mut shown) = self.again(&left.page, kept, &headers, StatusCode::OK).await else { return redirect };
        for cookie in redirect.headers().get_all(header::SET_COOKIE) {
            shown.headers_mut().append(header::SET_COOKIE, cookie.clone());
        }
        shown
    }
}

/// What was left behind when a session ended: the page, the form's address, and what was filled in, as it was posted.
#[derive(Debug, Clone, Default)]
pub struct Left {
    /// The page the form stands on.
    pub page: String,
    /// Where the form goes.
    pub action: String,
    /// Its fields, as a form is posted; empty if nothing is kept.
    pub kept: String,
}

/// Stands before the pages: a form that they refuse is answered with its page again.
pub async fn show_again(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    // How much may come was measured before.
    let Ok(octets) = to_bytes(body, usize::MAX).await else {
        return PageProblem(Problem::new(Kind::Malformed, "the form was cut off")).into_response();
    };
    let (action, headers) = (parts.uri.path().to_owned(), parts.headers.clone());
    let response = next.run(Request::from_parts(parts, Body::from(octets.clone()))).await;
    let has_ended = response.extensions().get::<SessionEnded>().is_some();
    let refused = response.extensions().get::<Refused>().cloned();
    if !has_ended && refused.is_none() {
        return response;
    }
    let fields = Fields::parse(&octets);
    // A form of another site has nothing to be shown here.
    let page = fields.text(PAGE).to_owned();
    if fields.check_storable().is_err() || login::local(&page) != page || login::refuse_other_sites(&headers).is_err() {
        return response;
    }
    match refused {
        Some(refused) => {
            let kept = Kept::new(&action, fields, refused);
            pages.again(&page, kept, &headers, response.status()).await.unwrap_or(response)
        }
        None => login::after_end(&pages.state, &left(page, action, &octets)),
    }
}

fn left(page: String, action: String, octets: &Bytes) -> Left {
    let fields = url::form_urlencoded::parse(octets)
        .filter(|(name, _)| name != FORM_KEY && name != PAGE && !PASSWORDS.contains(&name.as_ref()));
    let kept: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Left { page, action, kept: if kept.len() > KEPT_OCTETS_MAX { String::new() } else { kept } }
}

/// The hidden fields of every form: the session's key, and the page it stands on.
#[derive(Debug, Clone, Template)]
#[template(
    source = r#"<input type="hidden" name="form_key" value="{{ form_key }}"><input type="hidden" name="page" value="{{ page }}">"#,
    ext = "html"
)]
pub struct Key {
    /// The session's key.
    pub form_key: String,
    /// The page.
    pub page: String,
}

impl HtmlSafe for Key {}

/// A form of a page, with what was filled in if it is shown again.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    kept: Option<&'a Kept>,
}

impl<'a> Form<'a> {
    /// The form with that address.
    #[must_use]
    pub fn of(kept: Option<&'a Kept>, action: &str) -> Self {
        Self { kept: kept.filter(|kept| kept.action == action) }
    }

    /// The same, if it is the one of several that has this value in that field.
    #[must_use]
    pub fn where_is(self, name: &str, value: &str) -> Self {
        Self { kept: self.kept.filter(|kept| kept.fields.text(name) == value) }
    }

    /// Whether nobody has filled it in yet.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        self.kept.is_none()
    }

    /// What stands in a field: what was filled in, `otherwise` if nobody did.
    #[must_use]
    pub fn value<'b>(&'b self, name: &str, otherwise: &'b str) -> &'b str {
        self.kept.map_or(otherwise, |kept| kept.fields.text(name))
    }

    /// Whether that word was chosen, or that box was checked.
    #[must_use]
    pub fn picks(&self, name: &str, word: &str) -> bool {
        self.kept.is_some_and(|kept| kept.fields.text(name) == word)
    }

    /// The attributes of a field that is wrong; none for any other.
    #[must_use]
    pub fn marks(&self, name: &str) -> Marks {
        Marks { is_wrong: self.fault(name).is_some() }
    }

    /// What is wrong with a field; nothing for any other.
    #[must_use]
    pub fn wrong(&self, name: &str) -> Wrong<'a> {
        Wrong { words: self.fault(name) }
    }

    fn fault(&self, name: &str) -> Option<&'a str> {
        self.kept.filter(|kept| kept.field.as_deref() == Some(name)).map(|kept| kept.words.as_str())
    }
}

/// The attributes of a field: that it is wrong, where it is said, and that it is to be filled in next.
#[derive(Debug, Clone, Copy, Template)]
#[template(
    source = r#"{% if is_wrong %} aria-invalid="true" aria-describedby="wrong" autofocus{% endif %}"#,
    ext = "html"
)]
pub struct Marks {
    is_wrong: bool,
}

impl HtmlSafe for Marks {}

/// What is wrong with a field, below it.
#[derive(Debug, Clone, Copy, Template)]
#[template(
    source = r#"{% if let Some(words) = words %}<p class="wrong" id="wrong">{{ words }}</p>{% endif %}"#,
    ext = "html"
)]
pub struct Wrong<'a> {
    words: Option<&'a str>,
}

impl HtmlSafe for Wrong<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(field: Option<&str>) -> Kept {
        let refused = Refused { field: field.map(str::to_owned), words: "Please fill in: the <title>.".to_owned() };
        Kept::new("/referrers/1/touch", Fields::parse(b"title=&note=two+%22words%22&kind=call"), refused)
    }

    #[test]
    fn a_form_shows_what_was_filled_in_and_what_is_wrong_beside_its_field() {
        let kept = kept(Some("title"));
        let form = Form::of(Some(&kept), "/referrers/1/touch");
        assert_eq!((form.value("note", "x"), form.value("title", "x")), ("two \"words\"", ""));
        assert!(form.picks("kind", "call") && !form.picks("kind", "visit") && !form.is_new());
        assert_eq!(form.wrong("note").to_string(), "");
        let said = form.wrong("title").to_string();
        assert!(said.contains("id=\"wrong\"") && !said.contains("<title>"), "{said}");
        assert!(form.marks("title").to_string().contains("aria-describedby=\"wrong\""));
    }

    #[test]
    fn another_form_of_the_page_stays_as_it_is() {
        let kept = kept(Some("title"));
        let form = Form::of(Some(&kept), "/referrers/1/basis");
        assert_eq!((form.value("title", "as it is"), form.is_new()), ("as it is", true));
        assert!(Form::of(Some(&kept), "/referrers/1/touch").where_is("kind", "visit").is_new());
    }

    #[test]
    fn what_is_left_behind_has_no_key_and_no_password_and_is_bounded() {
        let of = |octets: Vec<u8>| left("/".into(), "/suppressions".into(), &Bytes::from(octets)).kept;
        assert_eq!(of(b"form_key=secret&page=%2F&address=a%40b".to_vec()), "address=a%40b");
        assert_eq!(of(b"name=sam&password=lakeside&password_again=lakeside".to_vec()), "name=sam");
        assert_eq!(of([b"note=".as_slice(), &[b'x'; KEPT_OCTETS_MAX]].concat()), "");
    }
}
