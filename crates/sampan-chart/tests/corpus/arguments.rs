//! The arguments of `helm template` that cases use.

use sampan_chart::render::Shown;
use sampan_chart::values::Sources;

/// What the arguments say.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) values: Sources,
    pub(crate) shown: Shown,
    pub(crate) kube_version: Option<String>,
    pub(crate) api_versions: Vec<String>,
    pub(crate) name_template: Option<String>,
    pub(crate) subchart_notes: bool,
    pub(crate) output: Option<String>,
}

impl Arguments {
    pub(crate) fn parse(arguments: &[String]) -> Self {
        let mut parsed = Self::default();
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            if parsed.switch(flag) {
                continue;
            }
            let value = rest.next().unwrap().clone();
            match flag.as_str() {
                "-f" | "--values" => parsed
                    .values
                    .files
                    .extend(value.split(',').map(str::to_owned)),
                "--set" => parsed.values.plain.push(value),
                "--set-string" => parsed.values.text.push(value),
                "--set-json" => parsed.values.json.push(value),
                "--set-literal" => parsed.values.literal.push(value),
                "--set-file" => parsed.values.file_text.push(value),
                "-s" | "--show-only" => parsed.shown.only.push(value),
                "--kube-version" => parsed.kube_version = Some(value),
                "-a" | "--api-versions" => parsed
                    .api_versions
                    .extend(value.split(',').map(str::to_owned)),
                "--name-template" => parsed.name_template = Some(value),
                "--output-dir" => parsed.output = Some(value),
                unknown => panic!("{unknown} is not known"),
            }
        }
        parsed
    }

    fn switch(&mut self, flag: &str) -> bool {
        match flag {
            "--include-crds" => self.shown.crds = true,
            "--no-hooks" => self.shown.no_hooks = true,
            "--skip-tests" => self.shown.no_tests = true,
            "--render-subchart-notes" => self.subchart_notes = true,
            // They would not be shown anyway.
            "--skip-crds" => {}
            _ => return false,
        }
        true
    }
}
