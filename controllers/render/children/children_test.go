package children_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func text(t *testing.T, objects []runtime.ApplyConfiguration) string {
	t.Helper()
	var all strings.Builder
	for _, object := range objects {
		y, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString("---\n" + string(y))
	}
	return all.String()
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the test with -update to write it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// full sets everything that all journals have in common.
func full(journal v1alpha1.Journal) v1alpha1.Receiver {
	return v1alpha1.Receiver{
		Replicas: 3,
		Resources: v1alpha1.Resources{
			Requests: v1alpha1.ResourceAmounts{CPU: resource.MustParse("1"), Memory: resource.MustParse("1Gi")},
			Limits:   v1alpha1.ResourceAmounts{Memory: resource.MustParse("2Gi")},
		},
		Placement: v1alpha1.Placement{
			NodeSelector:      map[string]v1alpha1.NodeLabelValue{"kubernetes.io/arch": "arm64"},
			Tolerations:       []v1alpha1.Toleration{{Key: "mail", Operator: "Equal", Value: "yes", Effect: "NoExecute", TolerationSeconds: new(int64(60))}, {Operator: "Exists"}},
			PriorityClassName: "high",
		},
		Journal: journal,
	}
}

// TestGolden renders each kind of receiver.
func TestGolden(t *testing.T) {
	t.Parallel()
	owner := &v1alpha1.WebhookEndpoint{ObjectMeta: metav1.ObjectMeta{Namespace: "mail", Name: "crm", UID: "d1a5e8ba-7ba8-4a5e-9a5f-0f4f9a1c0c11"}}
	embedded := v1alpha1.Journal{Type: v1alpha1.JournalEmbedded, Embedded: &v1alpha1.EmbeddedJournal{
		Persistence: v1alpha1.PersistenceEphemeral, Size: resource.MustParse("20Gi"),
	}}
	claim := v1alpha1.Journal{Type: v1alpha1.JournalEmbedded, Embedded: &v1alpha1.EmbeddedJournal{
		Persistence: v1alpha1.PersistenceClaim, Size: resource.MustParse("20Gi"), StorageClassName: "fast",
	}}
	reference := func(name, key string) *v1alpha1.SecretKeyReference {
		return &v1alpha1.SecretKeyReference{Name: name, Key: key}
	}
	jetStream := v1alpha1.Journal{Type: v1alpha1.JournalJetStream, JetStream: &v1alpha1.JetStreamJournal{
		URLs: []v1alpha1.NATSURL{"nats://a:4222", "nats://b:4222"}, Replicas: 3, CredentialsRef: reference("nats", "user.creds"),
		TLS: v1alpha1.JetStreamTLS{CARef: reference("nats-ca", "ca.crt"), SecretRef: &v1alpha1.SecretReference{Name: "nats-client"}},
	}}
	autoscaled := full(embedded)
	autoscaled.Replicas, autoscaled.Autoscaling = 0, v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 9, TargetCPUUtilizationPercentage: 70}
	cases := map[string]struct {
		name  string
		owner *v1alpha1.WebhookEndpoint
		spec  v1alpha1.Receiver
	}{
		"shared":     {children.Name, nil, v1alpha1.Receiver{}},
		"autoscaled": {children.DedicatedName("crm"), owner, autoscaled},
		"claims":     {children.DedicatedName("crm"), owner, full(claim)},
		"jetstream":  {children.DedicatedName("crm"), owner, full(jetStream)},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := children.Receiver{Namespace: "mail", Name: tc.name, Owner: tc.owner, Spec: tc.spec}
			objects := r.Render(children.Options{Image: "mailvane.example.com/mailvane:v1", ManagerNamespace: "mailvane-system"})
			secrets, err := r.ConfigSecrets([]byte("{}"), []string{"a", "b"})
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, "testdata/"+name+".yaml", text(t, append(objects, secrets[0], r.HandoffKey(make([]byte, 32)))))
		})
	}
}

