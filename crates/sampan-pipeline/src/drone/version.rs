//! Variables of tags that are versions: `DRONE_SEMVER_*` and `DRONE_CALVER_*`.

use std::collections::BTreeMap;

/// The variables of a tag.
pub(super) fn variables(tag: &str) -> BTreeMap<String, String> {
    let version = tag.strip_prefix('v').unwrap_or(tag);
    let mut variables = BTreeMap::new();
    match semantic(version) {
        Ok(values) => variables.extend(values),
        Err(problem) => variables.extend([("DRONE_SEMVER_ERROR", problem)]),
    }
    variables.extend(calendar(version).unwrap_or_default());
    variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

type Values = Vec<(&'static str, String)>;

fn semantic(version: &str) -> Result<Values, String> {
    let (rest, metadata) = version.split_once('+').unwrap_or((version, ""));
    let (rest, prerelease) = rest.split_once('-').unwrap_or((rest, ""));
    let parts: Vec<_> = rest.splitn(3, '.').collect();
    if parts.len() != 3 {
        return Err(format!("{rest} is not in dotted-tri format"));
    }
    let numbers = parts
        .iter()
        .map(|part| {
            part.parse::<i64>()
                .map_err(|_| format!("`{part}` is no number"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let short = format!("{}.{}.{}", numbers[0], numbers[1], numbers[2]);
    let mut whole = short.clone();
    let mut values = vec![
        ("DRONE_SEMVER_MAJOR", numbers[0].to_string()),
        ("DRONE_SEMVER_MINOR", numbers[1].to_string()),
        ("DRONE_SEMVER_PATCH", numbers[2].to_string()),
        ("DRONE_SEMVER_SHORT", short),
    ];
    if !prerelease.is_empty() {
        whole = format!("{whole}-{prerelease}");
        values.push(("DRONE_SEMVER_PRERELEASE", prerelease.to_owned()));
    }
    if !metadata.is_empty() {
        whole = format!("{whole}+{metadata}");
        values.push(("DRONE_SEMVER_BUILD", metadata.to_owned()));
    }
    values.push(("DRONE_SEMVER", whole));
    Ok(values)
}

fn calendar(version: &str) -> Option<Values> {
    let mut parts = version.splitn(3, '.');
    let (major, minor) = (parts.next()?, parts.next()?);
    let micro = parts.next().unwrap_or("");
    let (micro, modifier) = micro.split_once('-').unwrap_or((micro, ""));
    let year = major.parse::<i64>().ok()?;
    minor.parse::<i64>().ok()?;
    if !((19..100).contains(&year) || (2019..9999).contains(&year)) {
        return None;
    }
    let mut short = format!("{major}.{minor}");
    if !micro.is_empty() {
        short = format!("{short}.{micro}");
    }
    let mut values = vec![
        ("DRONE_CALVER_MAJOR_MINOR", format!("{major}.{minor}")),
        ("DRONE_CALVER_MAJOR", major.to_owned()),
        ("DRONE_CALVER_MINOR", minor.to_owned()),
        ("DRONE_CALVER_MICRO", micro.to_owned()),
        ("DRONE_CALVER_SHORT", short.clone()),
    ];
    if modifier.is_empty() {
        values.push(("DRONE_CALVER", short));
    } else {
        values.push(("DRONE_CALVER", format!("{short}-{modifier}")));
        values.push(("DRONE_CALVER_MODIFIER", modifier.to_owned()));
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::variables;

    fn shown(tag: &str) -> String {
        let shown: Vec<_> = variables(tag)
            .iter()
            .map(|(name, value)| format!("{}={value}", name.trim_start_matches("DRONE_")))
            .collect();
        shown.join(" ")
    }

    #[test]
    fn tags_are_taken_apart() {
        assert_eq!(
            shown("v1.2.3-rc.1+7"),
            "SEMVER=1.2.3-rc.1+7 SEMVER_BUILD=7 SEMVER_MAJOR=1 SEMVER_MINOR=2 SEMVER_PATCH=3 \
             SEMVER_PRERELEASE=rc.1 SEMVER_SHORT=1.2.3"
        );
        assert_eq!(
            shown("2021.3"),
            "CALVER=2021.3 CALVER_MAJOR=2021 CALVER_MAJOR_MINOR=2021.3 CALVER_MICRO= CALVER_MINOR=3 \
             CALVER_SHORT=2021.3 SEMVER_ERROR=2021.3 is not in dotted-tri format"
        );
        assert_eq!(
            shown("v20.10.1-a"),
            "CALVER=20.10.1-a CALVER_MAJOR=20 CALVER_MAJOR_MINOR=20.10 CALVER_MICRO=1 CALVER_MINOR=10 \
             CALVER_MODIFIER=a CALVER_SHORT=20.10.1 SEMVER=20.10.1-a SEMVER_MAJOR=20 SEMVER_MINOR=10 \
             SEMVER_PATCH=1 SEMVER_PRERELEASE=a SEMVER_SHORT=20.10.1"
        );
        assert_eq!(
            shown("latest"),
            "SEMVER_ERROR=latest is not in dotted-tri format"
        );
    }
}
