package charts_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	controllermetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/receiver/metrics"
)

// rule is one alert of the PrometheusRule.
type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// monitoring renders everything that has to do with metrics.
func monitoring(t *testing.T) []client.Object {
	t.Helper()
	return render(t, `metrics: {podMonitor: {enabled: true}, prometheusRule: {enabled: true}, serviceMonitor: {enabled: true}, dashboard: {enabled: true}}`)
}

// object returns the one object of a kind.
func object(t *testing.T, objects []client.Object, kind string) *unstructured.Unstructured {
	t.Helper()
	for _, o := range objects {
		if u, ok := o.(*unstructured.Unstructured); ok && u.GetKind() == kind {
			return u
		}
	}
	t.Fatalf("there is no %s", kind)
	return nil
}

// alerts returns the alerts that a chart brings, and the text of the group that they are in, as Prometheus reads it.
func alerts(t *testing.T, objects []client.Object) ([]rule, []byte) {
	t.Helper()
	spec, err := yaml.Marshal(object(t, objects, "PrometheusRule").Object["spec"])
	if err != nil {
		t.Fatal(err)
	}
	var decoded struct {
		Groups []struct {
			Rules []rule `json:"rules"`
		} `json:"groups"`
	}
	if err := yaml.UnmarshalStrict(spec, &decoded, yaml.DisallowUnknownFields); err != nil && !strings.Contains(err.Error(), `"name"`) {
		t.Fatal(err)
	}
	return decoded.Groups[0].Rules, spec
}

// dashboard is what counts of the dashboard.
type dashboard struct {
	Panels []struct {
		Type, Title string
		Targets     []struct{ Expr string }
	}
}

func panels(t *testing.T, objects []client.Object) dashboard {
	t.Helper()
	for _, o := range objects {
		if c, ok := o.(*corev1.ConfigMap); ok && c.Labels["grafana_dashboard"] == "1" {
			var d dashboard
			if err := json.Unmarshal([]byte(c.Data["mailvane.json"]), &d); err != nil {
				t.Fatal(err)
			}
			return d
		}
	}
	t.Fatal("there is no dashboard")
	return dashboard{}
}

// expressions returns every expression of alerts and dashboard by what it is of, with the dashboard's variables filled in.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	objects := monitoring(t)
	all := map[string]string{}
	rules, _ := alerts(t, objects)
	for _, r := range rules {
		all[r.Alert] = r.Expr
	}
	fill := strings.NewReplacer("$__rate_interval", "1m", "$namespace", ".*", "$manager", ".*")
	for _, p := range panels(t, objects).Panels {
		for i := range p.Targets {
			all[p.Title+" "+string(rune('A'+i))] = fill.Replace(p.Targets[i].Expr)
		}
	}
	return all
}

// named collects the names of metrics that are registered.
type named map[string]bool

var fullName = regexp.MustCompile(`fqName: "([^"]+)"`)

func (n named) Register(c prometheus.Collector) error {
	found := make(chan *prometheus.Desc)
	go func() { c.Describe(found); close(found) }()
	for d := range found {
		n[fullName.FindStringSubmatch(d.String())[1]] = true
	}
	return nil
}

func (n named) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		_ = n.Register(c)
	}
}

func (n named) Unregister(prometheus.Collector) bool { return false }

// receiverMetrics returns the names of all metrics of receivers.
func receiverMetrics() named {
	n := named{}
	metrics.New(n)
	n.MustRegister(metrics.NewJournalCollector(nil, nil))
	return n
}

var metric = regexp.MustCompile(`\b(?:mailvane|controller_runtime)_[a-z_]+`)

// TestEveryMetricThatIsNamedExists looks for each metric of each expression among those that receivers and managers have.
func TestEveryMetricThatIsNamedExists(t *testing.T) {
	t.Parallel()
	exists := receiverMetrics()
	for name := range exists {
		exists[name+"_bucket"] = true
	}
	for _, c := range []string{"controller_runtime_reconcile_errors_total", "controller_runtime_reconcile_total", "controller_runtime_reconcile_time_seconds_bucket"} {
		exists[c] = true
	}
	for of, expression := range expressions(t) {
		for _, name := range metric.FindAllString(expression, -1) {
			if !exists[name] {
				t.Errorf("%s asks for %s, which nothing has", of, name)
			}
		}
	}
	if controllermetrics.Registry == nil {
		t.Error("controller-runtime has no metrics")
	}
}

// TestEveryMetricIsDocumented looks for each metric of a receiver in docs/operations.md.
func TestEveryMetricIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(receiverMetrics())) {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/operations.md does not mention %s", name)
		}
	}
}

// TestEveryAlertHasItsPage looks for the page of each alert and what has to be on it, and for pages of alerts that are gone.
func TestEveryAlertHasItsPage(t *testing.T) {
	t.Parallel()
	rules, _ := alerts(t, monitoring(t))
	pages, err := filepath.Glob("../docs/runbooks/*.md")
	if err != nil || len(pages) != len(rules) {
		t.Errorf("%d pages for %d alerts (%v)", len(pages), len(rules), err)
	}
	for _, r := range rules {
		text, err := os.ReadFile("../docs/runbooks/" + r.Alert + ".md")
		if err != nil {
			t.Error(err)
			continue
		}
		for _, part := range []string{"# " + r.Alert, "Fires when ", "## Meaning", "## Impact", "## Diagnosis", "## Mitigation"} {
			if !strings.Contains(string(text), part) {
				t.Errorf("the page of %s has no %q", r.Alert, part)
			}
		}
		if want := "https://github.com/mailvane/mailvane/blob/main/docs/runbooks/" + r.Alert + ".md"; r.Annotations["runbook_url"] != want {
			t.Errorf("the page of %s is said to be at %q", r.Alert, r.Annotations["runbook_url"])
		}
		if r.Labels["severity"] == "" || r.Annotations["summary"] == "" {
			t.Errorf("%s has no severity or no summary", r.Alert)
		}
	}
}

