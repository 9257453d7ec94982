//! Scratch
#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::print_stdout
)]
use sampan_chart::template::{Executor, Settings, Templates};
use sampan_chart::value::*;
use std::rc::Rc;
const HELPERS: &str = r#"
{{- define "app.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- define "app.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}
{{- define "app.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "app.selectorLabels" . }}
{{- if .Chart.AppVersion }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
{{- define "app.selectorLabels" -}}
app.kubernetes.io/name: {{ include "app.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
"#;
const DEPLOY: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "app.fullname" . }}
  labels:
    {{- include "app.labels" . | nindent 4 }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicaCount }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "app.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "app.labels" . | nindent 8 }}
    spec:
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          ports:
            {{- range .Values.ports }}
            - name: {{ .name }}
              containerPort: {{ .port | int }}
              protocol: {{ .protocol | default "TCP" }}
            {{- end }}
          env:
            {{- range $k, $v := .Values.env }}
            - name: {{ $k | upper | quote }}
              value: {{ tpl $v $ | quote }}
            {{- end }}
"#;
fn data() -> Value {
    let t = |s: &str| Value::text(s);
    let env: Vec<(String, Value)> = (0..10)
        .map(|i| (format!("key{i}"), t("value-{{ .Release.Name }}")))
        .collect();
    Value::dict([
        (
            "Chart",
            Value::dict([
                ("Name", t("app")),
                ("Version", t("1.2.3+x")),
                ("AppVersion", t("1.0")),
            ]),
        ),
        (
            "Release",
            Value::dict([("Name", t("rel")), ("Service", t("Helm"))]),
        ),
        (
            "Values",
            Value::dict([
                ("nameOverride", t("")),
                ("fullnameOverride", t("")),
                ("replicaCount", Value::Float(3.0)),
                (
                    "autoscaling",
                    Value::dict([("enabled", Value::Bool(false))]),
                ),
                (
                    "image",
                    Value::dict([
                        ("repository", t("nginx")),
                        ("tag", t("")),
                        ("pullPolicy", t("Always")),
                    ]),
                ),
                (
                    "ports",
                    Value::list((0..5).map(|i| {
                        Value::dict([
                            ("name", t("http")),
                            ("port", Value::Float(8000.0 + i as f64)),
                        ])
                    })),
                ),
                ("env", Value::dict(env)),
            ]),
        ),
    ])
}
#[test]
fn stacks() {
    let files: usize = 50;
    let settings = Settings::default();
    let rounds = 100;
    let start = std::time::Instant::now();
    let mut parse = std::time::Duration::ZERO;
    let mut bytes = 0;
    for _ in 0..rounds {
        let p = std::time::Instant::now();
        let mut set = Templates::new();
        set.add("h", HELPERS).unwrap();
        for f in 0..files {
            set.add(&format!("t{f}"), DEPLOY).unwrap();
        }
        parse += p.elapsed();
        let mut ex = Executor::new(Rc::new(set), &settings);
        let d = data();
        for f in 0..files {
            bytes += ex
                .execute(format!("t{f}").as_bytes(), d.clone())
                .unwrap()
                .len();
        }
    }
    println!(
        "50 templates: {:?} per render, parse {:?}, bytes {}",
        start.elapsed() / rounds,
        parse / rounds,
        bytes / rounds as usize
    );
    let mut set = Templates::new();
    set.add("t", "{{range 1}}{{if true}}{{$y := .}}{{end}}{{end}}")
        .unwrap();
    let mut ex = Executor::new(Rc::new(set), &settings);
    let start = std::time::Instant::now();
    ex.execute(b"t", Value::Nil).unwrap();
    println!("loop of 1M: {:?}", start.elapsed());
}
