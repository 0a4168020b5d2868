//! What a client asks for in the first comment of a statement, in the words of ProxySQL:
//! `/* hostgroup=1;query_timeout=500 */`. `mainstay:` may stand before it, and there a hostgroup
//! may be given by its name.

use crate::lexer::{Lexer, Reading};

/// The wishes of one comment. What is not understood is passed over, as ProxySQL does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Annotations<'a> {
    /// `hostgroup`.
    pub hostgroup: Option<HostgroupWish<'a>>,
    /// `cache_ttl`, in milliseconds.
    pub cache_ttl_ms: Option<u64>,
    /// `query_timeout`, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// `query_retries`.
    pub retries: Option<u64>,
    /// `query_delay`, in milliseconds.
    pub delay_ms: Option<u64>,
    /// `mirror`: the hostgroup that gets a copy.
    pub mirror: Option<u64>,
    /// `max_lag_ms`.
    pub max_lag_ms: Option<u64>,
    /// `min_epoch_ms`: milliseconds since 1970, before which the data must not be.
    pub min_epoch_ms: Option<u64>,
    /// `min_gtid`: the server must have executed it.
    pub min_gtid: Option<&'a str>,
    /// `create_new_connection=1`.
    pub new_connection: bool,
}

/// A hostgroup as a client names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostgroupWish<'a> {
    /// By its number.
    Id(u32),
    /// By its name.
    Name(&'a str),
}

impl<'a> Annotations<'a> {
    /// Reads the first comment of a statement. Comments inside strings are none.
    pub fn of(sql: &'a [u8]) -> Self {
        let comment = first_comment(sql).and_then(|comment| std::str::from_utf8(comment).ok());
        comment.map_or(Self::default(), Self::parse)
    }

    fn parse(comment: &'a str) -> Self {
        let mut found = Self::default();
        let comment = comment.trim();
        let own = comment
            .get(..9)
            .filter(|name| name.eq_ignore_ascii_case("mainstay:"));
        let comment = own.map_or(comment, |name| &comment[name.len()..]);
        for wish in comment.split(';') {
            let Some((key, value)) = wish.split_once('=') else {
                continue;
            };
            found.take(key.trim(), value.trim());
        }
        found
    }

    fn take(&mut self, key: &str, value: &'a str) {
        let number = leading_number(value);
        match key.to_ascii_lowercase().as_str() {
            "hostgroup" => {
                let id = number.and_then(|id| u32::try_from(id).ok());
                let name = Some(value).filter(|name| is_name(name));
                let name = name.map(HostgroupWish::Name);
                self.hostgroup = id.map(HostgroupWish::Id).or(name).or(self.hostgroup);
            }
            "cache_ttl" => self.cache_ttl_ms = number.or(self.cache_ttl_ms),
            "query_timeout" => self.timeout_ms = number.or(self.timeout_ms),
            "query_retries" => self.retries = number.or(self.retries),
            "query_delay" => self.delay_ms = number.or(self.delay_ms),
            "mirror" => self.mirror = number.or(self.mirror),
            "max_lag_ms" => self.max_lag_ms = number.or(self.max_lag_ms),
            "min_epoch_ms" => self.min_epoch_ms = number.or(self.min_epoch_ms),
            "min_gtid" if is_gtid(value) => self.min_gtid = Some(value),
            "create_new_connection" => self.new_connection |= number == Some(1),
            _ => {}
        }
    }
}

fn leading_number(value: &str) -> Option<u64> {
    let end = value.find(|c: char| !c.is_ascii_digit());
    value[..end.unwrap_or(value.len())].parse().ok()
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(plain)
}

fn is_gtid(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b',');
    !text.is_empty() && text.bytes().all(plain)
}

/// The inside of the first `/* … */` that is neither code nor part of a string.
fn first_comment(sql: &[u8]) -> Option<&[u8]> {
    let opens = |pair: &[u8]| pair == b"/*";
    if !sql.contains(&b'/') || !sql.windows(2).any(opens) {
        return None;
    }
    let mut end = 0;
    let mut lexer = Lexer::new(sql, Reading::USUAL);
    loop {
        let token = lexer.next();
        let gap = end..token.map_or(sql.len(), |token| token.start);
        let found = in_gap(sql.get(gap).unwrap_or_default());
        if found.is_some() {
            return found;
        }
        end = token?.end();
    }
}

/// Among the white space and comments between two tokens.
fn in_gap(mut gap: &[u8]) -> Option<&[u8]> {
    while !gap.is_empty() {
        gap = if let Some(body) = gap.strip_prefix(b"/*") {
            let code = body.starts_with(b"!") || body.starts_with(b"M!") || body.starts_with(b"m!");
            if !code {
                let end = body.windows(2).position(|pair| pair == b"*/")?;
                return Some(&body[..end]);
            }
            body
        } else if gap.starts_with(b"#") || gap.starts_with(b"--") {
            let end = gap.iter().position(|&byte| byte == b'\n')?;
            &gap[end..]
        } else {
            &gap[1..]
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_proxysql_are_understood() {
        let sql = b"SELECT /* hostgroup=3; cache_ttl = 1000;query_timeout=50;query_retries=2;\
                    query_delay=7;mirror=4;max_lag_ms=9;min_epoch_ms=1;\
                    min_gtid=3e11fa47-71ca-11e1-9e33-c80aa9429562:23;create_new_connection=1 */ 1";
        let expected = Annotations {
            hostgroup: Some(HostgroupWish::Id(3)),
            cache_ttl_ms: Some(1000),
            timeout_ms: Some(50),
            retries: Some(2),
            delay_ms: Some(7),
            mirror: Some(4),
            max_lag_ms: Some(9),
            min_epoch_ms: Some(1),
            min_gtid: Some("3e11fa47-71ca-11e1-9e33-c80aa9429562:23"),
            new_connection: true,
        };
        assert_eq!(Annotations::of(sql), expected);
    }

    #[test]
    fn a_hostgroup_may_have_a_name() {
        let wish = |sql: &'static str| Annotations::of(sql.as_bytes()).hostgroup;
        let reports = Some(HostgroupWish::Name("reports"));
        assert_eq!(wish("/* mainstay: hostgroup=reports */ SELECT 1"), reports);
        assert_eq!(wish("/* hostgroup = reports */ SELECT 1"), reports);
        assert_eq!(
            wish("/* hostgroup=1 */ SELECT 1"),
            Some(HostgroupWish::Id(1))
        );
    }

    #[test]
    fn only_the_first_comment_counts_and_strings_have_none() {
        let none = [
            "SELECT '/* hostgroup=1 */'",
            "SELECT 1 -- /* hostgroup=1 */",
            "SELECT 1 /* hello */ /* hostgroup=1 */",
            "SELECT /*!50000 hostgroup=1 */ 1",
            "SELECT 1 /* hostgroup=",
            "/* hostgroup=- */",
            "/* hostgroup */",
        ];
        for sql in none {
            assert_eq!(Annotations::of(sql.as_bytes()).hostgroup, None, "{sql}");
        }
    }
}
