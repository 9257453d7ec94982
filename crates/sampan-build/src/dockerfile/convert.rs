//! From statements to typed instructions: each keyword's own rules.

use sampan_model::nearest;

use super::error::{ParseError, SyntaxError};
use super::flags::{Flags, Kind};
use super::health;
use super::heredoc::Heredoc;
use super::instruction::{
    Argument, CommandLine, Form, From, Instruction, Run, RunNetwork, Step, Transfer,
};
use super::statement::{Arguments, Pair, Statement};

pub(super) const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

impl Step {
    /// Reads a statement.
    ///
    /// # Errors
    /// Names the line and what the instruction lacks or cannot have.
    pub fn from_statement(statement: &Statement) -> Result<Self, ParseError> {
        let instruction = instruction(statement)
            .map_err(|cause| ParseError::new(statement.span, &statement.original, cause))?;
        Ok(Self {
            instruction,
            original: statement.original.trim().to_owned(),
            span: statement.span,
        })
    }
}

fn instruction(statement: &Statement) -> Result<Instruction, SyntaxError> {
    let upper = statement.keyword.to_ascii_uppercase();
    let Some(keyword) = KEYWORDS.iter().copied().find(|known| *known == upper) else {
        let suggestion = nearest(&upper, KEYWORDS);
        let keyword = statement.keyword.clone();
        return Err(SyntaxError::UnknownInstruction {
            keyword,
            suggestion,
        });
    };
    let reader = Reader { keyword, statement };
    Ok(match keyword {
        "ADD" => Instruction::Add(reader.add()?),
        "ARG" => Instruction::Arg(reader.arg()?),
        "CMD" => Instruction::Cmd(reader.command()?),
        "COPY" => Instruction::Copy(reader.copy()?),
        "ENTRYPOINT" => Instruction::Entrypoint(reader.command()?),
        "ENV" => Instruction::Env(reader.pairs()?),
        "EXPOSE" => Instruction::Expose(reader.list()?),
        "FROM" => Instruction::From(reader.from()?),
        "HEALTHCHECK" => Instruction::Healthcheck(health::read(statement)?),
        "LABEL" => Instruction::Label(reader.pairs()?),
        "MAINTAINER" => Instruction::Maintainer(reader.one()?),
        "ONBUILD" => Instruction::Onbuild(reader.onbuild()?),
        "RUN" => Instruction::Run(reader.run()?),
        "SHELL" => Instruction::Shell(reader.shell()?),
        "STOPSIGNAL" => Instruction::StopSignal(reader.one()?),
        "USER" => Instruction::User(reader.one()?),
        "VOLUME" => Instruction::Volume(reader.volume()?),
        _ => Instruction::Workdir(reader.one()?),
    })
}

struct Reader<'a> {
    keyword: &'static str,
    statement: &'a Statement,
}

