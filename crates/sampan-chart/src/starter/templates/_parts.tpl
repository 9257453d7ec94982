{{/* What the resources of a release are called: at most 63 characters. */}}
{{- define "APP_NAME.name" -}}
{{- $name := .Release.Name -}}
{{- if not (contains .Chart.Name $name) -}}
{{- $name = printf "%s-%s" $name .Chart.Name -}}
{{- end -}}
{{- $name | replace "." "-" | replace "_" "-" | lower | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The labels by which pods are found; they must never change. */}}
{{- define "APP_NAME.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The labels of all resources. */}}
{{- define "APP_NAME.labels" -}}
{{ include "APP_NAME.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* The image: by digest where one is given. */}}
{{- define "APP_NAME.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .name }}@{{ .digest }}
{{- else -}}
{{ .name }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}
