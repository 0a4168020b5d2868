//! What the tests share: scripted servers, free ports, real servers.
