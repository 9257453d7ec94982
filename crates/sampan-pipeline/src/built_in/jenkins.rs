//! Jobs of Jenkins.

use std::time::Duration;

use serde_json::Value;

use super::parameters::Parameters;
use super::{BuiltInError, Definition, message, percent};
use crate::run::{Done, HttpRequest, HttpResponse, Login, Scene};

/// `appleboy/drone-jenkins`.
pub(super) const DEFINITION: Definition = Definition {
    names: &[
        "appleboy/drone-jenkins",
        "ghcr.io/appleboy/drone-jenkins",
        "appleboy/jenkins-action",
    ],
    parameters: &[
        "url",
        "user",
        "token",
        "remote_token",
        "job",
        "insecure",
        "parameters",
        "wait",
        "poll_interval",
        "timeout",
    ],
    harmless: &["debug", "ca_cert"],
    run,
};

const SERVICE: &str = "Jenkins";

struct Jenkins<'a, 'scene> {
    scene: &'a mut Scene<'scene>,
    base: String,
    login: Option<Login>,
    insecure: bool,
}

fn run(parameters: &Parameters, scene: &mut Scene<'_>) -> Result<Done, BuiltInError> {
    let text = |setting: &str| -> Option<String> {
        let variables =
            ["PLUGIN", "JENKINS"].map(|prefix| format!("{prefix}_{}", setting.to_uppercase()));
        let found = parameters
            .text(&[&variables[0], &variables[1]])
            .or(Some(parameters.input(setting)));
        found.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let missing = |parameter: &'static str| BuiltInError::MissingParameter {
        built_in: parameters.built_in.clone(),
        parameter,
    };
    let base = text("url").ok_or_else(|| missing("url"))?;
    let remote = text("remote_token");
    let login = text("user")
        .zip(text("token"))
        .map(|(username, password)| Login {
            registry: None,
            username,
            password,
        });
    if login.is_none() && remote.is_none() {
        return Err(missing("token"));
    }
    let jobs = text("job").ok_or_else(|| missing("job"))?;
    let mut query = query(&text("parameters").unwrap_or_default());
    let has_parameters = !query.is_empty();
    query.extend(remote.map(|token| ("token".to_owned(), token)));
    let switch = |name: &str| text(name).is_some_and(|text| matches!(text.as_str(), "true" | "1"));
    let wait = switch("wait");
    let interval = duration(parameters, "poll_interval", text("poll_interval"), 10)?;
    let timeout = duration(parameters, "timeout", text("timeout"), 30 * 60)?;
    let mut jenkins = Jenkins {
        scene,
        base: base.trim_end_matches('/').to_owned(),
        login,
        insecure: switch("insecure"),
    };
    for job in jobs
        .split([',', '\n'])
        .map(str::trim)
        .filter(|job| !job.is_empty())
    {
        let queued = jenkins.trigger(job, has_parameters, &query)?;
        jenkins
            .scene
            .say(format_args!("The job `{job}` is queued."));
        if wait {
            jenkins.wait_for(job, &queued, interval, timeout)?;
        }
    }
    Ok(Done::default())
}

/// Lines of `NAME=VALUE`.
fn query(text: &str) -> Vec<(String, String)> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter_map(|line| line.split_once('='));
    let pairs = lines.map(|(name, value)| (name.trim().to_owned(), value.to_owned()));
    pairs.filter(|(name, _)| !name.is_empty()).collect()
}

/// A duration as Go writes it, or so many seconds.
fn duration(
    parameters: &Parameters,
    name: &str,
    text: Option<String>,
    otherwise: u64,
) -> Result<Duration, BuiltInError> {
    let Some(text) = text else {
        return Ok(Duration::from_secs(otherwise));
    };
    let invalid = || parameters.invalid(name, "a duration such as `10s` or `30m`");
    let mut seconds = 0_u64;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().map_err(|_| invalid())?;
        let unit_end = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |end| digits + end);
        let factor = match &rest[digits..unit_end] {
            "h" => 3600,
            "m" => 60,
            "s" | "" => 1,
            _ => return Err(invalid()),
        };
        seconds = number
            .checked_mul(factor)
            .and_then(|part| seconds.checked_add(part))
            .ok_or_else(invalid)?;
        rest = &rest[unit_end..];
    }
    Ok(Duration::from_secs(seconds))
}

/// The way of a job, which may lie in folders.
fn way(job: &str) -> String {
    let parts = job
        .split('/')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.fold(String::new(), |way, part| {
        way + "/job/" + &percent::encoded(part).replace('+', "%20")
    })
}

impl Jenkins<'_, '_> {
    fn send(
        &self,
        method: &str,
        path: &str,
        headers: Vec<(String, String)>,
    ) -> Result<HttpResponse, BuiltInError> {
        let request = HttpRequest {
            method: method.to_owned(),
            url: format!("{}{path}", self.base),
            headers,
            login: self.login.clone(),
            insecure: self.insecure,
            ..HttpRequest::default()
        };
        message::send(self.scene, SERVICE, &request)
    }

