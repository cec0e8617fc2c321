//! Names of people as lists write them: in one cell, in either order, with titles, initials and letters after them.

use super::casing::{Part, as_written};

/// Letters that may follow a name, without their dots.
const CREDENTIALS: &[&str] = &[
    "MD", "DO", "MBBS", "PHD", "PSYD", "EDD", "DNP", "DSW", "PHARMD", "DMD", "DDS", "DC", "ND", "NP", "APN", "APRN",
    "ARNP", "CRNP", "FNP", "FNPC", "FNPBC", "PMHNP", "PMHNPBC", "PMHCNS", "CNP", "CNS", "CNM", "PA", "PAC", "RN",
    "BSN", "MSN", "MS", "MA", "MSW", "MPH", "MBA", "MED", "LCSW", "LCSWR", "LICSW", "LMSW", "LSW", "CSW", "LPC",
    "LCPC", "LPCC", "LMHC", "LMFT", "MFT", "CADC", "LCADC", "NCC", "RD", "FACP", "FAAP", "FACOG", "FAAFP", "DFAPA",
    "FAPA", "ABPP", "DPM", "OD", "DPT", "PT", "OTR", "OTRL", "OTD", "SLP", "CCCSLP", "AUD", "ESQ", "CASAC", "RDN",
    "LP", "CPNP", "CPNPPC", "CPNPAC", "MRCPSYCH", "FRCPC", "FAACAP", "DFAACAP", "FASAM", "LCDC", "LICDC", "LCMHC",
    "LCMHCS", "LPCMH", "LMHCA", "LMFTA", "LISW", "LISWS", "LSCSW", "LCSWC", "LGPC", "LGSW", "CSAC", "CAADC", "CPRP",
    "BCBA", "AGNP", "AGPCNP", "AGACNP", "PMHCNSBC",
];
/// Letters that are family names as well: behind one, in a list that writes capitals only, they are taken for a name.
pub(super) const NAMES_TOO: &[&str] = &["DO", "MA", "PA"];
/// Titles before a name.
const TITLES: &[&str] = &["dr", "doctor", "mr", "mrs", "ms", "miss", "prof", "professor", "drs"];
/// Professions that stand behind a name instead of letters.
const PROFESSIONS: &[&str] = &[
    "psychologist",
    "psychiatrist",
    "psychotherapist",
    "therapist",
    "counselor",
    "physician",
    "nurse",
    "practitioner",
    "worker",
    "dietitian",
    "nutritionist",
    "pharmacist",
    "neurologist",
    "pediatrician",
    "internist",
];
/// Parts of a family name that come before its last word.
const PARTICLES: &[&str] =
    &["de", "del", "della", "der", "di", "du", "el", "la", "le", "st", "van", "von", "ter", "dos", "da"];
/// Parts that belong to a family name though they come after it.
const SUFFIXES: &[&str] = &["jr", "sr", "ii", "iii", "iv", "vi", "vii"];
/// Words that occur only in an organization's name.
const ORGANIZATION_WORDS: &[&str] = &[
    "associates",
    "association",
    "center",
    "centre",
    "centers",
    "clinic",
    "clinics",
    "collective",
    "college",
    "counseling",
    "department",
    "foundation",
    "group",
    "health",
    "healthcare",
    "hospital",
    "inc",
    "institute",
    "llc",
    "llp",
    "medical",
    "medicine",
    "network",
    "office",
    "partners",
    "pc",
    "physicians",
    "pllc",
    "practice",
    "program",
    "psychiatry",
    "recovery",
    "services",
    "specialists",
    "system",
    "therapy",
    "university",
    "wellness",
];

/// A person's name in its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PersonName {
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
    pub(super) credentials: Option<String>,
}

/// Takes a whole name apart: `Whitfield, Amara J., MD`, `Amara J. Whitfield MD`, `Dr. Amara Whitfield, DO, PhD`.
pub(super) fn take_apart(text: &str) -> PersonName {
    let text = without_nicknames(text);
    let Parts { names, mut letters, suffix } = sort_parts(&text);
    let (mut first, mut last) = match names.as_slice() {
        [] => (Vec::new(), Vec::new()),
        [whole] => {
            let mut tokens: Vec<&str> = whole.split_whitespace().collect();
            while tokens.len() > 2 && tokens.last().is_some_and(|token| is_credential(token)) {
                letters.splice(0..0, tokens.pop().map(tidy_credentials));
            }
            split_in_reading_order(&tokens)
        }
        [last, first, ..] => {
            let mut first: Vec<&str> = first.split_whitespace().collect();
            while first.len() > 1 && first.last().is_some_and(|token| token.len() > 1 && is_credential(token)) {
                letters.splice(0..0, first.pop().map(tidy_credentials));
            }
            let mut last: Vec<&str> = last.split_whitespace().collect();
            while last.len() > 1 && last.last().is_some_and(|token| is_credential(token) && !NAMES_TOO.contains(token))
            {
                letters.splice(0..0, last.pop().map(tidy_credentials));
            }
            (first, last)
        }
    };
    last.extend(suffix);
    drop_titles(&mut first);
    drop_titles(&mut last);
    first.retain(|token| !TITLES.contains(&bare(token).as_str()));
    drop_initials(&mut first);
    PersonName {
        first: join(&first, Part::Given),
        last: join(&last, Part::Family),
        credentials: join_letters(&letters),
    }
}

