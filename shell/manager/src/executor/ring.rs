//! Where the binary log of the passive one of a pair ends: from there the primary follows it.

use mainstay_failover::{Output, Step};
use mainstay_topology::Target;

use super::effects::{lend, send};
use super::{Done, Executor, dialect};

/// Lets the primary follow its replica.
pub(super) async fn close(executor: &Executor, step: &Step, source: &Target) -> Done {
    let step = located(executor, step, source).await?;
    let place = step.place.as_ref().ok_or("the step has no server")?;
    send(executor, &step, &place.name).await?;
    Ok(Output::Done)
}

/// The step with the position put in, where its statements ask for one (MariaDB). A replica does
/// not wait for acknowledgements, so asking it never waits behind one.
async fn located(executor: &Executor, step: &Step, source: &Target) -> Result<Step, String> {
    let name = &source.name;
    let (file, position) = (
        format!("<log file of {name}>"),
        format!("<log position of {name}>"),
    );
    let mut step = step.clone();
    if !step.sql.iter().any(|sql| sql.contains(&file)) {
        return Ok(step);
    }
    let mut connection = lend(executor, name).await?;
    let answer = connection.query(dialect::END_OF_LOG).await;
    let answer = answer.map_err(|error| format!("{name}: {error}"))?;
    let row = answer.first();
    let value = |column| row.and_then(|row| row.get(column));
    let end = value("File").zip(value("Position"));
    let (at, offset) = end.ok_or_else(|| format!("{name} has no binary log"))?;
    for sql in &mut step.sql {
        *sql = sql
            .replace(&file, &dialect::escaped(at))
            .replace(&position, offset);
    }
    Ok(step)
}
