//! The questions of `touchline init`, in ten groups, and the way through them: forward, back, and again from the review.

use super::account_questions;
use super::choices::{CONDITIONS, HOURS, INSURERS, RESPONSE_TIMES, SERVICES};
use super::draft::Draft;
use super::prompts::{Asked, answer, line, long_line, one_of, optional_line, say, some_of};
use super::reading::{as_printed, background, is_toll_free, list, one_line, person, place, says};
use super::states::{find_state, zone_words};
use crate::domain::practice::called_number;
use crate::domain::{EmailAddress, FaxNumber};

/// Where a question leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// To the next one.
    On,
    /// To the one before.
    Back,
    /// On in the same direction: it does not arise here.
    Skip,
}

/// One question.
type Question = fn(&mut Draft) -> dialoguer::Result<Turn>;

/// Questions about one thing.
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    questions: &'static [Question],
}

/// All groups in the order in which they are asked.
pub static GROUPS: [Group; 10] = [
    Group { title: "The practice", questions: &[name, legal_name] },
    Group { title: "Its address", questions: &[street, city_state_zip, time_zone] },
    Group { title: "Telephone, fax and email", questions: &[phone, fax, email, website] },
    Group { title: "Referrals", questions: &[referral_line, hours, response_time] },
    Group { title: "Who signs the letters", questions: &[signer, credentials, experience] },
    Group { title: "Treatments you offer", questions: &[services, other_services] },
    Group { title: "Conditions you treat", questions: &[conditions, other_conditions] },
    Group { title: "Insurers you accept", questions: &[insurers, other_insurers] },
    Group {
        title: "How recipients say that they want no more letters",
        questions: &[opt_out_phone, opt_out_fax, opt_out_email],
    },
    Group {
        title: "How letters are sent",
        questions: &[
            account_questions::fax,
            account_questions::fax_settings,
            account_questions::email,
            account_questions::email_settings,
        ],
    },
];

/// Asks the groups from one to another, in order; the first question cannot be taken back.
///
/// # Errors
/// There is no terminal, or the person canceled.
pub fn ask(draft: &mut Draft, groups: std::ops::Range<usize>) -> dialoguer::Result<()> {
    let questions: Vec<(usize, Question)> = groups
        .flat_map(|number| {
            GROUPS.get(number).into_iter().flat_map(move |g| g.questions.iter().map(move |q| (number, *q)))
        })
        .collect();
    let (mut at, mut shown, mut is_forward) = (0, None, true);
    while let Some((number, question)) = questions.get(at) {
        if shown != Some(*number) {
            say(&format!("\n{} of {}  {}", number + 1, GROUPS.len(), GROUPS[*number].title));
            shown = Some(*number);
        }
        let turn = question(draft)?;
        is_forward = match turn {
            Turn::On => true,
            Turn::Back => false,
            // Nothing before the first question: on from there.
            Turn::Skip => is_forward || at == 0,
        };
        if is_forward {
            at += 1;
        } else if at == 0 {
            say("  This is the first question.");
        } else {
            at -= 1;
        }
    }
    Ok(())
}

fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn name(draft: &mut Draft) -> dialoguer::Result<Turn> {
    draft.name = answer!(line("Name on the letterhead", given(&draft.name), one_line));
    Ok(Turn::On)
}

fn legal_name(draft: &mut Draft) -> dialoguer::Result<Turn> {
    say("  Federal law wants the legal name at the top edge of every fax.");
    let standing = given(&draft.legal_name).unwrap_or(&draft.name).to_owned();
    draft.legal_name = answer!(line("Legal name", Some(&standing), one_line));
    Ok(Turn::On)
}

fn street(draft: &mut Draft) -> dialoguer::Result<Turn> {
    draft.street = answer!(line("Street and suite", given(&draft.street), one_line));
    Ok(Turn::On)
}

fn city_state_zip(draft: &mut Draft) -> dialoguer::Result<Turn> {
    let (city, state, zip) = answer!(line("City, state and ZIP code", draft.place().as_deref(), place));
    if draft.state != state.code {
        draft.zone = state.zones.first().copied();
    }
    (draft.city, draft.state, draft.zip) = (city, state.code.to_owned(), zip);
    if let ([one], Some(_)) = (state.zones, draft.zone) {
        say(&format!("  Time zone: {}", zone_words(*one)));
    }
    Ok(Turn::On)
}

/// Asked only where the state has several.
fn time_zone(draft: &mut Draft) -> dialoguer::Result<Turn> {
    let zones = find_state(&draft.state).map_or(&[][..], |state| state.zones);
    if zones.len() < 2 {
        return Ok(Turn::Skip);
    }
    let items: Vec<String> = zones.iter().map(|zone| zone_words(*zone)).collect();
    let standing = zones.iter().position(|zone| Some(*zone) == draft.zone).unwrap_or(0);
    let chosen = answer!(one_of("Time zone", &items, standing));
    draft.zone = zones.get(chosen).copied();
    Ok(Turn::On)
}

