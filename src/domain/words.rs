//! Vocabularies: enums whose values have one spelling each, the same in the database, the API and the logs.

/// An enum of words with their one spelling: text, JSON and database column.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word used in the schema, the API and the logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let word = text.trim().to_ascii_lowercase().replace([' ', '-'], "_");
                Self::ALL.iter().copied().find(|value| value.as_str() == word).ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    let word: String = word.chars().take(80).collect();
                    format!("`{word}` is not one of: {}", known.join(", "))
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                const WORDS: &[&str] = &[$($text,)+];
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(|_| serde::de::Error::unknown_variant(&text, WORDS))
            }
        }

        $crate::domain::words::text_column!($name);
    };
}
pub(crate) use words;

/// JSON for a type written by `Display` and read back with `parse`.
macro_rules! text_json {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use text_json;

/// The type of a database column: the one that another type has.
macro_rules! column_type {
    ($name:ident: $stored:ty) => {
        impl<D: sqlx::Database> sqlx::Type<D> for $name
        where
            $stored: sqlx::Type<D>,
        {
            fn type_info() -> D::TypeInfo {
                <$stored as sqlx::Type<D>>::type_info()
            }
            fn compatible(info: &D::TypeInfo) -> bool {
                <$stored as sqlx::Type<D>>::compatible(info)
            }
        }
    };
}
pub(crate) use column_type;

/// A database column of text for a type that is read back with `parse`. An unknown word is an error that names the
/// type, never the word, which may be anything; the record's reader adds table, row and column.
macro_rules! text_column {
    ($name:ident) => {
        $crate::domain::words::text_column!($name, &'static str, |value| value.as_str());
    };
    ($name:ident, $text:ty, |$value:ident| $written:expr) => {
        $crate::domain::words::column_type!($name: String);

        impl<'q, D: sqlx::Database> sqlx::Encode<'q, D> for $name
        where
            $text: sqlx::Encode<'q, D>,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut <D as sqlx::Database>::ArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                let $value = self;
                <$text as sqlx::Encode<'q, D>>::encode($written, buffer)
            }
        }

        impl<'r, D: sqlx::Database> sqlx::Decode<'r, D> for $name
        where
            &'r str: sqlx::Decode<'r, D>,
        {
            fn decode(value: <D as sqlx::Database>::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                let text = <&'r str as sqlx::Decode<'r, D>>::decode(value)?;
                text.parse().map_err(|_| concat!("it holds no known ", stringify!($name)).into())
            }
        }
    };
}
pub(crate) use text_column;

/// A database column of the type that the only field of a type has.
macro_rules! field_column {
    ($name:ident: $field:ty) => {
        $crate::domain::words::column_type!($name: $field);

        impl<'q, D: sqlx::Database> sqlx::Encode<'q, D> for $name
        where
            $field: sqlx::Encode<'q, D>,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut <D as sqlx::Database>::ArgumentBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                <$field as sqlx::Encode<'q, D>>::encode_by_ref(&self.0, buffer)
            }
        }

        impl<'r, D: sqlx::Database> sqlx::Decode<'r, D> for $name
        where
            $field: sqlx::Decode<'r, D>,
        {
            fn decode(value: <D as sqlx::Database>::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                Ok(Self(<$field as sqlx::Decode<'r, D>>::decode(value)?))
            }
        }
    };
}
pub(crate) use field_column;
