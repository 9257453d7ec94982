//! `evaluate` of Woodpecker: conditions in the expression language expr, over the variables of the workflow.
//!
//! Sampan knows what makes sense over variables, which are all texts: comparisons, `and`, `or`, `not`, `in`, `contains`,
//! `startsWith`, `endsWith`, `matches`, `?:`, `??`, `+`, lists, and functions of texts. Anything else is an error that
//! names it.

use std::collections::BTreeMap;

use sampan_model::yaml::Location;

use crate::PipelineError;
use crate::allowance::Allowance;

mod lexer;
mod parser;
mod regexes;
mod value;

use value::Value;

/// How long an expression may be.
const LIMIT_BYTES: usize = 16 << 10;

/// Whether the expression is true. `allowance` is what all expressions of a run may cost together.
pub(super) fn evaluate(
    text: &str,
    location: &Location,
    variables: &BTreeMap<String, String>,
    allowance: &Allowance,
) -> Result<bool, PipelineError> {
    let result = if text.len() > LIMIT_BYTES {
        Err(format!("more than {LIMIT_BYTES} bytes"))
    } else {
        lexer::tokens(text)
            .and_then(|tokens| parser::evaluate(&tokens, variables, allowance))
            .and_then(|value| match value {
                Value::Bool(value) => Ok(value),
                other => Err(format!("{} instead of true or false", other.type_name())),
            })
    };
    result.map_err(|problem| PipelineError::Expression {
        location: location.clone(),
        problem,
        expression: text.chars().take(200).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sampan_model::yaml::Location;

    use crate::allowance::Allowance;

    fn evaluated(text: &str) -> Result<bool, String> {
        let variables = BTreeMap::from(
            [
                ("CI_PIPELINE_EVENT", "push"),
                ("CI_COMMIT_BRANCH", "release/1.0"),
                ("CI_REPO", "team/shop"),
                ("CI_COMMIT_MESSAGE", "Sell tea [deploy]"),
                ("N", "10"),
                ("EMPTY", ""),
                ("FILES", r#"["web/a.ts", "README.md"]"#),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let location = Location {
            file: "x.yml".into(),
            line: 1,
            column: 1,
        };
        let allowance = Allowance::default();
        super::evaluate(text, &location, &variables, &allowance).map_err(|error| error.to_string())
    }

    #[test]
    fn expressions_decide() {
        for (text, expected) in [
            (r#"CI_PIPELINE_EVENT == "push""#, true),
            ("CI_PIPELINE_EVENT != 'push'", false),
            (
                r#"CI_PIPELINE_EVENT == "push" && CI_REPO == "team/shop""#,
                true,
            ),
            (
                r#"CI_PIPELINE_EVENT == "tag" or CI_REPO == "team/shop""#,
                true,
            ),
            (r#"not (CI_PIPELINE_EVENT == "tag")"#, true),
            (r#"!(CI_PIPELINE_EVENT in ["push", "tag"])"#, false),
            (r#"CI_PIPELINE_EVENT not in ["cron", "tag"]"#, true),
            (r#"CI_COMMIT_MESSAGE contains "[deploy]""#, true),
            (
                r#"not (CI_COMMIT_MESSAGE contains "please ignore me")"#,
                true,
            ),
            (r#"CI_COMMIT_BRANCH startsWith "release/""#, true),
            (r#"CI_COMMIT_BRANCH endsWith "2.0""#, false),
            (r#"CI_COMMIT_BRANCH matches "^release/[0-9.]+$""#, true),
            (r#"CI_REPO not matches "^other""#, true),
            (r#""N" in $env and not ("M" in $env)"#, true),
            (r#"any(fromJSON(FILES), { # startsWith "web/" })"#, true),
            (r#"all(fromJSON(FILES), # startsWith "web/")"#, false),
            (r#"none(fromJSON("[]"), { # contains "x" })"#, true),
            (
                r#"count(fromJSON(FILES), { len(filter(split(#, "/"), # == "web")) > 0 }) == 1"#,
                true,
            ),
            (
                r#"len(filter(fromJSON(FILES), {# endsWith ".md"})) == 1"#,
                true,
            ),
            ("false && any(MISSING, {# == 1})", false),
            (r#"false && any(["a"], {# == "a"})"#, false),
            (r#"any(["a"], {any([#, "b"], {# == "a"})})"#, true),
            ("MISSING == nil", true),
            (r#"MISSING contains "a""#, false),
            (r#"not (MISSING startsWith "a")"#, true),
            (r#"CI_COMMIT_BRANCH matches "^release/\d+\.\d+$""#, true),
            (r#"CI_COMMIT_BRANCH matches "^release/\\d+\\.\\d+$""#, true),
            (r#"(MISSING ?? "a") == "a""#, true),
            (r#"EMPTY == """#, true),
            ("len(CI_REPO) == 9", true),
            (r#"lower(CI_COMMIT_MESSAGE) contains "sell""#, true),
            (r#"upper("a") + "b" == "Ab""#, true),
            (r#"split(CI_REPO, "/")[0] == "team""#, true),
            (r#"trim("  a ") == "a" ? true : false"#, true),
            ("int(N) > 9 and int(N) <= 10", true),
            (r#"hasPrefix(CI_REPO, "team")"#, true),
            ("true || MISSING.x", true),
            (r#"replace(CI_REPO, "/", "-") == `team-shop`"#, true),
        ] {
            assert_eq!(evaluated(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (text, problem) in [
            ("CI_REPO", "text instead of true or false"),
            ("any(CI_REPO, # == 1)", "text in `any`"),
            ("# == 1", "`#` outside of a question about items"),
            ("@", "the sign `@`, which is not supported,"),
            ("now() > 1", "the function `now`, which is not supported,"),
            ("CI_REPO ==", "nothing where a value must stand"),
            ("CI_REPO == \"a", "text without closing quote"),
            ("(CI_REPO", "no closing `)`"),
            ("1 > \"a\"", "a comparison of a number with text"),
            ("true false", "`false` after the end"),
        ] {
            assert_eq!(
                evaluated(text),
                Err(format!("x.yml:1:1: {problem} in the expression `{text}`"))
            );
        }
        assert!(evaluated(&"(".repeat(10_000)).is_err());
        assert!(evaluated(&"not ".repeat(4_000)).is_err());
        assert!(evaluated(&"a ? ".repeat(4_000)).is_err());
    }

    #[test]
    fn work_is_bounded() {
        let too_much = |text: &str| {
            let error = evaluated(text).expect_err("the expression is refused");
            assert!(error.contains("too much work in the expression"), "{error}");
        };
        // Each level doubles the text.
        let nested = (0..20).fold("# == \"\"".to_owned(), |inner, _| {
            format!("any([# + #], {{{inner}}})")
        });
        too_much(&format!("any([\"{}\"], {{{nested}}})", "a".repeat(4_000)));
        // One list within another, again and again.
        let list = format!("split(\"{}\", \",\")", "a,".repeat(2_000));
        too_much(&format!("any({list}, {{any({list}, {{# == \"b\"}})}})"));
        let many: Vec<_> = (0..600)
            .map(|number| format!("\"x\" matches \"y{number}+\""))
            .collect();
        too_much(&many.join(" || "));
        // The same one is read once.
        let few = format!("split(\"{}\", \",\")", "a,".repeat(1_000));
        assert_eq!(
            evaluated(&format!("all({few}, {{not (# matches \"^b+$\")}})")),
            Ok(true)
        );
    }
}
