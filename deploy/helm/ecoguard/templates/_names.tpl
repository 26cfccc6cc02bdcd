{{- define "ecoguard.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects pods: a list of context and name. */}}
{{- define "ecoguard.selector" -}}
{{- $context := index . 0 -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ $context.Release.Name }}
{{- end -}}

{{- define "ecoguard.labels" -}}
{{- $context := index . 0 -}}
{{ include "ecoguard.selector" . }}
app.kubernetes.io/part-of: ecoguard
app.kubernetes.io/version: {{ $context.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $context.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $context.Chart.Name $context.Chart.Version }}
{{- end -}}

{{- define "ecoguard.image" -}}
{{ .image.repository }}:{{ .image.tag | default .version }}
{{- end -}}

{{/* Of a pod, for a user's number. */}}
{{- define "ecoguard.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "ecoguard.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "ecoguard.modelsClaim" -}}
{{ .Values.models.existingClaim | default (printf "%s-models" (include "ecoguard.fullname" .)) }}
{{- end -}}

{{- define "ecoguard.artifactsClaim" -}}
{{ .Values.training.existingClaim | default (printf "%s-artifacts" (include "ecoguard.fullname" .)) }}
{{- end -}}

{{/* guard.yaml: the chart's own vLLM, where the values name no server. */}}
{{- define "ecoguard.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $upstream := $config.upstream | default dict -}}
{{- if not (or $upstream.url $upstream.urls) -}}
{{- $_ := set $upstream "url" (printf "http://%s-vllm:8000" (include "ecoguard.fullname" .)) -}}
{{- end -}}
{{- $_ := set $config "upstream" $upstream -}}
{{- toYaml $config -}}
{{- end -}}
