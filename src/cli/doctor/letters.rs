//! Whether the letters can go out: all of them load, and the finished introduction has nothing that would embarrass the
//! practice.

use super::{Findings, State};
use crate::cli::console::count;
use crate::cli::proofreading::{LETTER, Mistake, of_introduction, of_practice};
use crate::cli::rehearsal::sends_nothing;
use crate::config::Config;
use crate::domain::Channel;
use crate::render::Renderer;
use crate::wording::attention;

/// Checks both.
pub(super) fn check(config: &Config, findings: &mut Findings) {
    check_practice(config, findings);
    let renderer = match Renderer::load_in_service(config.practice.clone(), config.templates.folder.as_deref()) {
        Ok(renderer) => renderer,
        Err(errors) => {
            let words: Vec<String> = errors.iter().map(ToString::to_string).collect();
            return findings.add("letters", State::Fail, words.join("\n"));
        }
    };
    check_service(&renderer, findings);
    if renderer.ready(LETTER, Channel::ALL).is_ok() {
        let mistakes = of_introduction(&renderer);
        tell("introduction", &mistakes, config, "it reads well from beginning to end", findings);
    }
}

/// A letter that is out of service is a warning; a channel by which no letter can go is a failure.
fn check_service(renderer: &Renderer, findings: &mut Findings) {
    if renderer.mistakes().is_empty() {
        return findings.add(
            "letters",
            State::Ok,
            format!("{}, all sound", count(renderer.letters().count(), "letter")),
        );
    }
    let goes = |by: &Channel| renderer.letters().any(|letter| renderer.ready(&letter.name, &[*by]).is_ok());
    let state = if Channel::ALL.iter().all(goes) { State::Warn } else { State::Fail };
    let out = renderer.out_of_service();
    let mut words: Vec<String> = out.iter().map(|out| attention::out_of_service(&out.letters, out.by)).collect();
    if words.is_empty() {
        words.push("every letter is in service, but a file that none needs has a mistake".to_owned());
    }
    words.extend(renderer.mistakes().iter().map(ToString::to_string));
    findings.add("letters", state, words.join("\n"));
}

fn check_practice(config: &Config, findings: &mut Findings) {
    let mistakes = of_practice(&config.practice);
    let mut well = config.practice.name.clone();
    if config.practice.medical_director.background.trim().is_empty() {
        well.push_str("; practice.medical_director.background is empty, and the introduction does without");
    }
    tell("practice", &mistakes, config, &well, findings);
}

/// A mistake fails the check. An invented practice is as it should be while everything goes to the sandbox.
fn tell(check: &str, mistakes: &[Mistake], config: &Config, well: &str, findings: &mut Findings) {
    let rehearses = sends_nothing(config);
    let state = match mistakes {
        [] => return findings.add(check, State::Ok, well),
        all if rehearses && all.iter().all(|mistake| mistake.is_invented) => State::Warn,
        _ => State::Fail,
    };
    let words: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    findings.add(check, state, words.join("\n"));
}
