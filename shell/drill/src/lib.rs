//! A load of numbered writes and reads, a fault, and the account of what clients saw.
