// Package charts_test guards the Helm chart.
package charts_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/test/controlplane"
)

const (
	chart   = "mailvane"
	release = "mailvane"
	// namespace is where config/default installs the manager.
	namespace = "mailvane-system"
	// kubernetes is the oldest version that the chart accepts.
	kubernetes = "1.31.0"
	// timeToReport is what is left of a test's time when building Helm is given up.
	timeToReport = 30 * time.Second
)

var cluster controlplane.ControlPlane

func TestMain(m *testing.M) {
	os.Exit(cluster.Run(m))
}

var program struct {
	once sync.Once
	path string
	err  error
}

// helm runs the Helm that hack/helm pins. Where it cannot be built, for want of its modules or of time, the test is skipped.
func helm(t *testing.T, input string, args ...string) (string, error) {
	t.Helper()

	program.once.Do(func() { program.path, program.err = buildHelm(t) })
	if program.err != nil {
		t.Skip(program.err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program.path, args...)
	// The user's own settings do not count: they may say which cluster to use.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "HELM_") || strings.HasPrefix(v, "KUBE") })
	cmd.Env = append(cmd.Env, "HELM_CACHE_HOME="+t.TempDir(), "HELM_CONFIG_HOME="+t.TempDir(), "HELM_DATA_HOME="+t.TempDir())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("helm %s: %w\n%s", args[0], err, stderr.String())
	}
	return stdout.String(), nil
}

// buildHelm returns the path of the program, which the go command keeps in its cache.
func buildHelm(t *testing.T) (string, error) {
	t.Helper()

	// The go command caches a test's result until a file that the test has read changes. Helm's reading does not count.
	if err := os.CopyFS(t.TempDir(), os.DirFS(chart)); err != nil {
		return "", fmt.Errorf("read the chart: %w", err)
	}
	ctx := t.Context()
	if deadline, limited := t.Deadline(); limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-timeToReport))
		defer cancel()
	}
	var complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "tool", "-modfile=../hack/helm/go.mod", "-n", "helm")
	cmd.Stderr, cmd.WaitDelay = &complaint, time.Second
	path, err := cmd.Output()
	if ctx.Err() != nil {
		return "", errors.New("no time left to build Helm: run \"make chart-lint\", or these tests again")
	}
	if err != nil {
		lines := strings.Split(strings.TrimSpace(complaint.String()), "\n")
		return "", fmt.Errorf("Helm cannot be built: %w: %s", err, lines[len(lines)-1])
	}
	return strings.TrimSpace(string(path)), nil
}

// template renders the chart with values, which are YAML.
func template(t *testing.T, values string) (string, error) {
	t.Helper()
	return helm(t, values, "template", release, chart, "--namespace", namespace, "--kube-version", kubernetes, "--values", "-")
}

// render renders the chart and decodes what comes out.
func render(t *testing.T, values string) []client.Object {
	t.Helper()

	text, err := template(t, values)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, text)
}

// decode decodes objects into Kubernetes' own types. Fields that these do not know and duplicates are errors.
func decode(t *testing.T, text string) []client.Object {
	t.Helper()

	scheme, err := controlplane.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	var objects []client.Object
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		var object unstructured.Unstructured
		if err := yaml.UnmarshalStrict(document, &object.Object); err != nil {
			t.Fatalf("%v in:\n%s", err, document)
		}
		if object.Object == nil {
			continue
		}
		if object.GroupVersionKind().Group == "monitoring.coreos.com" { // which are not Kubernetes' own
			objects = append(objects, &object)
			continue
		}
		typed, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%v in:\n%s", err, document)
		}
		objects = append(objects, typed.(client.Object))
	}
}

// find returns the objects of one type.
func find[T client.Object](objects []client.Object) []T {
	var found []T
	for _, o := range objects {
		if typed, ok := o.(T); ok {
			found = append(found, typed)
		}
	}
	return found
}

// one returns the only object of one type.
func one[T client.Object](t *testing.T, objects []client.Object) T {
	t.Helper()

	found := find[T](objects)
	if len(found) != 1 {
		t.Fatalf("%d objects of type %T, want 1", len(found), *new(T))
	}
	return found[0]
}

func TestLint(t *testing.T) {
	t.Parallel()

	if output, err := helm(t, "", "lint", "--strict", "--kube-version", kubernetes, chart); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestOldKubernetesIsRefused(t *testing.T) {
	t.Parallel()

	if _, err := helm(t, "", "template", chart, "--kube-version", "1.30.14"); err == nil || !strings.Contains(err.Error(), "kubeVersion") {
		t.Errorf("got %v", err)
	}
}

// everything turns on what is off by default, but for what needs the Prometheus operator.
const everything = `
replicas: 2
watchNamespaces: [mailvane-system, default]
networkPolicy: {enabled: true, metricsFrom: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]}
receiver:
  metricsFrom: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16]}}], ports: [{port: 443, protocol: TCP}]}]
podLabels: {team: mail}
commonLabels: {cost-centre: "7"}
tolerations: [{operator: Exists}]
topologySpreadConstraints:
- {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app.kubernetes.io/component: manager}}}
`

// TestAPIServerTakesTheObjects has a real API server judge the chart, and the restricted Pod Security Standard its pods.
func TestAPIServerTakesTheObjects(t *testing.T) {
	t.Parallel()

	rendered := map[string]string{}
	for name, values := range map[string]string{"default": "", "everything": everything} {
		text, err := template(t, values)
		if err != nil {
			t.Fatal(err)
		}
		rendered[name] = text
	}
	restricted := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: namespace, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	if err := cluster.Client(t).Create(t.Context(), restricted); err != nil {
		t.Fatal(err)
	}
	for name, text := range rendered {
		t.Run(name, func(t *testing.T) {
			file := t.TempDir() + "/rendered.yaml"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cluster.Kubectl(t, "apply", "--server-side", "--dry-run=server", "--force-conflicts", "--filename", file)
			pod := managerPod(t, decode(t, text))
			if err := cluster.Client(t).Create(t.Context(), pod.DeepCopy(), client.DryRunAll); err != nil {
				t.Errorf("pod: %v", err)
			}
			pod.Spec.Containers[0].SecurityContext.Capabilities = nil
			if err := cluster.Client(t).Create(t.Context(), pod, client.DryRunAll); err == nil {
				t.Error("a pod with capabilities was admitted: the standard is not enforced here")
			}
		})
	}
}

// managerPod returns a pod like those that the Deployment makes.
func managerPod(t *testing.T, objects []client.Object) *corev1.Pod {
	t.Helper()

	template := managerDeployment(t, objects).Spec.Template
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "manager-", Namespace: namespace, Labels: template.Labels}, Spec: template.Spec,
	}
}
