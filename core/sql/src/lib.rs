//! What a statement is: read, write, transaction edge, session effect, hint.
