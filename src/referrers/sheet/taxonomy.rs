//! What kind of referrer a row describes: from the NUCC taxonomy code, from words, or from the letters after the name.

use crate::domain::referrer::ReferrerType;
use crate::domain::referrer::ReferrerType::{
    AddictionCenter, CommunityHealth, Hospital, IopPhp, Pediatrics, PrimaryCare, PsychiatricNp, Psychiatrist,
    Specialty, Therapist, WomensHealth,
};

/// Prefixes of NUCC codes and their kinds; the longest match decides. The set of `referral-domain.md` §1.1,
/// extended by the neighbors that occur in lists.
const CODES: &[(&str, ReferrerType)] = &[
    ("2084P08", Psychiatrist),    // psychiatry: general, addiction, child and adolescent, geriatric
    ("2084P0015", Psychiatrist),  // psychosomatic medicine
    ("2084F0202", Psychiatrist),  // forensic psychiatry
    ("2084", Specialty),          // neurology and its branches
    ("363LP0808", PsychiatricNp), // nurse practitioner, psychiatric and mental health
    ("364SP08", PsychiatricNp),   // clinical nurse specialist, psychiatric and mental health
    ("103", Therapist),           // psychologists
    ("1041", Therapist),          // social workers
    ("101Y", Therapist),          // counselors
    ("106H", Therapist),          // marriage and family therapists
    ("102L", Therapist),          // psychoanalysts
    ("261QR0405", AddictionCenter), // clinic, rehabilitation of substance use disorder
    ("261QM2800", AddictionCenter), // methadone clinic
    ("3245", AddictionCenter),    // substance abuse rehabilitation facility
    ("207Q", PrimaryCare),        // family medicine
    ("207R00000X", PrimaryCare),  // internal medicine
    ("207RG0300", PrimaryCare),   // geriatric medicine
    ("208D", PrimaryCare),        // general practice
    ("363LF0000", PrimaryCare),   // nurse practitioner, family
    ("363LP2300", PrimaryCare),   // nurse practitioner, primary care
    ("363LA2200", PrimaryCare),   // nurse practitioner, adult health
    ("261QP2300", PrimaryCare),   // clinic, primary care
    ("207V", WomensHealth),       // obstetrics and gynecology
    ("363LW0102", WomensHealth),  // nurse practitioner, women's health
    ("363LX0001", WomensHealth),  // nurse practitioner, obstetrics and gynecology
    ("367A", WomensHealth),       // midwife, certified nurse
    ("2080", Pediatrics),         // pediatrics and its branches
    ("363LP0200", Pediatrics),    // nurse practitioner, pediatrics
    ("261QM0801", CommunityHealth), // community mental health center
    ("261QM0850", CommunityHealth), // adult mental health clinic
    ("261QF0400", CommunityHealth), // federally qualified health center
    ("251S", CommunityHealth),    // community and behavioral health agency
    ("27", Hospital),             // hospital units
    ("28", Hospital),             // hospitals
    ("207", Specialty),           // other physicians
    ("208", Specialty),
    ("174400000X", Specialty),
];

/// Words of a specialty, a type or an organization; the first that occurs decides.
const WORDS: &[(&str, ReferrerType)] = &[
    ("pmhnp", PsychiatricNp),
    ("psychiatric nurse", PsychiatricNp),
    ("psychiatric np", PsychiatricNp),
    ("psychiatric mental health nurse", PsychiatricNp),
    ("nurse practitioner psych", PsychiatricNp),
    ("intensive outpatient", IopPhp),
    ("partial hospital", IopPhp),
    ("iop", IopPhp),
    ("php", IopPhp),
    ("psychiatric hospital", Hospital),
    ("psychiatr", Psychiatrist),
    ("community health", CommunityHealth),
    ("community mental", CommunityHealth),
    ("federally qualified", CommunityHealth),
    ("fqhc", CommunityHealth),
    ("addict", AddictionCenter),
    ("substance", AddictionCenter),
    ("recovery center", AddictionCenter),
    ("detox", AddictionCenter),
    ("methadone", AddictionCenter),
    ("physical therap", Specialty),
    ("occupational therap", Specialty),
    ("speech", Specialty),
    ("radiation", Specialty),
    ("psycholog", Therapist),
    ("psychotherap", Therapist),
    ("therapist", Therapist),
    ("therapy", Therapist),
    ("counsel", Therapist),
    ("social work", Therapist),
    ("marriage", Therapist),
    ("obstet", WomensHealth),
    ("gynec", WomensHealth),
    ("gynaec", WomensHealth),
    ("ob gyn", WomensHealth),
    ("obgyn", WomensHealth),
    ("midwi", WomensHealth),
    ("women", WomensHealth),
    ("pediatr", Pediatrics),
    ("paediatr", Pediatrics),
    ("family medicine", PrimaryCare),
    ("family practice", PrimaryCare),
    ("internal medicine", PrimaryCare),
    ("internist", PrimaryCare),
    ("primary care", PrimaryCare),
    ("general practice", PrimaryCare),
    ("geriatr", PrimaryCare),
    ("hospitalist", Specialty),
    ("hospital", Hospital),
    ("medical center", Hospital),
    ("health system", Hospital),
    ("oncolog", Specialty),
    ("cardiolog", Specialty),
    ("cardiovasc", Specialty),
    ("neurolog", Specialty),
    ("endocrin", Specialty),
    ("rheumat", Specialty),
    ("gastro", Specialty),
    ("dermat", Specialty),
    ("pulmon", Specialty),
    ("nephrolog", Specialty),
    ("urolog", Specialty),
    ("surg", Specialty),
    ("pain", Specialty),
    ("sleep", Specialty),
    ("orthop", Specialty),
    ("hematolog", Specialty),
];

