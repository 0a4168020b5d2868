//! Laws of the `MySQL` algebra.