impl Reader<'_> {
    fn flags(&self, known: &[(&'static str, Kind)]) -> Result<Flags, SyntaxError> {
        Flags::read(self.keyword, &self.statement.flags, known)
    }

    fn words(&self) -> &[String] {
        match &self.statement.arguments {
            Arguments::Words(words) | Arguments::Json(words) => words,
            _ => &[],
        }
    }

    fn count(&self, needed: &'static str) -> SyntaxError {
        SyntaxError::ArgumentCount {
            keyword: self.keyword,
            needed,
            given: self.words().len(),
        }
    }

    fn list(&self) -> Result<Vec<String>, SyntaxError> {
        self.flags(&[])?;
        match self.words() {
            [] => Err(self.count("at least one argument")),
            words => Ok(words.to_vec()),
        }
    }

    fn one(&self) -> Result<String, SyntaxError> {
        self.flags(&[])?;
        match self.words() {
            [word] => Ok(word.clone()),
            _ => Err(self.count("exactly one argument")),
        }
    }

    fn volume(&self) -> Result<Vec<String>, SyntaxError> {
        let volumes: Vec<_> = self
            .list()?
            .iter()
            .map(|path| path.trim().to_owned())
            .collect();
        if volumes.iter().any(String::is_empty) {
            return Err(self.count("paths that are not empty"));
        }
        Ok(volumes)
    }

    fn pairs(&self) -> Result<Vec<Pair>, SyntaxError> {
        self.flags(&[])?;
        let Arguments::Pairs(pairs) = &self.statement.arguments else {
            return Err(self.count("at least one argument"));
        };
        if pairs.iter().any(|pair| pair.name.is_empty()) {
            return Err(SyntaxError::BlankName);
        }
        Ok(pairs.clone())
    }

    fn arg(&self) -> Result<Vec<Argument>, SyntaxError> {
        let argument = |word: String| match word.split_once('=') {
            Some(("", _)) => Err(SyntaxError::BlankName),
            Some((name, value)) => Ok(Argument {
                name: name.to_owned(),
                default: Some(value.to_owned()),
            }),
            None => Ok(Argument {
                name: word,
                default: None,
            }),
        };
        self.list()?.into_iter().map(argument).collect()
    }

    fn from(&self) -> Result<From, SyntaxError> {
        let flags = self.flags(&[("platform", Kind::Value)])?;
        let (base, name) = match self.words() {
            [base] => (base, None),
            [base, keyword, name] if keyword.eq_ignore_ascii_case("as") => (base, Some(name)),
            _ => return Err(self.count("`image` or `image AS name`")),
        };
        let name = name.map(|name| stage_name(name)).transpose()?;
        Ok(From {
            base: base.clone(),
            name,
            platform: flags.value("platform"),
        })
    }

    fn command(&self) -> Result<CommandLine, SyntaxError> {
        self.flags(&[])?;
        Ok(self.command_line())
    }

    fn command_line(&self) -> CommandLine {
        let form = match self.statement.arguments {
            Arguments::Json(_) => Form::Exec,
            _ => Form::Shell,
        };
        CommandLine {
            words: self.words().to_vec(),
            form,
        }
    }

    fn shell(&self) -> Result<Vec<String>, SyntaxError> {
        let shell = self.list()?;
        match self.statement.arguments {
            Arguments::Json(_) => Ok(shell),
            _ => Err(SyntaxError::NeedsJson {
                keyword: self.keyword,
            }),
        }
    }

    fn run(&self) -> Result<Run, SyntaxError> {
        let flags = self.flags(&[
            ("mount", Kind::Values),
            ("network", Kind::Value),
            ("security", Kind::Value),
        ])?;
        let network = match flags.value("network").as_deref() {
            None | Some("default") => RunNetwork::Default,
            Some("none") => RunNetwork::None,
            Some("host") => RunNetwork::Host,
            Some(other) => {
                return Err(SyntaxError::FlagValue {
                    flag: "network".to_owned(),
                    value: other.to_owned(),
                    expected: "`default`, `none` or `host`",
                });
            }
        };
        if flags
            .value("security")
            .is_some_and(|security| security != "sandbox")
        {
            return Err(SyntaxError::Unsupported {
                what: "`RUN --security=insecure`".to_owned(),
                instead: "remove the flag; commands run with the usual capabilities of a container",
            });
        }
        let command = self.command_line();
        if command.words.is_empty() {
            return Err(self.count("a command"));
        }
        let heredocs = self.statement.heredocs.clone();
        // A script that is the whole command becomes a file of that name.
        let is_whole = |word: &String| matches!(Heredoc::parse(word), Ok(Some(_)));
        if let Some(script) = heredocs.first().filter(|first| first.is_script())
            && command.words.first().is_some_and(is_whole)
        {
            script.file_name()?;
        }
        Ok(Run {
            command,
            heredocs,
            mounts: flags.values("mount"),
            network,
        })
    }

    fn copy(&self) -> Result<Transfer, SyntaxError> {
        let flags = self.flags(&[
            ("from", Kind::Value),
            ("chown", Kind::Value),
            ("chmod", Kind::Value),
            ("link", Kind::Switch),
            ("parents", Kind::Switch),
            ("exclude", Kind::Values),
        ])?;
        self.transfer(&flags)
    }

    /// `--keep-git-dir` changes nothing in files of the context: it is about git repositories, which
    /// are refused.
    fn add(&self) -> Result<Transfer, SyntaxError> {
        let flags = self.flags(&[
            ("chown", Kind::Value),
            ("chmod", Kind::Value),
            ("link", Kind::Switch),
            ("keep-git-dir", Kind::Switch),
            ("checksum", Kind::Value),
            ("unpack", Kind::Switch),
            ("exclude", Kind::Values),
        ])?;
        let transfer = self.transfer(&flags)?;
        let remote = |source: &&String| {
            ["http://", "https://", "git@", "git://", "ssh://"]
                .iter()
                .any(|s| source.starts_with(s))
        };
        if let Some(source) = transfer.sources.iter().find(remote) {
            return Err(SyntaxError::Unsupported {
                what: format!("adding from the network (`{source}`)"),
                instead: "download the file into the context first, then add it from there",
            });
        }
        // Only what comes from the network has a checksum; BuildKit refuses it elsewhere too.
        if flags.value("checksum").is_some() {
            return Err(SyntaxError::Unsupported {
                what: "`--checksum` for files of the context".to_owned(),
                instead: "remove the flag, and check the file in a `RUN`: `sha256sum -c`",
            });
        }
        Ok(transfer)
    }

    /// What COPY and ADD share; flags that one of them does not have were refused before.
    ///
    /// `--link` lets a layer be kept when those below it change. It is a promise of the Dockerfile not
    /// to depend on them, so the image holds the same files without it, and nothing is done about it.
    fn transfer(&self, flags: &Flags) -> Result<Transfer, SyntaxError> {
        let Some((destination, sources)) = self
            .words()
            .split_last()
            .filter(|(_, sources)| !sources.is_empty())
        else {
            return Err(self.count("a source and a destination"));
        };
        if Heredoc::parse(destination)?.is_some() {
            return Err(SyntaxError::HeredocDestination);
        }
        let mut transfer = Transfer {
            destination: destination.clone(),
            from: flags.value("from"),
            owner: flags.value("chown").filter(|owner| !owner.is_empty()),
            mode: flags.value("chmod").filter(|mode| !mode.is_empty()),
            excludes: flags.values("exclude"),
            parents: flags.switch("parents").unwrap_or(false),
            unpack: flags.switch("unpack"),
            ..Transfer::default()
        };
        for source in sources {
            let announced = Heredoc::parse(source).ok().flatten();
            let heredoc = announced.and_then(|announced| {
                self.statement
                    .heredocs
                    .iter()
                    .find(|known| known.name == announced.name)
            });
            match heredoc {
                Some(heredoc) => {
                    heredoc.file_name()?;
                    transfer.inline.push(heredoc.clone());
                }
                None => transfer.sources.push(source.clone()),
            }
        }
        Ok(transfer)
    }

    fn onbuild(&self) -> Result<String, SyntaxError> {
        self.flags(&[])?;
        let Arguments::Trigger(trigger) = &self.statement.arguments else {
            return Err(self.count("an instruction"));
        };
        match trigger.keyword.to_ascii_uppercase().as_str() {
            "ONBUILD" => return Err(SyntaxError::OnbuildNested),
            keyword @ ("FROM" | "MAINTAINER") => {
                return Err(SyntaxError::OnbuildTrigger {
                    keyword: keyword.to_owned(),
                });
            }
            _ => {}
        }
        let mut checked = (**trigger).clone();
        checked.heredocs.clone_from(&self.statement.heredocs);
        instruction(&checked)?;
        let mut text = trigger.original.clone();
        for heredoc in &self.statement.heredocs {
            text.push('\n');
            text.push_str(&heredoc.content);
            text.push_str(&heredoc.name);
        }
        Ok(text)
    }
}

fn stage_name(name: &str) -> Result<String, SyntaxError> {
    let lower = name.to_lowercase();
    let allowed = |character: char| {
        character.is_ascii_lowercase()
            || character.is_ascii_digit()
            || matches!(character, '-' | '_' | '.')
    };
    let valid =
        lower.starts_with(|first: char| first.is_ascii_lowercase()) && lower.chars().all(allowed);
    if valid {
        Ok(lower)
    } else {
        Err(SyntaxError::StageName {
            name: name.to_owned(),
        })
    }
}
