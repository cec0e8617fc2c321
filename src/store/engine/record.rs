//! Reading a row back field by field: a value that cannot be read is an error that names table, row and column, never the
//! value, which may be anything.

use std::fmt;

/// What could not be read, in words for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(in crate::store) struct Unreadable(pub String);

/// The error for one field. Of the cause, only our own words are kept.
pub(in crate::store) fn unreadable(
    table: &str,
    key: &dyn fmt::Display,
    column: &str,
    error: &sqlx::Error,
) -> sqlx::Error {
    let why = match error {
        sqlx::Error::ColumnDecode { source, .. } if source.to_string().starts_with("it holds no known") => {
            format!("{source}; was it written by a later version?")
        }
        sqlx::Error::ColumnNotFound(_) => "there is no such column".to_owned(),
        _ => "it has an unexpected type".to_owned(),
    };
    sqlx::Error::Decode(Box::new(Unreadable(format!("{table} {key}, column {column}: {why}"))))
}

/// Reads a record from a row of either engine. `by` names the column that tells its rows apart. Behind the semicolon stand
/// the fields that are read from several columns of the row, as [`row!`] describes them.
macro_rules! record {
    ($name:ty: $table:literal by $key:ident as $key_type:ty { $($field:ident),+ $(,)? $(; $($part:ident),+)? }) => {
        $crate::store::engine::record::record!(
            @ sqlx::sqlite::SqliteRow, $name, $table, $key, $key_type, $($field),+ $(; $($part),+)?
        );
        $crate::store::engine::record::record!(
            @ sqlx::postgres::PgRow, $name, $table, $key, $key_type, $($field),+ $(; $($part),+)?
        );
    };
    (@ $row:ty, $name:ty, $table:literal, $key:ident, $key_type:ty, $($field:ident),+ $(; $($part:ident),+)?) => {
        impl sqlx::FromRow<'_, $row> for $name {
            fn from_row(row: &$row) -> Result<Self, sqlx::Error> {
                let key: $key_type = sqlx::Row::try_get(row, stringify!($key))?;
                Ok(Self {
                    $($field: sqlx::Row::try_get(row, stringify!($field)).map_err(|error| {
                        $crate::store::engine::record::unreadable($table, &key, stringify!($field), &error)
                    })?,)+
                    $($($part: sqlx::FromRow::from_row(row)?,)+)?
                })
            }
        }
    };
}
pub(in crate::store) use record;

/// Reads a row of either engine that is no record of its own: its columns are the fields, unless another name is given.
macro_rules! row {
    ($name:ty { $($field:ident $(= $column:literal)?),+ $(,)? }) => {
        $crate::store::engine::record::row!(@ sqlx::sqlite::SqliteRow, $name, $($field $(= $column)?),+);
        $crate::store::engine::record::row!(@ sqlx::postgres::PgRow, $name, $($field $(= $column)?),+);
    };
    (@ $row:ty, $name:ty, $($field:ident $(= $column:literal)?),+) => {
        impl sqlx::FromRow<'_, $row> for $name {
            fn from_row(row: &$row) -> Result<Self, sqlx::Error> {
                Ok(Self {
                    $($field: sqlx::Row::try_get(row, $crate::store::engine::record::row!(# $field $($column)?))?,)+
                })
            }
        }
    };
    (# $field:ident) => { stringify!($field) };
    (# $field:ident $column:literal) => { $column };
}
pub(in crate::store) use row;