fn number(text: &str) -> Result<FaxNumber, String> {
    FaxNumber::parse(text).map_err(|error| error.to_string())
}

fn telephone(text: &str) -> Result<FaxNumber, String> {
    called_number(text).map_err(|error| error.to_string())
}

fn mailbox(text: &str) -> Result<EmailAddress, String> {
    EmailAddress::parse(text).map_err(|error| error.to_string())
}

fn pretty(number: Option<&FaxNumber>) -> Option<String> {
    number.map(FaxNumber::pretty)
}

fn phone(draft: &mut Draft) -> dialoguer::Result<Turn> {
    draft.phone = Some(answer!(line("Main telephone number", pretty(draft.phone.as_ref()).as_deref(), telephone)));
    Ok(Turn::On)
}

fn fax(draft: &mut Draft) -> dialoguer::Result<Turn> {
    let other = draft.phone.clone();
    let read = |text: &str| {
        let fax = number(text)?;
        let is_same = Some(&fax) == other.as_ref();
        if is_same { Err("this is the telephone number: callers would hear a fax machine".to_owned()) } else { Ok(fax) }
    };
    draft.fax = Some(answer!(line("Fax number", pretty(draft.fax.as_ref()).as_deref(), read)));
    Ok(Turn::On)
}

fn email(draft: &mut Draft) -> dialoguer::Result<Turn> {
    let standing = draft.email.as_ref().map(|email| email.as_str().to_owned());
    draft.email = Some(answer!(line("Email address that letters come from", standing.as_deref(), mailbox)));
    Ok(Turn::On)
}

fn website(draft: &mut Draft) -> dialoguer::Result<Turn> {
    draft.website = answer!(optional_line("Website (Enter: none)", draft.website.as_deref(), one_line));
    Ok(Turn::On)
}

fn referral_line(draft: &mut Draft) -> dialoguer::Result<Turn> {
    say("  Letters print one number to call about a referral.");
    let standing = pretty(draft.referral_line.as_ref());
    let words = "Referral line (Enter: the main number)";
    draft.referral_line = answer!(optional_line(words, standing.as_deref(), telephone));
    Ok(Turn::On)
}

/// One of a list, or what is typed where the last entry is chosen.
fn picked(
    prompt: &str,
    choices: &[&str],
    last: &str,
    typed: &str,
    standing: Option<&str>,
) -> dialoguer::Result<Asked<String>> {
    let items: Vec<String> = choices.iter().copied().chain([last]).map(str::to_owned).collect();
    let place = standing.map(|standing| choices.iter().position(|choice| *choice == standing).unwrap_or(choices.len()));
    loop {
        let Asked::Answer(chosen) = one_of(prompt, &items, place.unwrap_or(0))? else { return Ok(Asked::Back) };
        if let Some(choice) = choices.get(chosen) {
            return Ok(Asked::Answer((*choice).to_owned()));
        }
        if let Asked::Answer(text) = line(typed, standing, one_line)? {
            return Ok(Asked::Answer(text));
        }
    }
}

fn hours(draft: &mut Draft) -> dialoguer::Result<Turn> {
    draft.hours = Some(answer!(picked("Hours", &HOURS, "other hours", "Hours, in words", draft.hours.as_deref())));
    Ok(Turn::On)
}

fn response_time(draft: &mut Draft) -> dialoguer::Result<Turn> {
    say("  Letters promise: \"We call the patient within …\".");
    let standing = given(&draft.response_time).map(str::to_owned);
    let typed = "Within (such as: four hours)";
    draft.response_time = answer!(picked("Within", &RESPONSE_TIMES, "another time", typed, standing.as_deref()));
    Ok(Turn::On)
}

fn signer(draft: &mut Draft) -> dialoguer::Result<Turn> {
    let standing = draft.signer();
    let name = answer!(line("Name and letters, such as Elena Marsh, MD", standing.as_deref(), one_line));
    (draft.director, draft.credentials) = person(&name, "");
    draft.director = as_printed(&draft.director);
    if let Some(signer) = draft.signer().filter(|signer| *signer != name) {
        say(&format!("  Letters will be signed: {signer}"));
    }
    Ok(Turn::On)
}

/// Asked only where the name came without.
fn credentials(draft: &mut Draft) -> dialoguer::Result<Turn> {
    if !draft.credentials.is_empty() {
        return Ok(Turn::Skip);
    }
    let letters = answer!(optional_line("Letters after the name (Enter: none)", None, one_line));
    (draft.director, draft.credentials) = person(&draft.director, &letters.unwrap_or_default());
    Ok(Turn::On)
}

