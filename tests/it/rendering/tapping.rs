//! What a reader of a mail can tap: numbers that somebody answers and mailboxes, in the HTML part only.

use serde_json::{Map, json};
use touchline::render::{Job, Renderer};

use super::{built_in, folder, job, letter_md, object, practice, referrer};

/// The targets of the links of a mail's HTML.
fn targets(html: &str) -> Vec<&str> {
    html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn a_mailbox_in_a_letter_is_a_link_in_the_html_and_plain_in_the_text() {
    let (renderer, referrer) = (built_in(), referrer());
    let sample = &renderer.letter("community-resource").expect("built in").sample;
    let (mail, _) = renderer.mail(&job("community-resource", &referrer, sample)).expect("renders");
    let targets = targets(&mail.html);
    assert!(targets.contains(&"mailto:hello@lakeshorepeers.example"), "{targets:?}");
    assert!(targets.contains(&"tel:+18475550166"), "{targets:?}");
    assert!(mail.html.contains(">hello@lakeshorepeers.example</a>"), "{}", mail.html);
    assert!(mail.text.contains("or hello@lakeshorepeers.example") && !mail.text.contains("mailto:"), "{}", mail.text);
}

#[test]
fn the_mailbox_that_takes_refusals_can_be_written_to_where_there_is_no_page_for_it() {
    let (renderer, referrer) = (built_in(), referrer());
    let sample = &renderer.letter("article").expect("built in").sample;
    let (mail, _) = renderer.mail(&Job { unsubscribe: None, ..job("article", &referrer, sample) }).expect("renders");
    assert!(targets(&mail.html).contains(&"mailto:opt-out@lakeside-psychiatry.example"), "{}", mail.html);
    assert!(mail.html.contains("reply with the word “unsubscribe”"), "{}", mail.html);
}

#[test]
fn a_fax_number_of_the_practice_or_the_recipient_is_never_a_number_to_dial() {
    let more = "[variables.news]\nabout = \"News\"";
    let folder = folder(&[("ours/letter.md", &letter_md("operational", more, "Dear you,\n\n{{news}}"))]);
    let renderer = Renderer::load(practice(), Some(folder.path())).expect("a letter");
    let referrer = referrer();
    let said = |news: &str| {
        let variables: Map<_, _> = object(json!({ "news": news }));
        let (mail, _) = renderer.mail(&job("ours", &referrer, &variables)).expect("renders");
        targets(&mail.html).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let common = said("No news.");
    for news in [
        "Our new fax number is (847) 555-0199.",
        "Fax us at (847) 555-0199, not at (847) 555-0141.",
        "Is (847) 555-0102 still yours? Ours is (847) 555-0141.",
    ] {
        assert_eq!(said(news), common, "{news}");
    }
    for news in ["Fax (847) 555-0141, or call (847) 555-0166.", "Our new number is (847) 555-0166."] {
        let said = said(news);
        assert_eq!(said.len(), common.len() + 1, "{news}: {said:?}");
        assert!(said.contains(&"tel:+18475550166".to_owned()), "{news}: {said:?}");
    }
}
