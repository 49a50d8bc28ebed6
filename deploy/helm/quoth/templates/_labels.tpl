{{- define "quoth.selector" -}}
app.kubernetes.io/name: quoth
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "quoth.labels" -}}
{{ include "quoth.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}
