//! Substitutions, by cases whose expected values come from drone/envsubst itself.

use sampan_pipeline::substitution::substitute;

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "x" => "abcdefabc",
        "path" => "a/b/c.tar.gz",
        "empty" => "",
        "upper" => "ABC Def",
        "uni" => "éàß",
        "n" => "2",
        "y" => "abc",
        "multi" => "a.b.c",
        "ref" => "refs/heads/feature/x",
        "sp" => "a b",
        "lines" => "first \"line\"\nsecond\tline",
        _ => return None,
    };
    Some(value.to_owned())
}

fn substituted(text: &str) -> Option<String> {
    substitute(".drone.yml", text, &variable)
        .ok()
        .map(|substituted| substituted.text)
}

/// What `None` expects is refused by the original, or ends it.
const CASES: &[(&str, Option<&str>)] = &[
    ("${x}", Some("abcdefabc")),
    ("a${x}b", Some("aabcdefabcb")),
    ("$x", Some("$x")),
    ("$${x}", Some("${x}")),
    ("$$$${x}", Some("$${x}")),
    ("$$${n}", Some("$2")),
    ("a$$b$c$", Some("a$b$c$")),
    ("${missing}", Some("")),
    ("[${empty}]", Some("[]")),
    ("${#x}", Some("9")),
    ("${#empty}", Some("0")),
    ("${#uni}", Some("6")),
    ("${x^}", Some("Abcdefabc")),
    ("${x^^}", Some("ABCDEFABC")),
    ("${upper,}", Some("aBC Def")),
    ("${upper,,}", Some("abc def")),
    ("${uni^}", Some("Éàß")),
    ("${uni^^}", Some("ÉÀß")),
    ("${x,^}", Some("abcdefabc")),
    ("${empty^}", Some("")),
    ("${x:2}", Some("cdefabc")),
    ("${x:2:3}", Some("cde")),
    ("${x:-3}", Some("abcdefabc")),
    ("${x: -3}", Some("abcdefabc")),
    ("${x:7:20}", Some("bc")),
    ("${x:20}", Some("")),
    ("${x:20:1}", Some("")),
    ("${x:2:0}", Some("")),
    ("${x:0:-1}", None),
    ("${x:+3}", Some("abcdefabc")),
    ("${x:a}", Some("abcdefabc")),
    ("${x:1:b}", Some("abcdefabc")),
    ("${x:${n}}", Some("cdefabc")),
    ("${x:${n}:${n}}", Some("cd")),
    ("${x::2}", None),
    ("${x:2:}", None),
    ("${x:2::3}", Some("cde")),
    ("${x#a}", Some("bcdefabc")),
    ("${x#b}", Some("abcdefabc")),
    ("${x#*b}", Some("cdefabc")),
    ("${x##*b}", Some("c")),
    ("${x%c}", Some("abcdefab")),
    ("${x%b*}", Some("abcdefa")),
    ("${x%%b*}", Some("a")),
    ("${path#*/}", Some("b/c.tar.gz")),
    ("${path##*/}", Some("c.tar.gz")),
    ("${path%.*}", Some("a/b/c.tar")),
    ("${path%%.*}", Some("a/b/c")),
    ("${path%/*}", Some("a/b")),
    ("${path#?}", Some("/b/c.tar.gz")),
    ("${path%?}", Some("a/b/c.tar.g")),
    ("${x#[a-c]}", Some("bcdefabc")),
    ("${x##[^d]*}", Some("")),
    ("${x%[c]}", Some("abcdefabc")),
    ("${x#[}", Some("abcdefabc")),
    ("${x#*}", Some("bcdefabc")),
    ("${x##*}", Some("")),
    ("${x%*}", Some("abcdefab")),
    ("${x%%*}", Some("")),
    (r"${x#\a}", Some("bcdefabc")),
    ("${x#}", None),
    ("${empty#*}", Some("")),
    ("${ref#refs/heads/}", Some("feature/x")),
    ("${ref##refs/*/}", Some("x")),
    ("${x/b/X}", Some("aXcdefabc")),
    ("${x//b/X}", Some("aXcdefaXc")),
    ("${x/#abc/X}", Some("Xdefabc")),
    ("${x/%abc/X}", Some("abcdefX")),
    ("${x/#b/X}", Some("abcdefabc")),
    ("${x/%b/X}", Some("abcdefabc")),
    ("${x/b/}", Some("acdefabc")),
    ("${x//b/}", Some("acdefac")),
    ("${x/#abc/}", Some("abcdefabc")),
    ("${x/%abc/}", Some("abcdefabc")),
    (r"${path//\//-}", Some("a-b-c.tar.gz")),
    ("${path////-}", None),
    (r"${path/\//\/\/}", Some("a//b/c.tar.gz")),
    ("${x/b}", None),
    ("${x/b} / }", Some("abcdefabc")),
    ("${x/${n}/z}", Some("abcdefabc")),
    ("${x/${y}/z}", Some("zdefabc")),
    ("${x//${missing}/-}", Some("-a-b-c-d-e-f-a-b-c-")),
    ("${x/b/${n}}", Some("a2cdefabc")),
    ("${x/b/a${n}}", None),
    ("${missing=d}", Some("d")),
    ("${missing:=d}", Some("d")),
    ("${missing:-d}", Some("d")),
    ("${missing:?d}", Some("d")),
    ("${missing:+d}", Some("d")),
    ("${missing-d}", None),
    ("${x:-d}", Some("abcdefabc")),
    ("${x=d}", Some("abcdefabc")),
    ("${empty:-d}", Some("d")),
    ("${missing:-}", Some("")),
    ("${missing:-a b, c!}", Some("a b, c!")),
    ("${missing:-${x}}", Some("abcdefabc")),
    ("${missing:-pre-${x}-post}", Some("pre-abcdefabc-post")),
    ("${missing:-${missing:-${x}}}", Some("abcdefabc")),
    ("${missing:-$$x}", Some("$$x")),
    (r"${missing:-a\}", Some(r"a\")),
    ("${missing:=${x^^}}", Some("ABCDEFABC")),
    ("${}", None),
    ("${ x}", None),
    ("${x }", None),
    ("${x", None),
    ("${x:", None),
    ("${x.y}", None),
    ("${x[0]}", None),
    ("${x-", None),
    ("${x!}", None),
    ("${@}", None),
    ("${1}", Some("")),
    ("${é}", Some("")),
    ("${x_1}", Some("")),
    (r"\${x}", Some(r"\abcdefabc")),
    (r"a\\b", Some(r"a\b")),
    (r"a\/b", Some("a/b")),
    (r"a\b", Some(r"a\b")),
    (r"s/\//-/g", Some("s///-/g")),
    (r"\\${n}\\\.", Some(r"\2\\.")),
    ("${x:-\n}", Some("abcdefabc")),
    ("{{x}} ${{ x }}", None),
    ("${{ x }}", None),
    ("%{x}", Some("%{x}")),
    ("${multi//./_}", Some("a_b_c")),
    (r"${ref//\//-}", Some("refs-heads-feature-x")),
    ("${sp// /_}", Some("a_b")),
    ("${x##}", None),
    ("${x%%}", None),
    ("${x^^^}", None),
    ("${x,,,}", None),
    ("${x:=}", Some("abcdefabc")),
    ("${#}", None),
    ("${#x:1}", None),
    ("${x#abc}${x%abc}", Some("defabcabcdef")),
    ("${x/abc/$$}", Some("$defabc")),
    (r"${x/abc/\\}", Some(r"\defabc")),
    ("${path#a/b/}", Some("c.tar.gz")),
    (r"${path#a\/}", Some("b/c.tar.gz")),
    ("${missing:-a:b}", Some("a:b")),
    ("${x#$y}", Some("abcdefabc")),
    ("${x#${y}}", Some("defabc")),
    ("${x#a${y}}", None),
    ("${x%${y}}", Some("abcdef")),
    ("${x:1:${missing}}", Some("abcdefabc")),
    ("${missing:-{a}}", Some("{a}")),
];

#[test]
fn substitutions_are_those_of_the_original() {
    for (text, expected) in CASES {
        assert_eq!(substituted(text).as_deref(), *expected, "{text}");
    }
}

#[test]
fn values_of_several_lines_are_quoted() {
    assert_eq!(
        substituted("message: ${lines}").unwrap(),
        r#"message: "first \"line\"\nsecond\tline""#
    );
}

#[test]
fn a_character_cut_in_two_is_left_out() {
    assert_eq!(substituted("${uni:0:3}").unwrap(), "é");
    assert_eq!(substituted("${uni:1}").unwrap(), "àß");
}

#[test]
fn says_where_it_is_wrong_and_what_is_missing() {
    let error = substitute("x.yml", "a: 1\nb: ä ${x[0]} c\n", &variable).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.yml:2:6: no closing brace after the name in the substitution `${x[0]}`"
    );
    let done = substitute("x.yml", "${a} ${b:-1} ${x} ${c^^}", &variable).unwrap();
    assert_eq!(Vec::from_iter(done.missing), ["a", "c"]);
}

#[test]
fn hostile_texts_are_refused() {
    let long = |name: &str| (name == "long").then(|| "a".repeat(1 << 20));
    for text in [
        &"${a:-".repeat(1000) as &str,
        "${long//a/${long}}",
        "${long##*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*b*c}",
        &"${long}".repeat(20),
        // Each of them is short; all together are not.
        &"${long:0:0}".repeat(80_000),
        &"${long##*b*c}".repeat(10),
    ] {
        substitute("x.yml", text, &long).unwrap_err();
    }
}