/// The parts of a name between its commas.
struct Parts<'t> {
    /// The whole name, or the family name and the given names.
    names: Vec<&'t str>,
    letters: Vec<String>,
    suffix: Option<&'t str>,
}

/// Tells which parts are names and which are letters or a suffix behind them.
fn sort_parts(text: &str) -> Parts<'_> {
    let mut parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let mut sorted = Parts { names: parts.next().into_iter().collect(), letters: Vec::new(), suffix: None };
    let Some(start) = sorted.names.first().copied() else { return sorted };
    for part in parts {
        let is_named = sorted.names.len() > 1;
        let has_letters = !sorted.letters.is_empty();
        if part.split_whitespace().all(is_credential) {
            sorted.letters.push(tidy_credentials(part));
        } else if is_suffix(part) {
            sorted.suffix = Some(part);
        } else if follows_a_name(start, part, is_named, has_letters) {
            sorted.letters.push(tidy_credentials(part));
        } else if !is_named {
            sorted.names.push(part);
        }
    }
    sorted
}

/// Whether a part that is not known whole is letters or a profession, and not the given name behind a family name. `start`
/// is the part before the first comma; `is_named` says that the given name stands elsewhere.
pub(super) fn follows_a_name(start: &str, part: &str, is_named: bool, has_letters: bool) -> bool {
    let tokens: Vec<&str> = part.split_whitespace().collect();
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return false };
    let is_profession = PROFESSIONS.contains(&bare(last).as_str());
    if is_profession || (is_credential(first) && !NAMES_TOO.contains(first)) {
        return true;
    }
    let capitals = part.chars().filter(|c| c.is_uppercase()).count();
    // `J.P.` is initials.
    let is_initials = part.contains('.') && capitals <= 2;
    if tokens.len() > 1 || capitals < 2 || is_initials || !(is_named || is_complete(start)) {
        return false;
    }
    if part.contains(char::is_lowercase) {
        // `MRCPsych` and no `LaTonya`.
        return capitals > 2;
    }
    // In a list of capitals only, a word in capitals is as likely a name.
    start.contains(char::is_lowercase) || has_letters
}

/// Whether a text is a whole name in reading order, and not a family name of several words.
fn is_complete(text: &str) -> bool {
    let is_name = |token: &&str| !is_suffix(token) && !is_credential(token);
    let mut names = text.split_whitespace().filter(is_name);
    let starts = names.next().is_some_and(|token| !PARTICLES.contains(&bare(token).as_str()));
    starts && names.next().is_some()
}

/// Drops what is in parentheses or double quotes: a nickname, not a name for letters.
fn without_nicknames(text: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((start, open)) = rest.char_indices().find(|(_, c)| matches!(c, '(' | '"' | '\u{201c}')) {
        let close = match open {
            '(' => ')',
            '"' => '"',
            _ => '\u{201d}',
        };
        let (before, inside) = (&rest[..start], &rest[start + open.len_utf8()..]);
        let Some((_, after)) = inside.split_once(close) else { break };
        kept.push_str(before);
        rest = after;
    }
    kept.push_str(rest);
    if kept.chars().any(char::is_alphanumeric) { kept } else { text.to_owned() }
}

/// Given names, then the family name, which is the last word with its particles and suffix.
fn split_in_reading_order<'t>(tokens: &[&'t str]) -> (Vec<&'t str>, Vec<&'t str>) {
    let mut tokens = tokens.to_vec();
    drop_titles(&mut tokens);
    let mut start = tokens.len().saturating_sub(1);
    if start > 1 && tokens.get(start).is_some_and(|token| is_suffix(token)) {
        start -= 1;
    }
    while start > 1 && PARTICLES.contains(&bare(tokens[start - 1]).as_str()) {
        start -= 1;
    }
    let last = tokens.split_off(start);
    (tokens, last)
}

