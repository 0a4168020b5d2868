//! Topology to analysis to plan, and the machine that walks a plan.
