//! Which transactions a command takes, by GTID.

use anyhow::{Result, bail};
use mainstay_binlog::{Gtid, Transaction};
use mainstay_gtid::{Family, GtidSet};

use super::args::WhichArgs;
use crate::output::BadInput;

/// What was asked for. Without GTIDs in the log, only all of it can be.
pub(super) struct Selection {
    only: Option<GtidSet>,
    without: Option<GtidSet>,
}

impl Selection {
    pub(super) fn new(which: &WhichArgs) -> Result<Self> {
        Ok(Self {
            only: which.only.as_deref().map(parse).transpose()?,
            without: which.without.as_deref().map(parse).transpose()?,
        })
    }

    pub(super) fn holds(&self, transaction: &Transaction) -> Result<bool> {
        if self.only.is_none() && self.without.is_none() {
            return Ok(true);
        }
        let Some(gtid) = transaction.gtid else {
            bail!(
                "the transaction at {} has no GTID: --only and --without cannot tell it",
                transaction.at
            );
        };
        let in_only = match &self.only {
            Some(set) => has(set, gtid)?,
            None => true,
        };
        let in_without = match &self.without {
            Some(set) => has(set, gtid)?,
            None => false,
        };
        Ok(in_only && !in_without)
    }
}

fn has(set: &GtidSet, gtid: Gtid) -> Result<bool> {
    // An empty set has no family.
    if set.is_empty() {
        return Ok(false);
    }
    let one = gtid.set();
    if one.family() != set.family() {
        let sentence = format!(
            "the GTID set is of {}, the log has {gtid}: give a set of the same family",
            set.family()
        );
        return Err(BadInput(sentence).into());
    }
    Ok(set.contains(&one))
}

/// A UUID has dashes at other places than a GTID of `MariaDB`.
fn parse(text: &str) -> Result<GtidSet> {
    let is_mysql = text.contains(':');
    let family = if is_mysql {
        Family::Mysql
    } else {
        Family::Mariadb
    };
    GtidSet::parse(family, text).map_err(|error| BadInput(error.to_string()).into())
}
