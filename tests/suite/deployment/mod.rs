//! The template as AWS would deploy it: translated, with parameters, its policies evaluated.

mod names;
mod ports;
mod rights;
mod settings;
mod versions;
mod wiring;
