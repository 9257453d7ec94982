//! The rules of probes and of the hooks of a container's life.

use k8s_openapi::api::core::v1::{
    ExecAction, HTTPGetAction, LifecycleHandler, Probe, TCPSocketAction,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::causes::{Causes, Path};
use super::names;

/// Checks a probe; only a readiness probe may need more than one success.
pub(super) fn check(probe: &Probe, readiness: bool, path: &Path, causes: &mut Causes) {
    let handlers = [
        probe.exec.is_some(),
        probe.http_get.is_some(),
        probe.tcp_socket.is_some(),
        probe.grpc.is_some(),
    ];
    one_handler(&handlers, path, causes);
    actions(
        probe.exec.as_ref(),
        probe.http_get.as_ref(),
        probe.tcp_socket.as_ref(),
        path,
        causes,
    );
    if let Some(grpc) = &probe.grpc {
        causes.port(&path.child("grpc").child("port"), grpc.port);
    }
    for (field, value) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        causes.at_least(&path.child(field), value, 0);
    }
    if let Some(threshold) = probe.success_threshold
        && threshold != 1
        && !readiness
    {
        causes.invalid(&path.child("successThreshold"), &threshold, "must be 1");
    }
}

/// Checks what is run when a container starts or stops.
pub(super) fn lifecycle_handler(handler: &LifecycleHandler, path: &Path, causes: &mut Causes) {
    let handlers = [
        handler.exec.is_some(),
        handler.http_get.is_some(),
        handler.tcp_socket.is_some(),
        handler.sleep.is_some(),
    ];
    one_handler(&handlers, path, causes);
    let (exec, http, tcp) = (
        handler.exec.as_ref(),
        handler.http_get.as_ref(),
        handler.tcp_socket.as_ref(),
    );
    actions(exec, http, tcp, path, causes);
}

fn one_handler(given: &[bool], path: &Path, causes: &mut Causes) {
    match given.iter().filter(|given| **given).count() {
        0 => causes.required(path, "must specify a handler type"),
        1 => {}
        _ => causes.forbidden(path, "may not specify more than 1 handler type"),
    }
}

fn actions(
    exec: Option<&ExecAction>,
    http: Option<&HTTPGetAction>,
    tcp: Option<&TCPSocketAction>,
    path: &Path,
    causes: &mut Causes,
) {
    if let Some(exec) = exec
        && exec.command.as_ref().is_none_or(Vec::is_empty)
    {
        causes.required(&path.child("exec").child("command"), "");
    }
    if let Some(http) = http {
        let path = path.child("httpGet");
        if http.path.as_deref().is_none_or(str::is_empty) {
            causes.required(&path.child("path"), "");
        }
        port(&http.port, &path.child("port"), causes);
        causes.one_of(
            &path.child("scheme"),
            http.scheme.as_deref(),
            &["HTTP", "HTTPS"],
        );
    }
    if let Some(tcp) = tcp {
        port(&tcp.port, &path.child("tcpSocket").child("port"), causes);
    }
}

/// Checks a port that is given by number or by name.
pub(super) fn port(port: &IntOrString, path: &Path, causes: &mut Causes) {
    match port {
        IntOrString::Int(number) => causes.port(path, *number),
        IntOrString::String(name) => causes.complaints(path, name, names::port_name(name)),
    }
}
