//! Moments of the wall clock, in UTC: as text, and from it.

use crate::change::now_ms;

const DAY_MS: u64 = 86_400_000;

/// `2026-11-20T18:00:00Z`.
pub(crate) fn text(at_ms: u64) -> String {
    let (year, month, day) = date_of(at_ms / DAY_MS);
    let second = at_ms % DAY_MS / 1_000;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The same text, or a time of the day, whose next moment is meant.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let wrong = || "a time in UTC, such as 2026-11-20T18:00:00Z or 18:00Z".to_owned();
    let utc = text.strip_suffix('Z').ok_or_else(wrong)?;
    if let Some((date, time)) = utc.split_once('T') {
        let mut numbers = date.split('-').map(str::parse::<u64>);
        let mut number = || numbers.next().and_then(Result::ok).ok_or_else(wrong);
        let (year, month, day) = (number()?, number()?, number()?);
        let valid =
            (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        let days = valid.then(|| days_of(year, month, day)).ok_or_else(wrong)?;
        if date_of(days) != (year, month, day) {
            return Err(wrong());
        }
        return Ok(days * DAY_MS + time_ms(time).ok_or_else(wrong)?);
    }
    let time = time_ms(utc).ok_or_else(wrong)?;
    let now = now_ms();
    let today = now / DAY_MS * DAY_MS + time;
    Ok(if today > now { today } else { today + DAY_MS })
}

fn time_ms(text: &str) -> Option<u64> {
    let parts: Option<Vec<u64>> = text.split(':').map(|part| part.parse().ok()).collect();
    let (hour, minute, second) = match parts?.as_slice() {
        [hour, minute] => (*hour, *minute, 0),
        [hour, minute, second] => (*hour, *minute, *second),
        _ => return None,
    };
    let valid = hour < 24 && minute < 60 && second < 60;
    valid.then_some(((hour * 60 + minute) * 60 + second) * 1_000)
}

/// Days since 1970 of a date of the Gregorian calendar, and back: a year that begins in March has
/// its leap day at its end (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_of(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_as_it_is_written() {
        for moment in [
            "1970-01-01T00:00:00Z",
            "2028-02-29T23:59:59Z",
            "2026-11-20T18:05:00Z",
        ] {
            assert_eq!(text(parse(moment).unwrap()), moment);
        }
        assert_eq!(parse("2026-11-20T18:05:00Z"), Ok(1_795_197_900_000));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for wrong in [
            "18:00",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "25:00Z",
            "soon",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_of_the_day_is_the_next() {
        let at = parse("18:00Z").unwrap();
        assert!(at > now_ms() && at <= now_ms() + DAY_MS);
    }
}
