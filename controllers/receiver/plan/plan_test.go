package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// endpoint returns one that asks for its own receiver or not, and that a receiver serves.
func endpoint(name string, own bool, servedBy string) v1alpha1.WebhookEndpoint {
	e := v1alpha1.WebhookEndpoint{}
	e.Namespace, e.Name, e.Status.Receiver = "mail", name, servedBy
	if own {
		e.Spec.Receiver = &v1alpha1.Receiver{}
	}
	return e
}

func at(e v1alpha1.WebhookEndpoint, path string) v1alpha1.WebhookEndpoint {
	e.Spec.Path = path
	return e
}

// TestReceivers writes a plan as the names of receivers and of the endpoints in them, one in brackets when it retires.
func TestReceivers(t *testing.T) {
	t.Parallel()
	const shared, own = children.Name, "mailvane-a-receiver"
	for name, tc := range map[string]struct {
		reason    string
		endpoints []v1alpha1.WebhookEndpoint
		keep      bool
		want      []string
	}{
		"nothing":              {"a namespace without endpoints has no receiver", nil, false, nil},
		"sinks alone":          {"the pods may still owe them events", nil, true, []string{shared + ":"}},
		"shared":               {"", []v1alpha1.WebhookEndpoint{endpoint("a", false, ""), endpoint("b", false, shared)}, false, []string{shared + ": a b"}},
		"its own":              {"no shared one is needed", []v1alpha1.WebhookEndpoint{endpoint("a", true, "")}, false, []string{own + ": a"}},
		"its own, served":      {"", []v1alpha1.WebhookEndpoint{endpoint("a", true, own)}, false, []string{own + ": a"}},
		"both":                 {"the shared one is first", []v1alpha1.WebhookEndpoint{endpoint("a", true, own), endpoint("b", false, shared)}, false, []string{shared + ": b", own + ": a"}},
		"moves to its own":     {"the shared one serves until that does", []v1alpha1.WebhookEndpoint{endpoint("a", true, shared)}, false, []string{shared + ": a", own + ": a"}},
		"moves to the shared":  {"its own serves until that does", []v1alpha1.WebhookEndpoint{endpoint("a", false, own)}, false, []string{shared + ": a", "[" + own + "]: a"}},
		"moves, path is taken": {"the shared one has given the path to another endpoint", []v1alpha1.WebhookEndpoint{at(endpoint("a", true, shared), "/x"), at(endpoint("b", false, shared), "/x")}, false, []string{shared + ": b", own + ": a"}},
		"moves, path is free":  {"", []v1alpha1.WebhookEndpoint{at(endpoint("a", true, shared), "/x"), at(endpoint("b", false, shared), "/y")}, false, []string{shared + ": b a", own + ": a"}},
		"and the shared stays": {"for its sinks", []v1alpha1.WebhookEndpoint{endpoint("a", true, own)}, true, []string{shared + ":", own + ": a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, r := range plan.Receivers(plan.Input{Namespace: "mail", Endpoints: tc.endpoints, KeepShared: tc.keep}) {
				line := r.Name
				if r.Retiring {
					line = "[" + line + "]"
				}
				got = append(got, strings.TrimSpace(line+": "+strings.Join(r.Serves, " ")))
				if r.Namespace != "mail" || (r.Owner == nil) != (r.Name == shared) {
					t.Errorf("%s is of namespace %q and belongs to %v", r.Name, r.Namespace, r.Owner)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestDefaults wants what an endpoint does not say to come from the defaults, and a retiring receiver to be left as it is.
func TestDefaults(t *testing.T) {
	t.Parallel()
	claims := v1alpha1.Journal{Type: v1alpha1.JournalEmbedded, Embedded: &v1alpha1.EmbeddedJournal{Persistence: v1alpha1.PersistenceClaim}}
	moves := endpoint("b", false, children.DedicatedName("b"))
	own := endpoint("a", true, "")
	own.Spec.Receiver.Replicas = 5
	receivers := plan.Receivers(plan.Input{Endpoints: []v1alpha1.WebhookEndpoint{own, moves}, Defaults: v1alpha1.Receiver{Replicas: 3, Journal: claims}})
	type like struct {
		replicas int32
		kind     string
	}
	var got []like
	for _, r := range receivers {
		got = append(got, like{r.Spec.Replicas, r.WorkloadKind()})
	}
	want := []like{{3, "StatefulSet"}, {5, "StatefulSet"}, {0, "Deployment"}}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %v, want %v", got, want)
	}
	if diff := cmp.Diff([]string{children.Name, "mailvane-a-receiver", "mailvane-b-receiver"}, plan.Names(receivers)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
