//! How one column becomes one field. The `Any` driver knows integers, doubles and text only; times, truth
//! values and JSON are read from those here, so that the row types can hold what they mean.

use model::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

/// A type that can be read from one column.
pub(crate) trait Field: Sized {
    /// Reads the column; `None` when it is NULL.
    fn read_nullable(row: &AnyRow, name: &str) -> Result<Option<Self>, sqlx::Error>;

    /// Reads the column, which must not be NULL.
    fn read(row: &AnyRow, name: &str) -> Result<Self, sqlx::Error> {
        Self::read_nullable(row, name)?.ok_or_else(|| sqlx::Error::ColumnDecode {
            index: name.to_owned(),
            source: "unexpected NULL".into(),
        })
    }
}

impl<T: Field> Field for Option<T> {
    fn read_nullable(row: &AnyRow, name: &str) -> Result<Option<Self>, sqlx::Error> {
        T::read_nullable(row, name).map(Some)
    }
}

macro_rules! plain_field {
    ($($t:ty),*) => {$(
        impl Field for $t {
            fn read_nullable(row: &AnyRow, name: &str) -> Result<Option<Self>, sqlx::Error> {
                row.try_get(name)
            }
        }
    )*};
}
plain_field!(i64, f64, String);

impl Field for bool {
    fn read_nullable(row: &AnyRow, name: &str) -> Result<Option<Self>, sqlx::Error> {
        Ok(row.try_get::<Option<i64>, _>(name)?.map(|n| n != 0))
    }
}

impl Field for Timestamp {
    fn read_nullable(row: &AnyRow, name: &str) -> Result<Option<Self>, sqlx::Error> {
        Ok(row
            .try_get::<Option<i64>, _>(name)?
            .map(Timestamp::from_micros))
    }
}

impl Field for serde_json::Value {
    fn read_nullable(row: &AnyRow, name: &str) -> Result<Option<Self>, sqlx::Error> {
        row.try_get::<Option<String>, _>(name)?
            .map(|text| {
                serde_json::from_str(&text).map_err(|e| sqlx::Error::ColumnDecode {
                    index: name.to_owned(),
                    source: e.into(),
                })
            })
            .transpose()
    }
}

/// A stored hash. It is never shown: not in JSON, not in a log line.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the hash's text.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, to check against or to store.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Field for Secret {
    fn read_nullable(row: &AnyRow, name: &str) -> Result<Option<Self>, sqlx::Error> {
        Ok(String::read_nullable(row, name)?.map(Self))
    }
}

/// Declares a row type whose fields are the table's columns of the same names.
macro_rules! table_row {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* pub $field:ident: $type:ty, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }
        impl<'r> sqlx::FromRow<'r, sqlx::any::AnyRow> for $name {
            fn from_row(row: &'r sqlx::any::AnyRow) -> std::result::Result<Self, sqlx::Error> {
                Ok(Self {
                    $( $field: <$type as $crate::field::Field>::read(
                        row,
                        stringify!($field).trim_start_matches("r#"),
                    )?, )*
                })
            }
        }
    };
}
pub(crate) use table_row;
