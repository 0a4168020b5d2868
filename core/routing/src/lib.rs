//! Session state, statement and hostgroups to a route.
