package exposure

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// TestWhatGatewaysSay reads the status of a route of generation 2, whose parent is Gateway gw of namespace infra.
func TestWhatGatewaysSay(t *testing.T) {
	t.Parallel()
	entry := func(parent, conditions string) string {
		return `{"parentRef": {"name": "gw", "namespace": "infra"` + parent + `}, "conditions": [` + conditions + `]}`
	}
	const (
		yes   = `{"type": "Accepted", "status": "True", "observedGeneration": 2}`
		no    = `{"type": "Accepted", "status": "False", "reason": "NoMatchingListenerHostname", "observedGeneration": 2}`
		stale = `{"type": "Accepted", "status": "False", "reason": "NoMatchingListenerHostname", "observedGeneration": 1}`
		wants = `{"type": "Accepted", "status": "Unknown", "reason": "Pending", "observedGeneration": 2}`
		refs  = `{"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound", "observedGeneration": 2}`
	)
	const ok, pending, refused = "True ", "Unknown RoutePending", "False RouteRefused"
	whole, section := v1alpha1.GatewayReference{}, v1alpha1.GatewayReference{SectionName: "https", Port: 443}
	for name, tc := range map[string]struct {
		reason  string
		ref     v1alpha1.GatewayReference
		parents string
		want    string
	}{
		"no status":                {"nobody has said anything", whole, ``, pending},
		"accepted":                 {"", whole, entry("", yes), ok},
		"refused":                  {"", whole, entry("", no), refused},
		"references":               {"an accepted route without its Service leads nowhere", whole, entry("", yes+","+refs), refused},
		"an older generation":      {"an edit is not what was refused", whole, entry("", stale), pending},
		"an answer is being made":  {"Unknown is no answer", whole, entry("", wants), pending},
		"another Gateway":          {"", whole, `{"parentRef": {"name": "other", "namespace": "infra"}, "conditions": [` + yes + `]}`, pending},
		"a Service of the name":    {"a mesh speaks of Services", whole, entry(`, "kind": "Service", "group": ""`, yes), pending},
		"group and kind filled in": {"", whole, entry(`, "kind": "Gateway", "group": "gateway.networking.k8s.io"`, yes), ok},
		"a listener filled in":     {"the route leaves it open", whole, entry(`, "sectionName": "https"`, yes), ok},
		"a port filled in":         {"the route leaves it open", whole, entry(`, "port": 443`, yes), ok},
		"one of two listeners":     {"it is reached by one of them", whole, entry(`, "sectionName": "http"`, no) + "," + entry(`, "sectionName": "https"`, yes), ok},
		"none of two listeners":    {"", whole, entry(`, "sectionName": "http"`, no) + "," + entry(`, "sectionName": "https"`, no), refused},
		"no, and one listener yes": {"who speaks of the reference itself decides", whole, entry("", no) + "," + entry(`, "sectionName": "https"`, yes), refused},
		"another listener":         {"the route names one", section, entry(`, "sectionName": "http", "port": 443`, yes), pending},
		"the listener":             {"", section, entry(`, "sectionName": "https", "port": 443`, yes), ok},
		"the listener, no port":    {"", section, entry(`, "sectionName": "https"`, yes), pending},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			route := &unstructured.Unstructured{}
			text := `{"metadata": {"generation": 2}, "status": {"parents": [` + tc.parents + `]}}`
			if err := utiljson.Unmarshal([]byte(text), &route.Object); err != nil {
				t.Fatal(err)
			}
			e := &v1alpha1.WebhookEndpoint{}
			tc.ref.Name, tc.ref.Namespace = "gw", "infra"
			e.Spec.Exposure = &v1alpha1.Exposure{Gateway: &v1alpha1.GatewayExposure{ParentRefs: []v1alpha1.GatewayReference{tc.ref}}}
			f := routeFinding(route, e)
			status := map[bool]string{true: "Unknown", false: "False"}[f.Unknown]
			if f.OK() {
				status = "True"
			}
			if got := status + " " + f.Reason; got != tc.want {
				t.Errorf("%s: got %s (%s), want %s", tc.reason, got, f.Message, tc.want)
			}
		})
	}
}
