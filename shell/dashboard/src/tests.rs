//! The API over a real listener, and its views.
