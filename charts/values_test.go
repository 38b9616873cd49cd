package charts_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "rewrite the table in the chart's README")

// value is one entry of values.yaml.
type value struct {
	path, description string
	fallback          any
}

// documented returns the values that values.yaml describes. Every one must be described, itself or as part of what it is in.
func documented(t *testing.T) []value {
	t.Helper()

	text, err := os.ReadFile("mailvane/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document yamlv3.Node
	if err := yamlv3.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	return entries(t, "", document.Content[0])
}

func entries(t *testing.T, prefix string, mapping *yamlv3.Node) []value {
	t.Helper()

	var found []value
	for i := 0; i < len(mapping.Content); i += 2 {
		key, content := mapping.Content[i], mapping.Content[i+1]
		v := value{path: prefix + key.Value, description: strings.ReplaceAll(strings.ReplaceAll(key.HeadComment, "# ", ""), "\n", " ")}
		switch {
		case v.description != "":
			if err := content.Decode(&v.fallback); err != nil {
				t.Fatal(err)
			}
			found = append(found, v)
		case content.Kind == yamlv3.MappingNode:
			found = append(found, entries(t, v.path+".", content)...)
		default:
			t.Errorf("values.yaml does not describe %s", v.path)
		}
	}
	return found
}

// set returns values of which one is not the default.
func set(path string, content any) map[string]any {
	keys := strings.Split(path, ".")
	last := len(keys) - 1
	nested := map[string]any{keys[last]: content}
	for _, key := range slices.Backward(keys[:last]) {
		nested = map[string]any{key: nested}
	}
	return nested
}

// flips holds for every value one that is not the default, what else it takes for it to matter, and what must then be rendered.
var flips = map[string]struct {
	content any
	with    string
	want    string
}{
	"image.repository":     {content: "registry.example.com/mailvane", want: "--receiver-image=registry.example.com/mailvane:v0.1.0"},
	"image.tag":            {content: "v9", want: `image: "ghcr.io/mailvane/mailvane:v9"`},
	"image.digest":         {content: "sha256:" + strings.Repeat("a", 64), want: "mailvane:v0.1.0@sha256:aaa"},
	"image.pullPolicy":     {content: "Always", want: "imagePullPolicy: Always"},
	"imagePullSecrets":     {content: []any{map[string]any{"name": "registry"}}, want: "- name: registry"},
	"replicas":             {content: 3, want: "replicas: 3"},
	"watchNamespaces":      {content: []any{"mail", "12"}, want: "--watch-namespaces=mail,12"},
	"receiver.image":       {content: "registry.example.com/receiver:v2", want: "--receiver-image=registry.example.com/receiver:v2"},
	"receiver.replicas":    {content: 7, want: "    replicas: 7"},
	"receiver.autoscaling": {content: map[string]any{"maxReplicas": 9}, want: "      maxReplicas: 9"},
	"receiver.resources":   {content: map[string]any{"limits": map[string]any{"memory": "5Gi"}}, want: "        memory: 5Gi"},
	"receiver.placement":   {content: map[string]any{"nodeSelector": map[string]any{"disk": "fast"}}, want: "        disk: fast"},
	"receiver.journal": {
		content: map[string]any{"type": "Embedded", "embedded": map[string]any{"persistence": "PersistentVolumeClaim"}}, want: "persistence: PersistentVolumeClaim",
	},
	"receiver.history":          {content: map[string]any{"type": "Embedded", "maxAge": "720h"}, want: "      maxAge: 720h"},
	"receiver.trustedProxies":   {content: []any{"10.0.0.0/8"}, want: "    trustedProxies:\n    - 10.0.0.0/8"},
	"admissionPolicy.enabled":   {content: false, want: "!kind: ValidatingAdmissionPolicy"},
	"limits.ingressAnnotations": {content: []any{"example.com/*"}, want: "    - example.com/*"},
	"limits.hosts":              {content: map[string]any{"mail": []any{"*.example.com"}, "*": []any{}}, want: "      - '*.example.com'"},
	"limits.priorityClassNames": {content: []any{"mail-*"}, want: "    - mail-*"},
	"limits.tolerationKeys":     {content: []any{"*"}, want: "tolerationKeys:\n    - '*'"},
	"limits.maxReplicas":        {content: 99, want: "maxReplicas: 99"},
	"receiver.metricsFrom": {
		content: []any{map[string]any{"podSelector": map[string]any{}}}, want: "  metrics-from.yaml: |\n    - podSelector: {}",
	},
	"receiver.egress": {
		content: []any{map[string]any{"to": []any{map[string]any{"ipBlock": map[string]any{"cidr": "10.0.0.0/8"}}}}}, want: "  egress.yaml: |\n    - to:",
	},
	"crds.install":                    {content: false, want: "!kind: CustomResourceDefinition"},
	"crds.keep":                       {content: false, want: "!helm.sh/resource-policy"},
	"rbac.create":                     {content: false, with: "rbac: {access: false}", want: "!rbac.authorization.k8s.io"},
	"rbac.access":                     {content: false, want: "!mailvane-privacy"},
	"serviceAccount.create":           {with: "serviceAccount: {name: theirs}", content: false, want: "!kind: ServiceAccount\nmetadata:"},
	"serviceAccount.name":             {content: "mail-operator", want: `serviceAccountName: "mail-operator"`},
	"serviceAccount.annotations":      {content: map[string]any{"example.com/role": "mail"}, want: "example.com/role: mail"},
	"tracing.endpoint":                {content: "http://collector:4318", want: "- name: OTEL_EXPORTER_OTLP_ENDPOINT\n          value: \"http://collector:4318\""},
	"tracing.sampleRatio":             {content: 0.25, with: "tracing: {endpoint: 'http://collector:4318'}", want: "- name: OTEL_TRACES_SAMPLER_ARG\n          value: \"0.25\""},
	"metrics.enabled":                 {content: false, want: "--metrics-bind-address=0"},
	"metrics.serviceMonitor.enabled":  {content: true, want: "kind: ServiceMonitor"},
	"metrics.serviceMonitor.interval": {content: "1m30s", with: "metrics: {serviceMonitor: {enabled: true}}", want: "interval: 1m30s"},
	"metrics.serviceMonitor.labels": {
		content: map[string]any{"prometheus": "main"}, with: "metrics: {serviceMonitor: {enabled: true}}", want: "prometheus: main",
	},
	"metrics.podMonitor.enabled":  {content: true, want: "kind: PodMonitor"},
	"metrics.podMonitor.interval": {content: "2m", with: "metrics: {podMonitor: {enabled: true}}", want: "interval: 2m"},
	"metrics.podMonitor.labels": {
		content: map[string]any{"prometheus": "main"}, with: "metrics: {podMonitor: {enabled: true}}", want: "prometheus: main",
	},
	"metrics.prometheusRule.enabled": {content: true, want: "kind: PrometheusRule"},
	"metrics.prometheusRule.disabled": {
		content: []any{"MailvaneDeadLetters"}, with: "metrics: {prometheusRule: {enabled: true}}", want: "!alert: MailvaneDeadLetters",
	},
	"metrics.prometheusRule.runbooks": {
		content: "https://example.com/books", with: "metrics: {prometheusRule: {enabled: true}}", want: "runbook_url: https://example.com/books/MailvaneDeadLetters.md",
	},
	"metrics.prometheusRule.labels": {
		content: map[string]any{"prometheus": "main"}, with: "metrics: {prometheusRule: {enabled: true}}", want: "prometheus: main",
	},
	"metrics.dashboard.enabled": {content: true, want: "name: mailvane-dashboard"},
	"metrics.dashboard.labels": {
		content: map[string]any{"dashboards": "yes"}, with: "metrics: {dashboard: {enabled: true}}", want: `dashboards: "yes"`,
	},
	"metrics.dashboard.annotations": {
		content: map[string]any{"folder": "Mail"}, with: "metrics: {dashboard: {enabled: true}}", want: "folder: Mail",
	},
	"extraObjects":          {content: []any{map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "theirs"}}}, want: "name: theirs"},
	"networkPolicy.enabled": {content: false, want: "!kind: NetworkPolicy"},
	"networkPolicy.metricsFrom": {
		content: []any{map[string]any{"podSelector": map[string]any{}}}, with: "networkPolicy: {enabled: true}", want: "podSelector: {}",
	},
	"resources":         {content: map[string]any{"limits": map[string]any{"memory": "333Mi"}}, want: "memory: 333Mi"},
	"podAnnotations":    {content: map[string]any{"example.com/a": "1"}, want: `example.com/a: "1"`},
	"podLabels":         {content: map[string]any{"team": "mail"}, want: "team: mail"},
	"commonLabels":      {content: map[string]any{"team": "mail"}, want: "team: mail"},
	"priorityClassName": {content: "system-cluster-critical", want: `priorityClassName: "system-cluster-critical"`},
	"nodeSelector":      {content: map[string]any{"kubernetes.io/os": "linux"}, want: "kubernetes.io/os: linux"},
	"tolerations":       {content: []any{map[string]any{"operator": "Exists"}}, want: "- operator: Exists"},
	"affinity":          {content: map[string]any{"podAntiAffinity": map[string]any{}}, want: "podAntiAffinity: {}"},
	"topologySpreadConstraints": {
		content: []any{map[string]any{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}}, want: "topologyKey: zone",
	},
	"nameOverride":     {content: "webhooks", want: "name: mailvane-webhooks-manager"},
	"fullnameOverride": {content: "inbound", want: "name: inbound-manager"},
}