fn experience(draft: &mut Draft) -> dialoguer::Result<Turn> {
    say("  The introduction prints one or two sentences about training and experience,");
    say("  such as: I am board certified in psychiatry and opened this practice in 2018.");
    let standing = given(&draft.background).map(str::to_owned);
    if let Some(standing) = &standing {
        say(&format!("  So far: {standing}"));
    }
    let keys = if standing.is_some() { "Sentences (Enter: as before)" } else { "Sentences (Enter: none)" };
    draft.background = answer!(long_line(keys, standing.as_deref(), background)).unwrap_or_default();
    Ok(Turn::On)
}

/// Marks of a list; what was typed in addition stays.
fn mark(list: &mut Vec<String>, prompt: &str, choices: &[&str]) -> dialoguer::Result<Turn> {
    let items: Vec<String> = choices.iter().map(|choice| (*choice).to_owned()).collect();
    let marked: Vec<bool> = items.iter().map(|item| list.contains(item)).collect();
    let chosen = answer!(some_of(prompt, &items, &marked));
    let others: Vec<String> = list.iter().filter(|entry| !items.contains(entry)).cloned().collect();
    *list = chosen.into_iter().filter_map(|index| items.get(index).cloned()).chain(others).collect();
    for entry in &*list {
        say(&format!("  - {entry}"));
    }
    Ok(Turn::On)
}

/// What is not among the choices.
fn add_others(entries: &mut Vec<String>, choices: &[&str]) -> dialoguer::Result<Turn> {
    let is_choice = |entry: &str| choices.contains(&entry);
    let standing: Vec<&str> = entries.iter().map(String::as_str).filter(|entry| !is_choice(entry)).collect();
    let standing = Some(standing.join("; ")).filter(|text| !text.is_empty());
    let keys = match &standing {
        Some(standing) => format!("Others, with ; between them (Enter: {standing})"),
        None => "Others, with ; between them (Enter: none)".to_owned(),
    };
    let typed = answer!(long_line(&keys, standing.as_deref(), |text| Ok(list(text))));
    entries.retain(|entry| is_choice(entry));
    for entry in typed.unwrap_or_default() {
        if !entries.iter().any(|known| says(known, &entry)) {
            entries.push(entry);
        }
    }
    Ok(Turn::On)
}

fn services(draft: &mut Draft) -> dialoguer::Result<Turn> {
    mark(&mut draft.services, "Treatments", &SERVICES)
}

fn other_services(draft: &mut Draft) -> dialoguer::Result<Turn> {
    add_others(&mut draft.services, &SERVICES)
}

fn conditions(draft: &mut Draft) -> dialoguer::Result<Turn> {
    mark(&mut draft.conditions, "Conditions", &CONDITIONS)
}

fn other_conditions(draft: &mut Draft) -> dialoguer::Result<Turn> {
    add_others(&mut draft.conditions, &CONDITIONS)
}

fn insurers(draft: &mut Draft) -> dialoguer::Result<Turn> {
    mark(&mut draft.insurers, "Insurers", &INSURERS)
}

fn other_insurers(draft: &mut Draft) -> dialoguer::Result<Turn> {
    add_others(&mut draft.insurers, &INSURERS)
}

fn opt_out_phone(draft: &mut Draft) -> dialoguer::Result<Turn> {
    say("  Every advertisement prints these; they must take requests day and night.");
    let standing = pretty(draft.opt_out_phone.as_ref().or(draft.phone.as_ref()));
    draft.opt_out_phone = Some(answer!(line("Telephone number for it", standing.as_deref(), telephone)));
    Ok(Turn::On)
}

fn opt_out_fax(draft: &mut Draft) -> dialoguer::Result<Turn> {
    let standing = pretty(draft.opt_out_fax.as_ref().or(draft.fax.as_ref()));
    draft.opt_out_fax = Some(answer!(line("Fax number for it", standing.as_deref(), number)));
    if draft.has_toll_free() {
        draft.opt_out_email = None;
    }
    Ok(Turn::On)
}

/// Asked only where neither number is free of charge.
fn opt_out_email(draft: &mut Draft) -> dialoguer::Result<Turn> {
    if [&draft.opt_out_phone, &draft.opt_out_fax].into_iter().flatten().any(is_toll_free) {
        return Ok(Turn::Skip);
    }
    say("  Neither number is toll-free, and one way must cost nothing: email does.");
    let standing = draft.opt_out_email.as_ref().or(draft.email.as_ref()).map(|email| email.as_str().to_owned());
    draft.opt_out_email = Some(answer!(line("Email address for it", standing.as_deref(), mailbox)));
    Ok(Turn::On)
}
