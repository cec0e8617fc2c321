//! A partial that several letters include: its mistake is reported once, at its own line, and not once per letter.

use touchline::render::Renderer;

use super::{folder, letter_md, practice, refused};

#[test]
fn a_partial_with_a_mistake_is_told_once_with_its_own_file_and_line() {
    let said = refused(&[("partials/how-to-refer.md", "**To refer:**\n\n{{#if date}}call\n")]);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("partials/how-to-refer.md:") && !said.contains("unknown partial"), "{said}");

    let said = refused(&[("partials/how-to-refer.md", "**To refer:**\n\ncall {{practice.fone}}\n")]);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("partials/how-to-refer.md:3:6: unknown variable `practice.fone`"), "{said}");
}

#[test]
fn a_partial_that_nobody_wrote_is_told_where_it_is_included() {
    let letter = letter_md("advertisement", "", "{{> how-to-refr}}");
    let said = refused(&[("ours/letter.md", &letter), ("partials/broken.md", "{{#if date}}")]);
    assert!(said.contains("ours/letter.md:10:1: unknown partial `how-to-refr`"), "{said}");
    assert!(said.contains("partials/broken.md:") && said.lines().count() == 2, "{said}");
}

#[test]
fn a_letter_is_out_of_service_for_the_mistake_of_its_partial() {
    let folder = folder(&[("partials/how-to-refer.md", "{{#if date}}call\n")]);
    let renderer = Renderer::load_in_service(practice(), Some(folder.path())).expect("the others are in service");
    let broken = renderer.out_of_service();
    assert!(broken.iter().any(|out| out.letters == ["introduction"]), "{broken:?}");
    assert!(broken.iter().all(|out| out.mistake.template == "partials/how-to-refer.md"), "{broken:?}");
    assert!(renderer.letter("community-resource").is_some());
}
