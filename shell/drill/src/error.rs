//! What can keep a drill from giving an account.

/// A drill that could not be carried out. A bad result of a drill is not an error: it is a report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster did not get healthy in time.
    #[error("the cluster is not healthy after {seconds} s: {why}; look with `mainstay status`")]
    NotHealthy {
        /// How long it was waited for, in seconds.
        seconds: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The table for the load could not be prepared through the proxy.
    #[error("cannot prepare the table of the drill through the proxy: {0}")]
    Prepare(#[source] mainstay_mysql::Error),
    /// A server could not be read for the account.
    #[error("cannot read the rows of {server} for the account: {source}")]
    Verify {
        /// The server.
        server: String,
        /// Why.
        #[source]
        source: mainstay_mysql::Error,
    },
    /// The cluster's own interface answered with an error.
    #[error("{0}")]
    Cluster(String),
}
