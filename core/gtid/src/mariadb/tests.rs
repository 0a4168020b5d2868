//! Laws of the `MariaDB` algebra.
