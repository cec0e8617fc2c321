//! Many rows in one statement, and few texts of statements. Each engine keeps the plan of a text it has seen, so lists and
//! rows come only in lengths that are powers of two: a list repeats its last key, rows are split.

use sqlx::{Database, Encode, QueryBuilder, Type};

/// Rows or keys in one statement at most. More is not faster and comes near the engines' limits on parameters.
pub const ROWS_MAX: usize = 128;

/// Cuts rows into portions whose lengths are powers of two.
pub(in crate::store) fn portions<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let length = match rest.len() {
            0 => return None,
            many if many >= ROWS_MAX => ROWS_MAX,
            few => 1 << few.ilog2(),
        };
        let (portion, others) = rest.split_at(length);
        rest = others;
        Some(portion)
    })
}

/// Cuts rows into runs that weigh no more than `most` together, unless one row alone does.
pub(in crate::store) fn weighed<T>(
    rows: &[T],
    most: usize,
    weight: impl Fn(&T) -> usize,
) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut sum = 0_usize;
        let fits = rest.iter().take_while(|row| {
            sum = sum.saturating_add(weight(row));
            sum <= most
        });
        let (run, others) = rest.split_at(fits.count().max(1).min(rest.len()));
        rest = others;
        (!run.is_empty()).then_some(run)
    })
}

/// Cuts keys into lists of at most [`ROWS_MAX`].
pub(in crate::store) fn lists<T>(keys: &[T]) -> impl Iterator<Item = &[T]> {
    keys.chunks(ROWS_MAX)
}

/// Writes the keys of a list with commas between; the last one is repeated until their number is a power of two.
pub(in crate::store) fn push_list<'k, D, T>(statement: &mut QueryBuilder<D>, keys: &'k [T])
where
    D: Database,
    T: Copy + Send + Encode<'k, D> + Type<D> + 'k,
{
    let mut list = statement.separated(", ");
    for index in 0..keys.len().next_power_of_two() {
        if let Some(key) = keys.get(index.min(keys.len().saturating_sub(1))) {
            list.push_bind(*key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn portions_hold_every_row_once_in_order_and_are_powers_of_two(count in 0usize..1000) {
            let rows: Vec<usize> = (0..count).collect();
            let cut: Vec<&[usize]> = portions(&rows).collect();
            prop_assert_eq!(&cut.concat(), &rows);
            prop_assert!(cut.iter().all(|portion| portion.len().is_power_of_two() && portion.len() <= ROWS_MAX));
        }

        #[test]
        fn runs_hold_every_row_once_in_order_and_none_is_too_heavy(rows in prop::collection::vec(0usize..20, 0..50)) {
            let runs: Vec<&[usize]> = weighed(&rows, 30, |row| *row).collect();
            prop_assert_eq!(&runs.concat(), &rows);
            prop_assert!(runs.iter().all(|run| !run.is_empty() && run.iter().sum::<usize>() <= 30));
            prop_assert!(weighed(&rows, 0, |row| *row + 1).all(|run| run.len() == 1), "a heavy row goes alone");
        }

        #[test]
        fn a_list_names_every_key_and_its_length_is_a_power_of_two(count in 1usize..=ROWS_MAX) {
            let keys: Vec<i64> = (0..i64::try_from(count).unwrap_or(0)).collect();
            let mut statement = QueryBuilder::<sqlx::Sqlite>::new("");
            push_list(&mut statement, &keys);
            let places = statement.sql().as_str().matches('?').count().max(statement.sql().as_str().matches('$').count());
            prop_assert_eq!(places, count.next_power_of_two());
        }
    }
}
