//! Counting over a window that ends now, such as the last 24 hours, in few enough numbers to be kept in one column.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::clock::Timestamp;

/// Parts of a window. With the one that runs, one more is kept.
const PARTS: usize = 24;
const KEPT: usize = PARTS + 1;
const PARTS_MS: i64 = 24;
const KEPT_PARTS: i64 = 25;

/// How many there were in a window of a given length that ends now. The window is divided into 24 parts, and a part counts until
/// all of it has left the window: the count is never too low, and holds what is older than the window by a 24th of it at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rolling {
    /// The number of the newest part, counted from 1970.
    newest: i64,
    /// What was counted in it and in those before it.
    counts: [u32; KEPT],
}

impl Rolling {
    /// How many there were within the window.
    #[must_use]
    pub fn count(&self, window: Duration, now: Timestamp) -> u64 {
        self.moved_to(part_of(window, now)).counts.iter().copied().map(u64::from).sum()
    }

    /// With one more now.
    #[must_use]
    pub fn with_one(&self, window: Duration, now: Timestamp) -> Self {
        let mut moved = self.moved_to(part_of(window, now));
        moved.counts[0] = moved.counts[0].saturating_add(1);
        moved
    }

    /// With so many fewer, taken from the newest: they did not happen after all.
    #[must_use]
    pub fn without(&self, mut count: u32) -> Self {
        let mut left = *self;
        for part in &mut left.counts {
            let taken = count.min(*part);
            *part -= taken;
            count -= taken;
        }
        left
    }

    /// From when there are fewer than `most` within the window; now, if there are.
    #[must_use]
    pub fn below(&self, most: u32, window: Duration, now: Timestamp) -> Timestamp {
        let moved = self.moved_to(part_of(window, now));
        let mut left = moved.count(window, now);
        if left < u64::from(most) {
            return now;
        }
        // The oldest leave first.
        let oldest = moved.newest.saturating_sub(KEPT_PARTS - 1);
        for (part, count) in (oldest..).zip(moved.counts.iter().rev()) {
            left = left.saturating_sub(u64::from(*count));
            if left < u64::from(most) {
                return Timestamp(part.saturating_add(KEPT_PARTS).saturating_mul(part_ms(window))).max(now);
            }
        }
        now.after(window)
    }

    /// The parts as they stand once that one runs. A clock that was set back counts into the newest part.
    fn moved_to(&self, part: i64) -> Self {
        let Ok(by) = usize::try_from(part.saturating_sub(self.newest)) else { return *self };
        let mut counts = [0; KEPT];
        for (place, count) in self.counts.iter().enumerate() {
            if let Some(moved) = place.checked_add(by).and_then(|place| counts.get_mut(place)) {
                *moved = *count;
            }
        }
        Self { newest: part, counts }
    }
}

fn part_ms(window: Duration) -> i64 {
    i64::try_from(window.as_millis()).unwrap_or(i64::MAX).max(PARTS_MS) / PARTS_MS
}

fn part_of(window: Duration, now: Timestamp) -> i64 {
    now.0.div_euclid(part_ms(window))
}

/// The number of the newest part, then the counts, the newest first, without the zeros at the end; empty if all are zero.
impl fmt::Display for Rolling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(last) = self.counts.iter().rposition(|count| *count > 0) else { return Ok(()) };
        write!(f, "{}", self.newest)?;
        self.counts.iter().take(last + 1).try_for_each(|count| write!(f, " {count}"))
    }
}

impl FromStr for Rolling {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.split_ascii_whitespace();
        let Some(newest) = words.next() else { return Ok(Self::default()) };
        let mut read = Self { newest: newest.parse().map_err(|_| ())?, counts: [0; KEPT] };
        for (place, word) in words.enumerate() {
            *read.counts.get_mut(place).ok_or(())? = word.parse().map_err(|_| ())?;
        }
        Ok(read)
    }
}

super::words::text_column!(Rolling, String, |value| value.to_string());

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_secs(3600);

    proptest! {
        #[test]
        fn what_is_in_the_window_counts_and_what_has_long_left_it_does_not(
            gaps in prop::collection::vec(0i64..900_000, 1..80), most in 1u32..20,
        ) {
            let (mut now, mut rolling, mut times) = (Timestamp(1_795_000_000_000), Rolling::default(), Vec::new());
            for gap in gaps {
                now = Timestamp(now.0 + gap);
                rolling = rolling.with_one(HOUR, now);
                times.push(now);
                let within = |length: i64| times.iter().filter(|time| time.0 > now.0 - length).count() as u64;
                let count = rolling.count(HOUR, now);
                prop_assert!(within(3_600_000) <= count && count <= within(3_750_000), "{count}");
                prop_assert_eq!(rolling.to_string().parse(), Ok(rolling));
                let from = rolling.below(most, HOUR, now);
                prop_assert!(rolling.count(HOUR, from) < u64::from(most));
                let before = Timestamp(from.0 - 1);
                prop_assert!(from == now || rolling.count(HOUR, before) >= u64::from(most));
            }
            prop_assert_eq!(rolling.count(HOUR, now.after(HOUR * 2)), 0);
        }
    }

    #[test]
    fn what_did_not_happen_is_taken_from_the_newest() {
        let now = Timestamp(1_795_000_000_000);
        let later = now.after(HOUR / 2);
        let both = Rolling::default().with_one(HOUR, now).with_one(HOUR, later).with_one(HOUR, later);
        let counts = |rolling: Rolling| [rolling.count(HOUR, later), rolling.count(HOUR, now.after(HOUR * 5 / 4))];
        assert_eq!([counts(both), counts(both.without(2)), counts(both.without(9))], [[3, 2], [1, 0], [0, 0]]);
    }

    #[test]
    fn nothing_is_an_empty_word_and_anything_else_is_no_count() {
        assert_eq!((Rolling::default().to_string(), "".parse()), (String::new(), Ok(Rolling::default())));
        for text in ["x", "1 x", "1 -2", &format!("1{}", " 1".repeat(26))] {
            assert_eq!(text.parse::<Rolling>(), Err(()), "{text}");
        }
        let early = Timestamp(1_000);
        let rolling = Rolling::default().with_one(HOUR, Timestamp(3_600_000));
        assert_eq!(rolling.with_one(HOUR, early).count(HOUR, early), 2, "a clock that was set back forgets nothing");
    }
}
