//! Where the answers come from. Implemented where the manager and the proxy meet.

use std::future::Future;
use std::pin::Pin;

use crate::error::ApiError;
use crate::views::{
    AnswerView, ExplainRequest, OperationView, PlanView, QueriesView, RouteStepView, SessionsView,
    StatusView, SwitchoverRequest,
};

/// An answer that is still being made.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, ApiError>> + Send + 'a>>;

/// What the API shows, and the few things that it may ask for.
pub trait Source: Send + Sync + 'static {
    /// The cluster as it is seen now.
    fn status(&self) -> StatusView;

    /// The numbers of this process, as Prometheus reads them, with their content type.
    fn metrics(&self) -> (&'static str, String);

    /// What a failover would do now; nothing is touched.
    fn plan_failover(&self) -> Pending<'_, PlanView>;

    /// What a switchover would do now; nothing is touched. Without a name the manager chooses.
    fn plan_switchover(&self, request: SwitchoverRequest) -> Pending<'_, PlanView>;

    /// Every decision with what it depends on now, or those about one server.
    fn why(&self, about: Option<String>) -> Pending<'_, Vec<AnswerView>>;

    /// Moves the primary, and answers when that is done or has failed.
    fn switchover(&self, request: SwitchoverRequest) -> Pending<'_, OperationView>;

    /// Fails over although the primary is not confirmed dead, as far as that is safe; answers when
    /// that is done or has failed.
    fn failover(&self) -> Pending<'_, OperationView>;

    /// What clients asked of the servers through the proxy of this process; with `reset` it is
    /// counted from zero afterwards. [`ApiError::NotFound`] where there is no proxy.
    fn queries(&self, reset: bool) -> Pending<'_, QueriesView>;

    /// What the clients of the proxy of this process are doing now. [`ApiError::NotFound`] where
    /// there is no proxy.
    fn sessions(&self) -> Pending<'_, SessionsView>;

    /// Where a statement would go through the proxy of this process, step by step.
    /// [`ApiError::NotFound`] where there is no proxy.
    fn explain(&self, request: ExplainRequest) -> Pending<'_, Vec<RouteStepView>>;

    /// The newest operations of the journal, newest first.
    fn operations(&self, limit: usize) -> Pending<'_, Vec<OperationView>>;

    /// One operation of the journal; [`ApiError::NotFound`] when there is none.
    fn operation(&self, id: u64) -> Pending<'_, OperationView>;
}
