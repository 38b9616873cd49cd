{{- define "mailvane.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- /* Cut so that no suffix makes a name longer than the 63 characters of a DNS label. */}}
{{- define "mailvane.fullname" -}}
{{- $name := include "mailvane.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "mailvane.manager" -}}
{{ include "mailvane.fullname" . }}-manager
{{- end }}

{{- define "mailvane.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "mailvane.manager" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "set serviceAccount.name, or serviceAccount.create=true: the manager may read all Secrets, which the namespace's default account must not" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- /* The labels by which the manager's pods are found. A Deployment's selector can never be changed. */}}
{{- define "mailvane.selector" -}}
app.kubernetes.io/name: {{ include "mailvane.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: manager
{{- end }}

{{- /* The chart's own labels win: the manager takes objects by the label managed-by for its own. */}}
{{- define "mailvane.labels" -}}
{{- $own := include "mailvane.selector" . | fromYaml }}
{{- $_ := set $own "app.kubernetes.io/part-of" "mailvane" }}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service }}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") }}
{{- toYaml (merge $own .Values.commonLabels) }}
{{- end }}

{{- /* Says whether the API server serves admission policies. Without a cluster, as in "helm template", no kinds are known, and it should. */}}
{{- define "mailvane.servesPolicies" -}}
{{- $known := .Capabilities.APIVersions }}
{{- if or ($known.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy") (not ($known.Has "apps/v1/Deployment")) }}yes{{ end }}
{{- end }}

{{- define "mailvane.image" -}}
{{- with .Values.image }}
{{- .repository }}:{{ default $.Chart.AppVersion .tag }}{{ with .digest }}@{{ . }}{{ end }}
{{- end }}
{{- end }}

{{- /* The rules of a role that "make generate" derives from the manager's sources. Arguments: the root, the role's kind. */}}
{{- define "mailvane.rules" -}}
{{- $root := index . 0 }}
{{- $kind := index . 1 }}
{{- range splitList "\n---\n" ($root.Files.Get "files/role.yaml") }}
{{- $role := fromYaml . }}
{{- if eq $role.kind $kind }}
{{- toYaml $role.rules }}
{{- end }}
{{- end }}
{{- end }}

{{- define "mailvane.subjects" -}}
- kind: ServiceAccount
  name: {{ include "mailvane.serviceAccount" . | quote }}
  namespace: {{ .Release.Namespace | quote }}
{{- end }}

{{- /* The fields of spec.receiver that the values set. An autoscaler has the number of pods to itself. */}}
{{- define "mailvane.receiverDefaults" -}}
{{- $defaults := dict }}
{{- range $name, $value := omit .Values.receiver "image" "metricsFrom" "egress" }}
{{- if and $value (not (and (eq $name "replicas") $.Values.receiver.autoscaling)) }}
{{- $_ := set $defaults $name $value }}
{{- end }}
{{- end }}
{{- toYaml $defaults }}
{{- end }}