// TestEveryValueMatters renders the chart with each value changed: the objects are valid, and they say what was asked for.
func TestEveryValueMatters(t *testing.T) {
	t.Parallel()

	for _, v := range documented(t) {
		t.Run(v.path, func(t *testing.T) {
			t.Parallel()

			flip, ok := flips[v.path]
			if !ok {
				t.Fatal("no test changes this value")
			}
			before, err := template(t, flip.with)
			if err != nil {
				t.Fatal(err)
			}
			after, err := template(t, overlay(t, flip.with, set(v.path, flip.content)))
			if err != nil {
				t.Fatal(err)
			}
			want, absent := strings.CutPrefix(flip.want, "!")
			if strings.Contains(before, want) != absent || strings.Contains(after, want) == absent {
				t.Errorf("want %q only after the change, or with ! before it", flip.want)
			}
			if len(decode(t, after)) == 0 {
				t.Error("nothing was rendered")
			}
		})
	}
}

// overlay returns text with values on top.
func overlay(t *testing.T, text string, top map[string]any) string {
	t.Helper()

	merged := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &merged); err != nil {
		t.Fatal(err)
	}
	if merged == nil {
		merged = map[string]any{}
	}
	merge(merged, top)
	result, err := yaml.Marshal(merged)
	if err != nil {
		t.Fatal(err)
	}
	return string(result)
}