// TestEgress renders the NetworkPolicy of an installation that says what receivers may connect to: they still find names and each other.
func TestEgress(t *testing.T) {
	t.Parallel()
	var rules []networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration
	if err := yaml.UnmarshalStrict([]byte("[{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 443, protocol: TCP}]}]"), &rules); err != nil {
		t.Fatal(err)
	}
	r := children.Receiver{Namespace: "mail", Name: children.Name}
	options := children.Options{Image: "mailvane.example.com/mailvane:v1", ManagerNamespace: "mailvane-system"}
	if open := text(t, r.Render(options)); strings.Contains(open, "egress:") {
		t.Error("egress is limited although nobody asked for it")
	}
	options.Egress = rules
	compareGolden(t, "testdata/egress.yaml", text(t, slices.DeleteFunc(r.Render(options), func(o runtime.ApplyConfiguration) bool {
		_, policy := o.(*networkingv1ac.NetworkPolicyApplyConfiguration)
		return !policy
	})))
}

// TestExposureGolden renders an Ingress and an HTTPRoute, without and with a secret at the end of the path.
func TestExposureGolden(t *testing.T) {
	t.Parallel()
	token := v1alpha1.Authentication{PathToken: v1alpha1.PathTokenFactor{SecretRefs: []v1alpha1.SecretKeyReference{{Name: "a", Key: "b"}}}}
	plain := v1alpha1.Exposure{Host: "hooks.example.com", Ingress: &v1alpha1.IngressExposure{}}
	full := v1alpha1.Exposure{Host: "hooks.example.com", Ingress: &v1alpha1.IngressExposure{
		ClassName: "nginx", TLSSecretName: "hooks-tls", Annotations: map[string]string{"example.com/issuer": "main"},
	}}
	gateway := v1alpha1.Exposure{Host: "hooks.example.com", Gateway: &v1alpha1.GatewayExposure{ParentRefs: []v1alpha1.GatewayReference{
		{Name: "main"}, {Name: "other", Namespace: "infra", SectionName: "https", Port: 443},
	}}}
	var objects []runtime.ApplyConfiguration
	for _, tc := range []struct {
		exposure       v1alpha1.Exposure
		authentication v1alpha1.Authentication
		url            string
	}{
		{plain, v1alpha1.Authentication{}, "http://hooks.example.com"},
		{full, token, "https://hooks.example.com"},
		{gateway, v1alpha1.Authentication{}, "https://hooks.example.com"},
		{gateway, token, "https://hooks.example.com"},
	} {
		e := &v1alpha1.WebhookEndpoint{
			ObjectMeta: metav1.ObjectMeta{Namespace: "mail", Name: "crm", UID: "d1a5e8ba-7ba8-4a5e-9a5f-0f4f9a1c0c11"},
			Spec:       v1alpha1.WebhookEndpointSpec{Exposure: &tc.exposure, Authentication: tc.authentication},
		}
		objects = append(objects, children.Exposure(e, children.Name))
		if got := tc.exposure.URL(); got != tc.url {
			t.Errorf("got %s, want %s", got, tc.url)
		}
	}
	compareGolden(t, "testdata/exposures.yaml", text(t, objects))
	open := v1alpha1.Exposure{Host: "a", Gateway: &v1alpha1.GatewayExposure{ParentRefs: []v1alpha1.GatewayReference{{Name: "main", Port: 80}}}}
	if got := open.URL(); got != "http://a" {
		t.Errorf("on port 80: %s", got)
	}
}

// TestNames makes names of all names that an endpoint can have: each is a DNS label, and none is another's.
func TestNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 60)
	endpoints := []string{"a", "1", "receiver", "a-peers", "a-config", "peers", "config", "a.b", "a-b", long, long + "b", strings.Repeat("a", 34), strings.Repeat("a", 35), strings.Repeat("a.", 100) + "a"}
	for _, e := range []string{"a.b", long} { // what is made of a name is a name that another endpoint can have
		endpoints = append(endpoints, strings.TrimPrefix(children.ExposureName(e), "mailvane-"))
	}
	taken := map[string]string{children.Name: "shared", children.PeersName(children.Name): "shared", children.ConfigSecretName(children.Name): "shared"}
	for _, e := range endpoints {
		name := children.DedicatedName(e)
		for _, n := range []string{name, children.PeersName(name), children.ConfigSecretName(name)} {
			if errs := validation.IsDNS1035Label(n); len(errs) > 0 {
				t.Errorf("%s: %s: %v", e, n, errs)
			}
			if other, ok := taken[n]; ok {
				t.Errorf("%s and %s have %s", e, other, n)
			}
			taken[n] = e
		}
		if len(name) > 52 {
			t.Errorf("%s is too long for the hash of a StatefulSet's revision", name)
		}
	}
	if got := children.DedicatedName("crm"); got != "mailvane-crm-receiver" {
		t.Errorf("got %s", got)
	}
}

