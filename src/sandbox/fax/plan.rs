//! What becomes of the next fax: the script decides first, then the number, then chance.

use std::sync::{Mutex, PoisonError};

use super::behaviour::{Behaviour, Manners};
use super::chance::Chances;
use super::magic;
use super::record::tail_and_hash;
use super::script::Script;
use crate::domain::FaxNumber;

/// How the line decides.
#[derive(Debug)]
pub(super) struct Plan {
    script: Script,
    chances: Chances,
    manners: Manners,
    drawn: Mutex<Drawn>,
}

#[derive(Debug)]
struct Drawn {
    /// How many faxes each rule has matched.
    counts: Vec<u32>,
    lots: fastrand::Rng,
}

impl Plan {
    /// A plan in which `manners` hold for every fax. The script's chances come second to those given separately.
    pub(super) fn new(mut script: Script, chances: Option<Chances>, manners: Manners) -> Self {
        let chances = chances.or_else(|| script.chances.take()).unwrap_or_default();
        let drawn = Drawn { counts: vec![0; script.rules.len()], lots: fastrand::Rng::with_seed(chances.seed()) };
        Self { script, chances, manners, drawn: Mutex::new(drawn) }
    }

    /// What is in force besides the numbers, one sentence each, for people.
    pub(super) fn words(&self) -> Vec<String> {
        let rules = self.script.rules.len();
        let script = (rules > 0)
            .then(|| format!("A script of {rules} {} decides first.", if rules == 1 { "rule" } else { "rules" }));
        let chances = Some(self.chances.words()).filter(|words| !words.is_empty());
        let chances = chances.map(|words| format!("Other numbers by chance: {words}; the rest delivers."));
        let manners = Some(self.manners.words()).filter(|words| !words.is_empty());
        let manners = manners.map(|words| format!("All callbacks come {words}."));
        [script, chances, manners].into_iter().flatten().collect()
    }

    /// What becomes of a fax to that number. Each call counts as one fax.
    pub(super) fn next(&self, number: &FaxNumber) -> Behaviour {
        let (tail, _) = tail_and_hash(number);
        let behaviour = self.scripted(number).or_else(|| magic::of(&tail));
        self.with_manners(behaviour.unwrap_or_else(|| self.by_chance()))
    }

    /// What becomes of a fax that was accepted before the line restarted, of which only the last digits are known.
    pub(super) fn again(&self, tail: &str) -> Behaviour {
        self.with_manners(magic::of(tail).unwrap_or(Behaviour::ORDINARY))
    }

    fn with_manners(&self, behaviour: Behaviour) -> Behaviour {
        Behaviour { manners: behaviour.manners.and(self.manners), ..behaviour }
    }

    fn scripted(&self, number: &FaxNumber) -> Option<Behaviour> {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut decided = None;
        for (rule, count) in self.script.rules.iter().zip(&mut drawn.counts) {
            if rule.concerns(number) {
                *count = count.saturating_add(1);
                if decided.is_none() && rule.reaches(*count) {
                    decided = Some(rule.behaviour);
                }
            }
        }
        decided
    }

    fn by_chance(&self) -> Behaviour {
        let draw = self.drawn.lock().unwrap_or_else(PoisonError::into_inner).lots.f64();
        self.chances.of(draw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Fault;
    use crate::sandbox::fax::behaviour::Ending;

    fn number(tail: &str) -> FaxNumber {
        FaxNumber::parse(&format!("+1312555{tail}")).expect("a number")
    }

    fn plan(script: &str) -> Plan {
        Plan::new(Script::parse(script).expect("a script"), None, Manners::GOOD)
    }

    #[test]
    fn the_script_speaks_before_the_number_and_the_number_before_chance() {
        let plan = plan("[chance]\nexpired = 1.0\n[[rule]]\nends_in = '0118'\nnth = 2\nends = 'busy'");
        let endings: Vec<Ending> = (0..3).map(|_| plan.next(&number("0118")).ending).collect();
        let unanswered = Ending::Fails(Fault::NoAnswer);
        assert_eq!(endings, [unanswered, Ending::Fails(Fault::Busy), unanswered]);
        assert_eq!(plan.next(&number("0142")).ending, Ending::Fails(Fault::Expired));
    }

    #[test]
    fn the_same_seed_draws_the_same_fates_and_about_the_share() {
        let fates = |seed: u64| -> Vec<bool> {
            let plan = plan(&format!("seed = {seed}\n[chance]\nbusy = 0.3"));
            (0..1000).map(|_| plan.next(&number("0142")).ending == Ending::Fails(Fault::Busy)).collect()
        };
        assert_eq!(fates(5), fates(5));
        assert_ne!(fates(5), fates(6));
        let busy = fates(5).iter().filter(|busy| **busy).count();
        assert!((250..350).contains(&busy), "{busy}");
    }

    #[test]
    fn manners_of_the_line_hold_beside_those_of_a_number() {
        let plan = Plan::new(Script::default(), None, Manners::LATE);
        assert_eq!(plan.next(&number("0125")).manners, Manners::LATE.and(Manners::TWICE));
        assert_eq!(plan.again("0142").manners, Manners::LATE);
        assert_eq!(plan.words(), ["All callbacks come late."]);
    }

    #[test]
    fn what_is_in_force_is_said_in_words() {
        assert!(plan("").words().is_empty());
        let told = plan("[chance]\nbusy = 0.1\n[[rule]]\nends = 'expired'").words();
        let expected = ["A script of 1 rule decides first.", "Other numbers by chance: busy 10%; the rest delivers."];
        assert_eq!(told, expected);
    }
}
