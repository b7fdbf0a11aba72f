namespace "dev" {
  name = {{ .Values.namespace }}
}
