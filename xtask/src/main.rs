//! Checks of the house rules: sizes, arrows, words, headers.

fn main() {}