/// Letters after the name that say it alone.
const LETTERS: &[(&str, ReferrerType)] = &[
    ("PMHNP", PsychiatricNp),
    ("PSYD", Therapist),
    ("LCSW", Therapist),
    ("LICSW", Therapist),
    ("LPC", Therapist),
    ("LCPC", Therapist),
    ("LMHC", Therapist),
    ("LMFT", Therapist),
    ("MFT", Therapist),
    ("CNM", WomensHealth),
];

/// The kind that a taxonomy code names, if the table knows it.
pub(super) fn of_code(code: &str) -> Option<ReferrerType> {
    let code = code.trim().to_ascii_uppercase();
    let fitting = CODES.iter().filter(|(beginning, _)| code.starts_with(beginning));
    fitting.max_by_key(|(beginning, _)| beginning.len()).map(|(_, kind)| *kind)
}

/// The kind that words name, if any is known. The schema's words for kinds are understood too.
pub(super) fn of_words(text: &str) -> Option<ReferrerType> {
    if let Ok(kind) = text.parse::<ReferrerType>() {
        return Some(kind);
    }
    let spaced: String = text.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let words = format!(" {} ", spaced.split_whitespace().collect::<Vec<_>>().join(" "));
    let occurs = |part: &str| match part.len() {
        0..=3 => words.contains(&format!(" {part} ")),
        _ => words.contains(&format!(" {part}")),
    };
    WORDS.iter().find(|(part, _)| occurs(part)).map(|(_, kind)| *kind)
}

/// The kind that the letters after a name say, if they say it alone.
pub(super) fn of_letters(credentials: &str) -> Option<ReferrerType> {
    credentials.split([',', ' ', '/', '-', ';']).find_map(|part| {
        let letters: String = part.chars().filter(char::is_ascii_alphabetic).collect();
        LETTERS.iter().find(|(known, _)| letters.eq_ignore_ascii_case(known)).map(|(_, kind)| *kind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReferrerType::Other;

    #[test]
    fn the_longest_fitting_code_decides() {
        for (code, kind) in [
            ("2084P0800X", Some(Psychiatrist)),
            ("2084P0804X", Some(Psychiatrist)),
            ("2084N0400X", Some(Specialty)),
            ("363LP0808X", Some(PsychiatricNp)),
            ("103TC0700X", Some(Therapist)),
            ("1041C0700X", Some(Therapist)),
            ("207R00000X", Some(PrimaryCare)),
            ("207RC0000X", Some(Specialty)),
            ("207V00000X", Some(WomensHealth)),
            ("208000000X", Some(Pediatrics)),
            ("261QF0400X", Some(CommunityHealth)),
            ("283Q00000X", Some(Hospital)),
            ("999", None),
        ] {
            assert_eq!(of_code(code), kind, "{code}");
        }
    }

    #[test]
    fn words_tell_neighbouring_kinds_apart() {
        for (text, kind) in [
            ("psychiatric_np", Some(PsychiatricNp)),
            ("Child & Adolescent Psychiatry", Some(Psychiatrist)),
            ("Psychiatric-Mental Health Nurse Practitioner", Some(PsychiatricNp)),
            ("Partial Hospitalization Program", Some(IopPhp)),
            ("IOP/PHP", Some(IopPhp)),
            ("Physical Therapy", Some(Specialty)),
            ("Marriage & Family Therapist", Some(Therapist)),
            ("OB/GYN", Some(WomensHealth)),
            ("Hospitalist", Some(Specialty)),
            ("Other", Some(Other)),
            ("Chiropractor", None),
            ("", None),
        ] {
            assert_eq!(of_words(text), kind, "{text}");
        }
    }

    #[test]
    fn letters_after_the_name_help_where_nothing_else_does() {
        assert_eq!(of_letters("DNP, PMHNP-BC"), Some(PsychiatricNp));
        assert_eq!(of_letters("L.C.S.W."), Some(Therapist));
        assert_eq!(of_letters("MD"), None);
    }
}
