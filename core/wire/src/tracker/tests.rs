//! Replies by hand.