    fn get(&self, path: &str) -> Result<Option<Value>, BuiltInError> {
        let response = self.send("GET", path, Vec::new())?;
        if response.status != 200 {
            return Ok(None);
        }
        Ok(serde_json::from_slice(&response.body).ok())
    }

    /// What Jenkins wants of those who log in, unless it is told not to: a crumb, which counts for one session only.
    fn crumb(&self) -> Result<Vec<(String, String)>, BuiltInError> {
        let mut headers = Vec::new();
        let response = self.send("GET", "/crumbIssuer/api/json", Vec::new())?;
        if response.status != 200 {
            return Ok(headers);
        }
        let crumb: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let field = |name: &str| crumb.get(name).and_then(Value::as_str).map(str::to_owned);
        headers.extend(field("crumbRequestField").zip(field("crumb")));
        if let Some(cookie) = response.headers.get("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            headers.push(("Cookie".to_owned(), pair.to_owned()));
        }
        Ok(headers)
    }

    /// Starts a job; gives its place in the queue.
    fn trigger(
        &self,
        job: &str,
        has_parameters: bool,
        query: &[(String, String)],
    ) -> Result<String, BuiltInError> {
        let headers = if self.login.is_some() {
            self.crumb()?
        } else {
            Vec::new()
        };
        let mut path = way(job)
            + if has_parameters {
                "/buildWithParameters"
            } else {
                "/build"
            };
        for (index, (name, value)) in query.iter().enumerate() {
            path.push(if index == 0 { '?' } else { '&' });
            path.push_str(&percent::encoded(name));
            path.push('=');
            path.push_str(&percent::encoded(value));
        }
        let response = self.send("POST", &path, headers)?;
        if !matches!(response.status, 200 | 201) {
            return Err(message::refused(SERVICE, &response));
        }
        let location = response.headers.get("location").map_or("", String::as_str);
        let number = location.split("/queue/item/").nth(1).unwrap_or_default();
        let number: String = number.chars().take_while(char::is_ascii_digit).collect();
        if number.is_empty() {
            return Err(message::refused(SERVICE, &response));
        }
        Ok(number)
    }

    fn wait_for(
        &mut self,
        job: &str,
        queued: &str,
        interval: Duration,
        timeout: Duration,
    ) -> Result<(), BuiltInError> {
        let began = std::time::Instant::now();
        let number = loop {
            let item = self.get(&format!("/queue/item/{queued}/api/json"))?;
            let number = item.and_then(|item| item.get("executable")?.get("number")?.as_u64());
            match number {
                Some(number) => break number,
                None => self.pause(job, began, interval, timeout)?,
            }
        };
        self.scene
            .say(format_args!("The job `{job}` runs as number {number}."));
        loop {
            let build = self.get(&format!("{}/{number}/api/json", way(job)))?;
            let build =
                build.filter(|build| build.get("building").and_then(Value::as_bool) == Some(false));
            let Some(build) = build else {
                self.pause(job, began, interval, timeout)?;
                continue;
            };
            let result = build
                .get("result")
                .and_then(Value::as_str)
                .unwrap_or("UNKNOWN")
                .to_owned();
            self.scene
                .say(format_args!("The job `{job}` ended as {result}."));
            return match result.as_str() {
                "SUCCESS" => Ok(()),
                _ => Err(BuiltInError::Job {
                    job: job.to_owned(),
                    result,
                }),
            };
        }
    }

    /// Waits until Jenkins is asked again, unless the run is ended or the time is up.
    fn pause(
        &self,
        job: &str,
        began: std::time::Instant,
        interval: Duration,
        timeout: Duration,
    ) -> Result<(), BuiltInError> {
        if began.elapsed() >= timeout {
            return Err(BuiltInError::Job {
                job: job.to_owned(),
                result: format!("nothing within {} s", timeout.as_secs()),
            });
        }
        let (sender, receiver) = std::sync::mpsc::channel();
        let _registration = self.scene.interrupt.on_trigger(move |_| {
            // Who waits no longer needs no word.
            let _ = sender.send(());
        });
        match receiver.recv_timeout(interval) {
            Ok(()) => Err(BuiltInError::Interrupted),
            Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{query, way};

    #[test]
    fn jobs_may_lie_in_folders() {
        assert_eq!(way("a"), "/job/a");
        assert_eq!(way("/folder/a b/"), "/job/folder/job/a%20b");
    }

    #[test]
    fn parameters_are_lines() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            query("a=1\n\n b = x=y\nnone\n=z"),
            [pair("a", "1"), pair("b", " x=y")]
        );
    }
}
