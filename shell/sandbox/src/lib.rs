//! Real servers for a trial: made from templates, started, supervised, stopped.