// TestTheDashboardHasItsRows reads the dashboard as Grafana does.
func TestTheDashboardHasItsRows(t *testing.T) {
	t.Parallel()
	var rows []string
	for _, p := range panels(t, monitoring(t)).Panels {
		if p.Type == "row" {
			rows = append(rows, p.Title)
		} else if len(p.Targets) == 0 {
			t.Errorf("%s shows nothing", p.Title)
		}
	}
	want := []string{"Answers and refusals", "Time of answers", "Events by type", "Sinks", "Dead letters and journal", "Manager"}
	if !slices.Equal(rows, want) {
		t.Errorf("rows %q", rows)
	}
}

// promtool runs the program of Prometheus that reads rules, in a folder.
func promtool(t *testing.T, folder string, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("MAILVANE_REQUIRE_SERVERS") != "" {
			t.Fatal(err)
		}
		t.Skip("promtool, of Prometheus, is not installed")
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = folder
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", args[0], err, output)
	}
}

// TestEveryExpressionParses has Prometheus read each expression.
func TestEveryExpressionParses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var rules []map[string]string
	for _, expression := range expressions(t) {
		rules = append(rules, map[string]string{"record": fmt.Sprintf("expression:%d", len(rules)), "expr": expression})
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "all", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "rules.yaml"), text)
	promtool(t, folder, "check", "rules", "rules.yaml")
}

// TestAlertsFireAndStaySilent has Prometheus evaluate every alert over series in which it has to fire, and over others in which it must not.
func TestAlertsFireAndStaySilent(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	rules, spec := alerts(t, monitoring(t))
	files := []string{"alerts.yaml", "alerts-days.yaml"}
	var cases []byte
	for _, name := range files {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, name), text)
		cases = append(cases, text...)
	}
	for _, r := range rules {
		fires := regexp.MustCompile(`alertname: ` + r.Alert + `\n\s+exp_alerts:\n`)
		silent := regexp.MustCompile(`alertname: ` + r.Alert + `\n\s+exp_alerts: \[\]\n`)
		if !fires.Match(cases) || !silent.Match(cases) {
			t.Errorf("no case has %s fire, or none has it stay silent", r.Alert)
		}
	}
	write(t, filepath.Join(folder, "whole.yaml"), spec)
	promtool(t, folder, "check", "rules", "whole.yaml") // the texts, too
	for i := range rules {
		rules[i].Annotations = nil
	}
	bare, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "mailvane", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "rules.yaml"), bare)
	promtool(t, folder, append([]string{"test", "rules"}, files...)...)
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestReceiversKeepTheirLabels asks for what keeps the label "endpoint" of receivers from being overwritten by the operator's own.
func TestReceiversKeepTheirLabels(t *testing.T) {
	t.Parallel()
	endpoints, _, err := unstructured.NestedSlice(object(t, monitoring(t), "PodMonitor").Object, "spec", "podMetricsEndpoints")
	if err != nil || len(endpoints) != 1 {
		t.Fatal(endpoints, err)
	}
	if first, ok := endpoints[0].(map[string]any); !ok || first["honorLabels"] != true || first["port"] != "metrics" {
		t.Errorf("the PodMonitor scrapes %v", endpoints[0])
	}
}

// TestAlertsCanBeLeftOut names one that nobody wants.
func TestAlertsCanBeLeftOut(t *testing.T) {
	t.Parallel()
	all, _ := alerts(t, monitoring(t))
	some, _ := alerts(t, render(t, `metrics: {prometheusRule: {enabled: true, disabled: [MailvaneDeadLetters]}}`))
	if len(some) != len(all)-1 || slices.ContainsFunc(some, func(r rule) bool { return r.Alert == "MailvaneDeadLetters" }) {
		t.Errorf("%d of %d alerts are left", len(some), len(all))
	}
}

// TestOneManagerOfSeveralStays asks for a PodDisruptionBudget where there are several managers, and for none where it would keep a node from being drained.
func TestOneManagerOfSeveralStays(t *testing.T) {
	t.Parallel()
	for values, want := range map[string]bool{`replicas: 2`: true, `replicas: 1`: false} {
		has := slices.ContainsFunc(render(t, values), func(o client.Object) bool { _, ok := o.(*policyv1.PodDisruptionBudget); return ok })
		if has != want {
			t.Errorf("%s: a PodDisruptionBudget: %t, want %t", values, has, want)
		}
	}
}

// TestExtraObjects installs further objects: one as it is, one that is a template.
func TestExtraObjects(t *testing.T) {
	t.Parallel()
	objects := render(t, `
extraObjects:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: plain}}
- |
  apiVersion: v1
  kind: ConfigMap
  metadata: {name: "{{ .Release.Name }}-made"}
`)
	for _, name := range []string{"plain", release + "-made"} {
		if !slices.ContainsFunc(objects, func(o client.Object) bool { return o.GetName() == name }) {
			t.Errorf("%s is missing", name)
		}
	}
}
