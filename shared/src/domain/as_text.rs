//! Values that are sent and stored as text, by `Display` and `FromStr`.

/// Serializes by `Display` and deserializes by `FromStr`. An error names the kind of value.
macro_rules! as_text {
    ($($name:ty: $what:literal),+ $(,)?) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(|error| serde::de::Error::custom(format_args!(concat!($what, ": {}"), error)))
            }
        }
    )+};
}

pub(crate) use as_text;
