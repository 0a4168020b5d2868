//! Connections to a server over the wire codec, for the control plane.
