package status

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/eventsink"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/controllers/webhookendpoint"
	"github.com/mailvane/mailvane/receiver/config"
)

const own = "mailvane-crm-receiver"

func at() time.Time { return time.Unix(1_000_000, 0) }

// patcher counts, and gives objects the next version.
type patcher struct {
	mu      sync.Mutex
	patched []string
	err     error
}

func (p *patcher) Patch(_ context.Context, o client.Object, _ client.Patch, _ ...client.SubResourcePatchOption) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.patched = append(p.patched, o.GetName())
	o.SetResourceVersion("2")
	return p.err
}

// reasons drains a recorder: the kind and the reason of each event.
func reasons(recorder *events.FakeRecorder) []string {
	var all []string
	for len(recorder.Events) > 0 {
		words := strings.Fields(<-recorder.Events)
		all = append(all, words[0]+" "+words[1])
	}
	slices.Sort(all)
	return all
}

func endpoint() *v1alpha1.WebhookEndpoint {
	e := &v1alpha1.WebhookEndpoint{}
	e.Namespace, e.Name, e.UID, e.ResourceVersion, e.Generation = "mail", "crm", "1", "1", 1
	return e
}

func sink() *v1alpha1.EventSink {
	s := &v1alpha1.EventSink{}
	s.Namespace, s.Name, s.UID, s.ResourceVersion, s.Generation = "mail", "sink", "2", "1", 1
	return s
}

func notReady(reason string) condition.Finding {
	return condition.Finding{Reason: reason, Message: "no"}
}

// TestWrite makes passes over one endpoint, of whose status the cache knows or not.
func TestWrite(t *testing.T) {
	t.Parallel()
	const ready, pending = "Normal Reconciled", "Warning MinimumReplicasUnavailable"
	patches, recorder := &patcher{}, events.NewFakeRecorder(10)
	p := &Phase{Patcher: patches, Recorder: recorder}
	e, s := endpoint(), sink()
	down := Receiver{NotRunning: notReady(v1alpha1.ReasonMinimumReplicasUnavailable), Loaded: notReady(v1alpha1.ReasonMinimumReplicasUnavailable)}
	loading := Receiver{Available: true, Loaded: notReady(v1alpha1.ReasonConfigurationPending)}
	for _, step := range []struct {
		reason   string
		receiver Receiver
		cache    string // the version of the endpoint in the cache
		err      error
		patched  []string
		events   []string
	}{
		{"first pass", down, "1", nil, []string{"crm", "sink"}, []string{pending, ready}},
		{"the cache is behind: it is written already", down, "1", nil, nil, nil},
		{"waiting for pods to load is no event", loading, "1", nil, []string{"crm"}, nil},
		{"it is ready", Receiver{Available: true}, "1", nil, []string{"crm"}, []string{ready}},
		{"it stays ready", Receiver{Available: true}, "1", nil, nil, nil},
		{"it is refused", down, "1", errors.New("no"), []string{"crm"}, nil},
		{"and told the next time", down, "1", nil, []string{"crm"}, []string{pending}},
		{"it has gone meanwhile", Receiver{Available: true}, "1", apierrors.NewNotFound(corev1.Resource("any"), "crm"), []string{"crm"}, nil},
	} {
		patches.patched, patches.err = nil, step.err
		endpoints, sinks := []v1alpha1.WebhookEndpoint{*e.DeepCopy()}, []v1alpha1.EventSink{*s.DeepCopy()}
		endpoints[0].ResourceVersion = step.cache
		p.Refresh(endpoints, sinks)
		_, err := p.Write(t.Context(),
			[]Endpoint{{Object: &endpoints[0], Inputs: step.receiver.Inputs(&endpoints[0], nil, at())}},
			[]Sink{{Object: &sinks[0], Inputs: eventsink.Inputs{Now: at()}}})
		if wants := step.err != nil && !apierrors.IsNotFound(step.err); (err != nil) != wants {
			t.Errorf("%s: %v", step.reason, err)
		}
		slices.Sort(patches.patched)
		slices.Sort(step.events)
		if diff := cmp.Diff([2][]string{step.patched, step.events}, [2][]string{patches.patched, reasons(recorder)}); diff != "" {
			t.Errorf("%s: patches and events (-want +got):\n%s", step.reason, diff)
		}
	}
}

