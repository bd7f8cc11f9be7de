//! States by their names in rows: each name stands once.

/// Gives a type of states without fields `name` and `named`.
macro_rules! names {
    ($type:ident { $($state:ident => $name:literal),* $(,)? }) => {
        impl $type {
            /// Its name in rows.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$state => $name,)*
                }
            }

            /// The state of a name.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$state),)*
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use names;