/// Drops the titles at the beginning, of a couple too: `Dr. & Mrs. Lee`.
pub(super) fn drop_titles(tokens: &mut Vec<&str>) {
    let mut is_dropped = false;
    while tokens.len() > 1 {
        let is_and = matches!(tokens[0], "&" | "+" | "and" | "And" | "AND");
        if !(TITLES.contains(&bare(tokens[0]).as_str()) || is_dropped && is_and) {
            break;
        }
        tokens.remove(0);
        is_dropped = true;
    }
}

/// Drops middle initials; the letter greets by the first name or the last, never by an initial.
fn drop_initials(tokens: &mut Vec<&str>) {
    while tokens.len() > 1 && tokens.last().is_some_and(|token| bare(token).chars().count() == 1) {
        tokens.pop();
    }
}

/// Letters and digits only, in lower case.
fn bare(token: &str) -> String {
    token.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether the word is letters after a name. Two letters count only in capitals: `Ma` and `Do` are names.
pub(crate) fn is_credential(token: &str) -> bool {
    if bare(token).chars().count() == 2 && token.chars().any(char::is_lowercase) {
        return false;
    }
    let letters = bare(token).to_uppercase();
    CREDENTIALS.contains(&letters.as_str())
        || token.split(['/', '-']).all(|part| CREDENTIALS.contains(&bare(part).to_uppercase().as_str()))
}

/// Whether the word belongs behind a family name.
pub(super) fn is_suffix(token: &str) -> bool {
    SUFFIXES.contains(&bare(token).as_str())
}

/// What belongs behind a family name, as people write it: `JR` is Jr, `iii` is III.
pub(super) fn suffix_as_written(text: &str) -> String {
    let bare = text.trim_end_matches('.');
    let is_numeral = bare.chars().all(|c| matches!(c.to_ascii_uppercase(), 'I' | 'V' | 'X'));
    if is_numeral { bare.to_ascii_uppercase() } else { as_written(text, Part::Family) }
}

/// Letters after a name without their periods: `M.D.` as `MD`.
pub(super) fn tidy_credentials(text: &str) -> String {
    let plain: String = text.chars().filter(|c| *c != '.').collect();
    let parts: Vec<&str> = plain.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

fn join_letters(letters: &[String]) -> Option<String> {
    (!letters.is_empty()).then(|| letters.join(", "))
}

fn join(tokens: &[&str], part: Part) -> Option<String> {
    (!tokens.is_empty()).then(|| as_written(&tokens.join(" "), part))
}

/// Whether a name can only be an organization's. `Center, Paul` and `Health, Mary A., MD` are people, whatever their family
/// name means.
pub(super) fn is_organization(text: &str) -> bool {
    let is_word = |word: &str| ORGANIZATION_WORDS.contains(&bare(word).as_str());
    let mut parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let names = (parts.next(), parts.next(), parts.next());
    if let (Some(last), Some(first), further) = names {
        let is_letters = |part: &str| part.split_whitespace().all(is_credential);
        let is_one = !last.contains(char::is_whitespace) && first.split_whitespace().count() <= 2;
        let is_given = !first.split_whitespace().any(is_word) && !is_letters(first);
        if is_one && is_given && further.is_none_or(is_letters) {
            return false;
        }
    }
    text.split_whitespace().any(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String, String) {
        let name = take_apart(text);
        (name.first.unwrap_or_default(), name.last.unwrap_or_default(), name.credentials.unwrap_or_default())
    }

    #[test]
    fn names_in_one_cell_are_taken_apart() {
        for (text, first, last, letters) in [
            ("Whitfield, Amara J, MD", "Amara", "Whitfield", "MD"),
            ("WHITFIELD, AMARA J., M.D., Ph.D.", "Amara", "Whitfield", "MD, PhD"),
            ("Amara Whitfield", "Amara", "Whitfield", ""),
            ("Dr. Amara J. Whitfield MD", "Amara", "Whitfield", "MD"),
            ("Keisha Fielding, PMHNP-BC", "Keisha", "Fielding", "PMHNP-BC"),
            ("Jan van der Berg, DO", "Jan", "van der Berg", "DO"),
            ("O'BRIEN-MCKAY, SIOBHAN", "Siobhan", "O'Brien-McKay", ""),
            ("King, Martin, Jr., MD", "Martin", "King Jr.", "MD"),
            ("Robert Stone III", "Robert", "Stone III", ""),
            ("Do, Ma", "Ma", "Do", ""),
            ("Reyes-Lindqvist, Hannah LCSW", "Hannah", "Reyes-Lindqvist", "LCSW"),
            ("Mary Ann Lee", "Mary Ann", "Lee", ""),
            ("Cher", "", "Cher", ""),
            (",,", "", "", ""),
            ("NULL, JENNIFER", "Jennifer", "Null", ""),
            ("Jennifer Null, MD", "Jennifer", "Null", "MD"),
            ("PATEL MD, PRIYA", "Priya", "Patel", "MD"),
            ("LE DO, ANH", "Anh", "Le Do", ""),
            ("Brown, LaTonya (Toni), LMFT", "LaTonya", "Brown", "LMFT"),
            ("Robert \"Bob\" Stone, MD", "Robert", "Stone", "MD"),
            ("Robert \u{201c}Bob\u{201d} Stone", "Robert", "Stone", ""),
            ("Robert (Bob Stone", "Robert (Bob", "Stone", ""),
            ("(Toni)", "", "(Toni)", ""),
            ("Dr Amara Whitfield DPM", "Amara", "Whitfield", "DPM"),
            ("John Smith Esq.", "John", "Smith", "Esq"),
            ("St. John, Peter", "Peter", "St. John", ""),
            ("Zoë Núñez, PsyD", "Zoë", "Núñez", "PsyD"),
            ("SMITH JR, JOHN A, DO", "John", "Smith Jr", "DO"),
            ("NG, WEI, MD", "Wei", "Ng", "MD"),
            ("XIN LI MD", "Xin", "Li", "MD"),
            ("ROBERT STONE III MD", "Robert", "Stone III", "MD"),
            ("STONE III, ROBERT", "Robert", "Stone III", ""),
            ("VAN DER BERG, JAN, DO", "Jan", "van der Berg", "DO"),
            ("MARIA DE LA CRUZ", "Maria", "de la Cruz", ""),
            ("ANGUS MCKAY", "Angus", "McKay", ""),
            ("Ada Quill, CASAC", "Ada", "Quill", "CASAC"),
            ("Ada Quill, XQZP", "Ada", "Quill", "XQZP"),
            ("Ada M. Quill-Orr, LCSW-R, XQZP", "Ada", "Quill-Orr", "LCSW-R, XQZP"),
            ("Ada Quill, MD, MRCPsych", "Ada", "Quill", "MD, MRCPsych"),
            ("Ada Quill, FRXPsych", "Ada", "Quill", "FRXPsych"),
            ("Ada Quill, MD FAPA, XQZP", "Ada", "Quill", "MD FAPA, XQZP"),
            ("Ada Quill, LCSW, LP", "Ada", "Quill", "LCSW, LP"),
            ("Ada Quill, CPNP-PC", "Ada", "Quill", "CPNP-PC"),
            ("Ada Quill, Clinical Psychologist", "Ada", "Quill", "Clinical Psychologist"),
            ("ADA QUILL, MD, XQZP", "Ada", "Quill", "MD, XQZP"),
            ("Dr. Quill, XQZP", "", "Quill", "XQZP"),
            ("Quill, Ada, MD, XQZP", "Ada", "Quill", "MD, XQZP"),
            ("QUILL, ADA", "Ada", "Quill", ""),
            ("QUILL ORR, ADA", "Ada", "Quill Orr", ""),
            ("Quill Orr, Ada", "Ada", "Quill Orr", ""),
            ("Quill Orr, LaTonya", "LaTonya", "Quill Orr", ""),
            ("Quill Orr, J.P.", "J.P.", "Quill Orr", ""),
            ("van der Berg, JAN", "Jan", "van der Berg", ""),
            ("Quill, MD, Ada", "Ada", "Quill", "MD"),
            ("Dr. & Mrs. Quill", "", "Quill", ""),
            ("Mr. and Mrs. Ada Quill", "Ada", "Quill", ""),
            ("Quill, Dr.", "", "Quill", ""),
        ] {
            assert_eq!(parts(text), (first.into(), last.into(), letters.into()), "{text}");
        }
    }

    #[test]
    fn an_organization_is_not_taken_for_a_person() {
        assert!(is_organization("Ridgeline Psychiatry Associates, LLC"));
        assert!(!is_organization("Amara Whitfield, MD"));
        for text in ["Center, Paul", "Health, Mary A.", "PRACTICE, JOAN, MD"] {
            assert!(!is_organization(text), "{text}");
        }
        for text in ["Psychiatry, PC", "Recovery, Inc", "Elm Health, Boston", "Wellness Center", "Clinic, Elm Group"] {
            assert!(is_organization(text), "{text}");
        }
    }
}