func merge(into, from map[string]any) {
	for key, content := range from {
		below, isMap := content.(map[string]any)
		if old, ok := into[key].(map[string]any); ok && isMap {
			merge(old, below)
			continue
		}
		into[key] = content
	}
}

func TestFlipsAreOfValues(t *testing.T) {
	t.Parallel()

	known := map[string]bool{}
	for _, v := range documented(t) {
		known[v.path] = true
	}
	for path := range flips {
		if !known[path] {
			t.Errorf("values.yaml has no %s", path)
		}
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()

	compiled, err := jsonschema.NewCompiler().Compile("mailvane/values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// with returns the least values that the schema takes, and one more.
func with(path string, content any) map[string]any {
	values := set("image.repository", "example")
	merge(values, set(path, content))
	return values
}

// judge has the schema judge values as it sees them in Helm, which is JSON.
func judge(t *testing.T, s *jsonschema.Schema, values any) error {
	t.Helper()

	text, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	read, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(read)
}

// TestSchema checks every value: the schema takes the default and the change above, and refuses another type and a name beside it.
func TestSchema(t *testing.T) {
	t.Parallel()

	s := schema(t)
	for _, v := range documented(t) {
		for _, good := range []any{v.fallback, flips[v.path].content} {
			if err := judge(t, s, with(v.path, good)); err != nil {
				t.Errorf("%s = %v: %v", v.path, good, err)
			}
		}
		var wrong any = []any{[]any{}} // which nothing is
		for path, content := range map[string]any{v.path: wrong, v.path + "x": v.fallback} {
			if err := judge(t, s, with(path, content)); err == nil {
				t.Errorf("%s = %v was taken", path, content)
			}
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()

	s := schema(t)
	for path, content := range map[string]any{
		"replicas":                        0,
		"receiver.replicas":               101,
		"receiver.image":                  "two words",
		"receiver.autoscaling":            map[string]any{"minReplicas": 2},
		"receiver.resources":              map[string]any{"requests": map[string]any{"gpu": 1}},
		"receiver.placement":              map[string]any{"affinity": map[string]any{}},
		"receiver.history":                map[string]any{"maxAge": "720h"},
		"receiver.history.type":           "PostgreSQL",
		"receiver.history.maxAge":         "30d",
		"receiver.journal":                map[string]any{"embedded": map[string]any{}},
		"receiver.journal.type":           "Kafka",
		"receiver.trustedProxies":         []any{"10.0.0.1"},
		"limits.ingressAnnotations":       []any{"two words"},
		"limits.hosts":                    map[string]any{"mail": []any{"https://example.com"}},
		"limits.maxReplicas":              0,
		"watchNamespaces":                 []any{"mail", "mail"},
		"image.pullPolicy":                "Sometimes",
		"image.digest":                    "sha256:abc",
		"image.tag":                       "v1@sha256",
		"imagePullSecrets":                []any{"registry"},
		"metrics.serviceMonitor.interval": "soon",
		"podAnnotations":                  map[string]any{"a": 1},
		"nameOverride":                    strings.Repeat("a", 41),
		"resources":                       map[string]any{"memory": "1Gi"},
	} {
		if err := judge(t, s, with(path, content)); err == nil {
			t.Errorf("%s = %v was taken", path, content)
		}
	}
	for _, name := range []string{"Mail", "*", "a,b", "", "-a", strings.Repeat("a", 64)} {
		if err := judge(t, s, with("watchNamespaces", []any{name})); err == nil {
			t.Errorf("namespace %q was taken", name)
		}
	}
}

// TestNoRoleForTheDefaultAccount refuses what would let every pod of the manager's namespace read all Secrets.
func TestNoRoleForTheDefaultAccount(t *testing.T) {
	t.Parallel()

	if _, err := template(t, "serviceAccount: {create: false}"); err == nil || !strings.Contains(err.Error(), "set serviceAccount.name") {
		t.Errorf("got %v", err)
	}
}

// TestHelmUsesTheSchema refuses what only the schema can.
func TestHelmUsesTheSchema(t *testing.T) {
	t.Parallel()

	if _, err := template(t, "receiver: {replicas: 101}"); err == nil || !strings.Contains(err.Error(), "replicas") {
		t.Errorf("got %v", err)
	}
}

// TestReadme compares the table in the README with values.yaml. With -update it writes the table.
func TestReadme(t *testing.T) {
	t.Parallel()

	const path = "mailvane/README.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("<!-- values -->\n| value | default | meaning |\n|---|---|---|\n")
	for _, v := range documented(t) {
		fallback, err := json.Marshal(v.fallback)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&table, "| `%s` | `%s` | %s |\n", v.path, fallback, strings.ReplaceAll(v.description, "|", `\|`))
	}
	table.WriteString("<!-- end of values -->")
	place := regexp.MustCompile(`(?s)<!-- values -->.*<!-- end of values -->`)
	if *update {
		if err := os.WriteFile(path, place.ReplaceAllLiteral(text, []byte(table.String())), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(table.String(), string(place.Find(text))); diff != "" {
		t.Errorf("run \"go test ./charts -run TestReadme -update\" (-want +got):\n%s", diff)
	}
}
