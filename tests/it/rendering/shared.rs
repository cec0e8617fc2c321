//! Letterhead and notices of one's own: a mistake in one takes out of service what is made with it, by its channel, and
//! nothing else.

use touchline::domain::channel::{Channel, PhiClass, Purpose};
use touchline::render::{Kind, Letter, RenderError, Renderer};

use super::{folder, job, practice, referrer};

/// Whether a letter needs a file by a channel.
type Needs = fn(&Letter, Channel) -> bool;

const FILES: [(&str, &str, Needs); 9] = [
    ("letterhead/fax.typ", "#let broken = (", |_, by| by == Channel::Fax),
    ("letterhead/cover.typ", "#let broken = (", |letter, by| by == Channel::Fax && letter.phi == PhiClass::Identified),
    ("letterhead/email.mjml.hbs", "<mjml><mj-body></mjml>", |_, by| by == Channel::Email),
    ("notices/fax-opt-out.toml", "heading =", |letter, by| {
        by == Channel::Fax && letter.purpose == Purpose::Advertisement
    }),
    ("notices/reply-form.toml", "heading =", |letter, by| by == Channel::Fax && letter.reply_form),
    ("notices/email-footer.toml", "link_text =", |letter, by| by == Channel::Email && letter.purpose.is_outreach()),
    ("notices/confidentiality.toml", "fax =", |letter, _| letter.phi == PhiClass::Identified),
    ("notices/instruments.toml", "instrument =", |letter, _| {
        letter.variables.iter().any(|variable| variable.kind == Kind::Measures)
    }),
    ("notices/words.toml", "inducement =", |letter, by| by == Channel::Fax && letter.purpose == Purpose::Informational),
];

#[test]
fn a_mistake_takes_out_of_service_what_is_made_with_it_and_nothing_else() {
    let sound = Renderer::load(practice(), None).expect("the built-in letters");
    for (file, text, needs) in FILES {
        let folder = folder(&[(file, text)]);
        let renderer = Renderer::load_in_service(practice(), Some(folder.path()))
            .unwrap_or_else(|errors| panic!("{file} stops everything: {errors:?}"));
        assert!(renderer.mistakes().iter().all(|mistake| mistake.template == file), "{:?}", renderer.mistakes());
        assert!(!renderer.mistakes().is_empty() && Renderer::load(practice(), Some(folder.path())).is_err(), "{file}");
        for letter in sound.letters() {
            for by in Channel::ALL.iter().copied() {
                let is_out = renderer.mistake(&letter.name, &[by]).is_some();
                assert_eq!(is_out, needs(letter, by), "{} by {by} with a mistake in {file}", letter.name);
                assert_eq!(renderer.ready(&letter.name, &[by]).is_err(), is_out, "{} by {by}: {file}", letter.name);
            }
        }
        let told = renderer.out_of_service();
        let told = told.iter().map(|out| out.letters.len() * out.by.map_or(2, |_| 1)).sum::<usize>();
        let expected = sound.letters().flat_map(|letter| Channel::ALL.iter().map(move |by| needs(letter, *by)));
        assert_eq!(told, expected.filter(|is_needed| *is_needed).count(), "{file}: each is told once");
    }
}

#[test]
fn what_is_in_service_is_rendered_and_what_is_not_says_why() {
    let referrer = referrer();
    for (file, text, needs) in FILES {
        let folder = folder(&[(file, text)]);
        let renderer = Renderer::load_in_service(practice(), Some(folder.path())).expect("in service");
        let sound = Renderer::load(practice(), None).expect("the built-in letters");
        for name in ["introduction", "community-resource", "end-of-treatment-report"] {
            let letter = sound.letter(name).expect("built in");
            let job = job(name, &referrer, &letter.sample);
            let (fax, mail) = (renderer.fax(&job).map(drop), renderer.mail(&job).map(drop));
            for (by, made) in [(Channel::Fax, fax), (Channel::Email, mail)] {
                match made {
                    Ok(()) => assert!(!needs(letter, by), "{name} by {by} was made without {file}"),
                    Err(RenderError::OutOfService { mistake, .. }) => {
                        assert!(needs(letter, by) && mistake.starts_with(file), "{name} by {by}: {mistake}");
                    }
                    Err(other) => panic!("{name} by {by}, {file}: {other}"),
                }
            }
        }
    }
}

#[test]
fn what_is_built_in_does_not_stand_in_for_a_file_that_cannot_be_read() {
    for (file, _, _) in FILES {
        let folder = folder(&[(file, "")]);
        std::fs::write(folder.path().join(file), [0xff, 0xfe]).expect("written");
        let renderer = Renderer::load_in_service(practice(), Some(folder.path())).expect("in service");
        assert!(!renderer.out_of_service().is_empty(), "{file}");
        let said: Vec<String> = renderer.mistakes().iter().map(ToString::to_string).collect();
        assert_eq!(said, [format!("{file}: is not UTF-8 text")], "told once");
    }
}

#[test]
fn a_letterhead_that_fails_only_while_a_page_is_set_is_found_at_the_start() {
    let built_in = include_str!("../../../templates/letterhead/cover.typ");
    let fails = format!("{built_in}\n#panic(\"no\")\n");
    let folder = folder(&[("letterhead/cover.typ", &fails)]);
    let renderer = Renderer::load_in_service(practice(), Some(folder.path())).expect("in service");
    assert!(renderer.mistake("end-of-treatment-report", &[Channel::Fax]).is_some());
    assert!(renderer.mistake("introduction", &[Channel::Fax]).is_none());
}

#[test]
fn a_picture_that_is_gone_stops_faxes_and_no_mail() {
    let folder = folder(&[]);
    let practice = touchline::domain::practice::Practice { logo: Some(folder.path().join("gone.png")), ..practice() };
    let renderer = Renderer::load_in_service(practice, None).expect("mail goes");
    let mistake = renderer.mistake("introduction", &[Channel::Fax]).expect("no fax goes");
    assert_eq!(mistake.template, "practice.logo");
    assert!(renderer.ready("introduction", &[Channel::Email]).is_ok());
}