func TestInherit(t *testing.T) {
	t.Parallel()
	defaults := full(v1alpha1.Journal{Type: v1alpha1.JournalEmbedded})
	own := v1alpha1.Receiver{
		Autoscaling:    v1alpha1.Autoscaling{MinReplicas: 1, MaxReplicas: 2},
		Resources:      v1alpha1.Resources{Limits: v1alpha1.ResourceAmounts{Memory: resource.MustParse("3Gi")}},
		Placement:      v1alpha1.Placement{PriorityClassName: "low"},
		Journal:        v1alpha1.Journal{Type: v1alpha1.JournalJetStream},
		TrustedProxies: []v1alpha1.CIDR{"192.0.2.0/24"},
	}
	if diff := cmp.Diff(own, children.Inherit(defaults, own)); diff != "" {
		t.Errorf("each part as a whole (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(defaults, children.Inherit(defaults, v1alpha1.Receiver{})); diff != "" {
		t.Errorf("nothing set (-want +got):\n%s", diff)
	}
}

// TestTrustedProxies renders receivers of YAML whose proxies are named by the endpoint, by the defaults, by both and by nobody.
func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ defaults, own, want string }{
		"nobody's":       {"{}", "{}", ""},
		"the endpoint's": {"{}", "{trustedProxies: [10.0.0.0/8, '2001:db8::/32']}", "--trusted-proxies=10.0.0.0/8,2001:db8::/32"},
		"the defaults'":  {"{trustedProxies: [10.0.0.0/8]}", "{replicas: 3}", "--trusted-proxies=10.0.0.0/8"},
		"both's":         {"{trustedProxies: [10.0.0.0/8]}", "{trustedProxies: [192.0.2.0/24]}", "--trusted-proxies=192.0.2.0/24"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := shared()
			r.Spec = children.Inherit(receiverOf(t, tc.defaults), receiverOf(t, tc.own))
			got := ""
			for line := range strings.Lines(text(t, r.Render(children.Options{Image: "mailvane.example.com/mailvane:v1"}))) {
				if strings.Contains(line, "trusted-proxies") {
					got += strings.TrimPrefix(strings.TrimSpace(line), "- ")
				}
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestAnAutoscalerHasSomethingToCountBy renders receivers whose resources say nothing of CPU, or something.
func TestAnAutoscalerHasSomethingToCountBy(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ spec, want string }{
		"resources without CPU":       {"{autoscaling: {maxReplicas: 9}, resources: {limits: {memory: 2Gi}}}", "100m"},
		"a request of memory":         {"{autoscaling: {maxReplicas: 9}, resources: {requests: {memory: 1Gi}}}", "100m"},
		"a request":                   {"{autoscaling: {maxReplicas: 9}, resources: {requests: {cpu: 2}}}", "2"},
		"a limit, which is a request": {"{autoscaling: {maxReplicas: 9}, resources: {limits: {cpu: 2}}}", ""},
		"no resources":                {"{autoscaling: {maxReplicas: 9}}", "100m"},
		"no autoscaler":               {"{resources: {limits: {memory: 2Gi}}}", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := shared()
			r.Spec = receiverOf(t, tc.spec)
			got := ""
			for _, o := range r.Render(children.Options{Image: "mailvane.example.com/mailvane:v1"}) {
				if d, ok := o.(*appsv1ac.DeploymentApplyConfiguration); ok {
					if requests := d.Spec.Template.Spec.Containers[0].Resources.Requests; requests != nil && !requests.Cpu().IsZero() {
						got = requests.Cpu().String()
					}
				}
			}
			if got != tc.want {
				t.Errorf("each pod requests %q of CPU, want %q", got, tc.want)
			}
		})
	}
}

func receiverOf(t *testing.T, text string) v1alpha1.Receiver {
	t.Helper()
	var r v1alpha1.Receiver
	if err := yaml.UnmarshalStrict([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func shared() *children.Receiver { return &children.Receiver{Namespace: "mail", Name: children.Name} }

func TestConfigSecret(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		document []byte
		file     string
		secrets  int
	}{
		"small":      {[]byte("{}"), config.FileName, 1},
		"large":      {bytes.Repeat([]byte("mailvane "), 100<<10), config.CompressedFileName, 1},
		"very large": {noise(3 << 20), config.PartsFileName, 5},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secrets, err := shared().ConfigSecrets(tc.document, nil)
			if err != nil || len(secrets) != tc.secrets {
				t.Fatalf("%d Secrets, %v; want %d", len(secrets), err, tc.secrets)
			}
			secret := secrets[len(secrets)-1]
			if len(secret.Data) != 1 || secret.Data[tc.file] == nil {
				t.Fatalf("%d keys; want %s", len(secret.Data), tc.file)
			}
			names := map[string]bool{}
			for _, s := range secrets {
				names[*s.Name] = true
				if !children.IsReceiverSecretName(*s.Name) {
					t.Errorf("%s is not known to be ours", *s.Name)
				}
			}
			if len(names) != tc.secrets || *secret.Name != children.ConfigSecretName(children.Name) {
				t.Errorf("names %v, the last is %s", names, *secret.Name)
			}
			if got := secret.Annotations[children.ConfigHashAnnotation]; got != config.Hash(tc.document) {
				t.Errorf("hash %s", got)
			}
		})
	}
}

func TestConfigSecretOfTooMuch(t *testing.T) {
	t.Parallel()
	var large *children.TooLargeError
	if _, err := shared().ConfigSecrets(noise(9<<20), nil); !errors.As(err, &large) || large.Bytes < 9<<20 {
		t.Errorf("got %v", err)
	}
}

// noise is what does not compress.
func noise(size int) []byte {
	var b []byte
	for sum := sha256.Sum256(nil); len(b) < size; sum = sha256.Sum256(sum[:]) {
		b = append(b, sum[:]...)
	}
	return b
}

// TestTwentyThousandEndpoints renders a configuration of so many endpoints, each with credentials of its own.
func TestTwentyThousandEndpoints(t *testing.T) {
	t.Parallel()
	c := config.Config{Version: config.Version}
	random := noise(2 * 20_000 * sha256.Size)
	for i := range 20_000 {
		key, token := hex.EncodeToString(random[2*i*sha256.Size:][:sha256.Size]), hex.EncodeToString(random[(2*i+1)*sha256.Size:][:sha256.Size])
		c.Endpoints = append(c.Endpoints, config.Endpoint{
			Namespace: "mail", Name: fmt.Sprintf("endpoint-%d", i), Path: fmt.Sprintf("/hooks/mail/endpoint-%d", i), Verification: config.Enforce, State: config.Active, MaxBodyBytes: 10 << 20,
			Authentication: config.Authentication{PathToken: config.PathToken{Secrets: []string{token}}},
			Provider:       config.Plugin{Type: "EmailEngine", Settings: []byte(`{"serviceSecrets":["` + key + `"]}`)},
			Routes:         []config.Route{{Name: "all", Sink: "crm", Filter: `event.type == "email.bounced"`}},
		})
	}
	document, err := config.Encode(&c)
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := shared().ConfigSecrets(document, []string{"crm"})
	if err != nil || len(secrets) < 3 || len(secrets)-1 > children.MaxParts/2 {
		t.Errorf("%d Secrets, %v", len(secrets), err)
	}
	t.Logf("%d bytes in %d Secrets", len(document), len(secrets))
}