// TestFinding orders what can be wrong with a receiver.
func TestFinding(t *testing.T) {
	t.Parallel()
	refused, taken := notReady(v1alpha1.ReasonApplyFailed), notReady(v1alpha1.ReasonNameTaken)
	missing, down, journal := notReady(v1alpha1.ReasonSecretNotFound), notReady(v1alpha1.ReasonMinimumReplicasUnavailable), notReady(v1alpha1.ReasonJournalUnavailable)
	for name, tc := range map[string]struct {
		reason   string
		receiver Receiver
		want     string
		words    string
	}{
		"it runs":               {"", Receiver{Available: true, NotRunning: down}, "", ""},
		"it runs, with warning": {"which is no reason", Receiver{Available: true, Warnings: "it is slow."}, "", "Warning: it is slow."},
		"a change is refused":   {"what runs serves on", Receiver{Available: true, Refused: refused}, "", ""},
		"a name is taken":       {"the Service may lead elsewhere", Receiver{Available: true, Refused: taken}, v1alpha1.ReasonNameTaken, ""},
		"its journal is full":   {"it answers 503", Receiver{Available: true, Journal: journal}, v1alpha1.ReasonJournalUnavailable, ""},
		"nothing could be made": {"that is why no pod runs", Receiver{Refused: refused, Missing: missing, NotRunning: down}, v1alpha1.ReasonApplyFailed, ""},
		"a Secret is missing":   {"that is why no pod runs", Receiver{Missing: missing, NotRunning: down}, v1alpha1.ReasonSecretNotFound, ""},
		"no pod":                {"", Receiver{NotRunning: down}, v1alpha1.ReasonMinimumReplicasUnavailable, ""},
	} {
		if got := tc.receiver.Finding(); got.Reason != tc.want || !strings.Contains(got.Message, tc.words) {
			t.Errorf("%s: %+v: %s", name, got, tc.reason)
		}
	}
}

// TestInputs are those of the endpoint alone.
func TestInputs(t *testing.T) {
	t.Parallel()
	r := Receiver{Available: true, Problems: []config.Problem{{Endpoint: "mail/crm"}, {Endpoint: "mail/other"}, {Endpoint: "sales/crm"}}}
	e := endpoint()
	in := r.Inputs(e, nil, at())
	if len(in.Troubles) != 1 || in.Name != children.Name || in.BaseURL("any") != "http://any.mail.svc:8080" {
		t.Errorf("%+v, reached at %s", in, in.BaseURL("any"))
	}
	e.Spec.Receiver = &v1alpha1.Receiver{}
	if in := r.Inputs(e, nil, at()); in.Name != own {
		t.Errorf("it asks for %s", in.Name)
	}
}

// TestMoves follow an endpoint from the shared receiver to its own.
func TestMoves(t *testing.T) {
	t.Parallel()
	p := &Phase{Patcher: &patcher{}, Recorder: events.NewFakeRecorder(10)}
	e := endpoint()
	e.Spec.Receiver, e.Status.Receiver = &v1alpha1.Receiver{}, children.Name
	down := Receiver{NotRunning: notReady(v1alpha1.ReasonMinimumReplicasUnavailable), Loaded: notReady(v1alpha1.ReasonMinimumReplicasUnavailable)}
	for _, step := range []struct {
		reason   string
		receiver Receiver
		after    time.Duration // since the beginning
		again    time.Duration
		serves   string
	}{
		{"its own does not run", down, 0, 0, children.Name},
		{"it has loaded the endpoint, and what is in front may not know", Receiver{Available: true}, time.Second, moveTime, children.Name},
		{"the time is over: the former one goes in the next pass", Receiver{Available: true}, time.Minute, time.Second, own},
		{"it has moved", Receiver{Available: true}, 2 * time.Minute, 0, own},
	} {
		now := at().Add(step.after)
		in := step.receiver.Inputs(e, nil, now)
		again, err := p.Write(t.Context(), []Endpoint{{Object: e, Inputs: in}}, nil)
		e.Status = webhookendpoint.Status(e, in)
		if again != step.again || e.Status.Receiver != step.serves || err != nil {
			t.Errorf("%s: looks again after %v, %s serves, %v", step.reason, again, e.Status.Receiver, err)
		}
	}
}

// TestRefresh has the cache catch up, fall behind, and forget.
func TestRefresh(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason  string
		version string
		forget  bool
		known   bool
	}{
		"behind":            {"what was written counts", "1", false, true},
		"the same":          {"the cache has it", "2", false, false},
		"ahead":             {"somebody has written since", "3", false, false},
		"no number":         {"versions that cannot be compared are taken as they come", "x", false, false},
		"another namespace": {"was forgotten", "1", true, false},
	} {
		p := &Phase{Patcher: &patcher{}, Recorder: events.NewFakeRecorder(10)}
		e := endpoint()
		if _, err := p.Write(t.Context(), []Endpoint{{Object: e, Inputs: (&Receiver{Available: true}).Inputs(e, nil, at())}}, nil); err != nil {
			t.Fatal(err)
		}
		if tc.forget {
			p.Forget("mail")
		}
		cached := []v1alpha1.WebhookEndpoint{*endpoint()}
		cached[0].ResourceVersion = tc.version
		if p.Refresh(cached, nil); len(cached[0].Status.Conditions) > 0 != tc.known {
			t.Errorf("%s: %s: %+v", name, tc.reason, cached[0].Status)
		}
	}
}
