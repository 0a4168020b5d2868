//! The grammar, by example and by law.

use proptest::prelude::*;

use super::*;

fn text(group: &Group, name: &str) -> String {
    match group.get(name).map(|value| &value.kind) {
        Some(Kind::Text(text)) => text.clone(),
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn all_kinds_of_values_are_read() {
    let file = "
# a comment
a = 1; b : -2 c = 0x1F, d = 7L;   // another
e = true; f = FALSE; /* and
one more */ g = 2.5e1;
h = \"one\" \" text\";
list = ( 1, \"two\", { three = 3 }, );
array = [ 1, 2 ]
";
    let group = parse(file).expect("it is right");
    let int = |name: &str| match group.get(name).map(|value| &value.kind) {
        Some(Kind::Int(number)) => *number,
        other => panic!("{name} is {other:?}"),
    };
    assert_eq!([int("a"), int("b"), int("c"), int("d")], [1, -2, 31, 7]);
    assert_eq!(text(&group, "h"), "one text");
    assert_eq!(group.get("e").map(|one| &one.kind), Some(&Kind::Bool(true)));
    assert_eq!(
        group.get("g").map(|one| &one.kind),
        Some(&Kind::Float(25.0))
    );
    let list = group.get("list").expect("a list");
    assert_eq!(list.line, 7);
    assert!(matches!(&list.kind, Kind::List(items) if items.len() == 3));
}

#[test]
fn escapes_are_what_the_manual_says() {
    let group = parse(r#"a = "\"x\"\\ \n \x41 \d""#).expect("it is right");
    assert_eq!(text(&group, "a"), "\"x\"\\ \n A d");
}

#[test]
fn mistakes_are_told_with_their_line() {
    let mistake = |file: &str| parse(file).expect_err("it is wrong").to_string();
    assert_eq!(
        mistake("a = 1\nb 2"),
        "line 2: expected `=` or `:`, found a number"
    );
    assert_eq!(
        mistake("a = (\n1, 2"),
        "line 2: expected a value, found the end of the file"
    );
    assert_eq!(mistake("a = \"x\n"), "line 1: a text is not closed");
    assert_eq!(mistake("a = 1;\na = 2;"), "line 2: `a` is set twice");
    assert_eq!(mistake("/* x"), "line 1: a comment is not closed");
    assert_eq!(mistake("a = 1x;"), "line 1: `1x` is no number");
    let deep = format!("a = {}", "(".repeat(1_000));
    assert_eq!(mistake(&deep), "line 1: more than 32 levels deep");
}

#[test]
fn files_that_are_included_are_named() {
    let group = parse("a = 1;\n@include \"more.cnf\"\n").expect("it is right");
    assert_eq!(group.includes, [(2, "more.cnf".to_owned())]);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_never_panics(file in "\\PC{0,200}") {
        let _ = parse(&file);
    }

    #[test]
    fn marks_in_any_order_never_panic(file in "[a1\"\\\\=:;,{}()\\[\\]@#/*\\n -]{0,80}") {
        let _ = parse(&file);
    }

    #[test]
    fn a_text_is_read_as_it_was_written(value in "[^\\x00]{0,60}") {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
        let group = parse(&format!("a = \"{escaped}\";")).expect("it is right");
        prop_assert_eq!(text(&group, "a"), value);
    }
}
