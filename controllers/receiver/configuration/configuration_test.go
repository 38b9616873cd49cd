package configuration

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

const seedKey, applyConfig = "seed Secret/mailvane-crm-receiver-config", "apply Secret/mailvane-crm-receiver-config"

// TestWhatIsWrittenAgain follows one endpoint over passes in which one thing changes each.
func TestWhatIsWrittenAgain(t *testing.T) {
	t.Parallel()
	c := newCluster(sink("crm"))
	var last Written
	for _, step := range []struct {
		reason string
		change func()
		writes []string
		reads  []string
		edits  bool // the configuration is another one
	}{
		{"first pass", func() {}, []string{seedKey, applyConfig}, []string{"credentials", children.ConfigSecretName(own)}, true},
		{"nothing has changed", c.sync, nil, nil, false},
		{"an edit", func() { c.in.Endpoints[0].Generation, c.in.Endpoints[0].Spec.Routes[0].Filter = 2, "false" }, []string{applyConfig}, []string{"credentials"}, true},
		{"a Secret has changed", func() { c.in.SecretVersions["credentials"] = "2" }, []string{applyConfig}, []string{"credentials"}, false},
		{"another sink", func() { c.in.Sinks = append(c.in.Sinks, sink("other")) }, []string{applyConfig}, []string{"credentials"}, false},
		{"somebody has changed the configuration", func() { c.applier.Edited = map[string]bool{children.ConfigSecretName(own): true} }, []string{applyConfig}, []string{"credentials", children.ConfigSecretName(own)}, false},
		{"it is as it was", func() { c.applier.Edited = nil }, nil, nil, false},
		{"it was deleted: the key is made anew", func() { c.in.Objects = inventory.Objects{} }, []string{seedKey, applyConfig}, []string{"credentials", children.ConfigSecretName(own)}, false},
		{"the manager has restarted", func() { c.sync(); c.restart() }, []string{applyConfig}, []string{"credentials", children.ConfigSecretName(own)}, false},
	} {
		step.change()
		w, writes, err := c.pass(t)
		if diff := cmp.Diff([2][]string{step.writes, step.reads}, [2][]string{writes, c.reads}); diff != "" || err != nil {
			t.Errorf("%s: %v, writes and reads (-want +got):\n%s", step.reason, err, diff)
		}
		if edited := w.Hash != last.Hash; edited != step.edits || w.Hash == "" || len(w.Key) == 0 {
			t.Errorf("%s: hash %q after %q, key of %d bytes", step.reason, w.Hash, last.Hash, len(w.Key))
		}
		last = w
	}
}

// TestWhatFails has one pass fail, and the next one not.
func TestWhatFails(t *testing.T) {
	t.Parallel()
	failing := errors.New("no")
	for name, tc := range map[string]struct {
		reason  string
		change  func(*cluster)
		refused string // of the finding; empty = the pass must not go on
		fails   bool
	}{
		"refused":         {"a quota, or a policy", func(c *cluster) { c.applier.Refuse = map[string]error{"Secret": failing} }, v1alpha1.ReasonApplyFailed, true},
		"somebody else's": {"no watch tells when it goes", func(c *cluster) { c.applier.Foreign = map[string]bool{"Secret": true} }, v1alpha1.ReasonNameTaken, false},
		"a credential cannot be read": {"an endpoint must not be told that it is missing", func(c *cluster) {
			c.fail = func(name string) error { return map[string]error{"credentials": failing}[name] }
		}, "", true},
		"the key cannot be read": {"pods could not be recognised by it", func(c *cluster) {
			c.fail = func(name string) error { return map[string]error{children.ConfigSecretName(own): failing}[name] }
		}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(sink("crm"))
			tc.change(c)
			w, _, err := c.pass(t)
			if w.Refused.Reason != tc.refused || errors.Is(err, failing) != tc.fails {
				t.Errorf("%s: %+v, %v", tc.reason, w.Refused, err)
			}
			if tc.refused != "" && w.Hash != "" {
				t.Errorf("%s: it has hash %q", tc.reason, w.Hash)
			}
			c.applier.Refuse, c.applier.Foreign, c.fail = nil, nil, func(string) error { return nil }
			w, writes, err := c.pass(t)
			if !w.Refused.OK() || w.Hash == "" || len(w.Key) == 0 || err != nil || len(writes) == 0 {
				t.Errorf("the next pass: %+v, %v, %v", w, writes, err)
			}
		})
	}
}

// TestAKeyThatCannotBeRead after somebody has changed the Secret is read by the next pass, although nothing has changed since.
func TestAKeyThatCannotBeRead(t *testing.T) {
	t.Parallel()
	failing := errors.New("no")
	c := newCluster(sink("crm"))
	if w, _, err := c.pass(t); len(w.Key) == 0 || err != nil {
		t.Fatalf("%+v, %v", w, err)
	}
	c.sync()
	c.applier.Edited = map[string]bool{children.ConfigSecretName(own): true}
	c.fail = func(name string) error { return map[string]error{children.ConfigSecretName(own): failing}[name] }
	if _, _, err := c.pass(t); !errors.Is(err, failing) {
		t.Fatal(err)
	}
	c.applier.Edited, c.fail = nil, func(string) error { return nil }
	if w, _, err := c.pass(t); len(w.Key) == 0 || err != nil {
		t.Errorf("pods are not recognised any more: %+v, %v", w, err)
	}
}

// TestPartsThatAreKept wants Secrets with parts to stay while pods may mount them.
func TestPartsThatAreKept(t *testing.T) {
	t.Parallel()
	failing := errors.New("no")
	tooMany := func(c *cluster) {
		for i := range 20_000 { // whose notes are more than the annotations of an object hold
			c.in.Sinks = append(c.in.Sinks, sink(fmt.Sprintf("sink-%d", i)))
			c.in.Endpoints[0].Spec.Routes = append(c.in.Endpoints[0].Spec.Routes, v1alpha1.Route{Name: fmt.Sprint(i), SinkRef: v1alpha1.SinkReference{Name: fmt.Sprintf("sink-%d", i)}})
		}
		c.in.Endpoints[0].Generation++
	}
	before := func(c *cluster) {
		c.cached(children.ConfigSecretName(own), map[string]string{children.ConfigHashAnnotation: "before", children.HandoffKeyAnnotation: "made"})
	}
	for name, tc := range map[string]struct {
		reason   string
		change   func(*cluster)
		parts    int
		hash     string // empty = that of what was written
		tooLarge bool
	}{
		"nothing is there":             {"it fits into one", func(*cluster) {}, 0, "", false},
		"a new manager":                {"it has written all of it", before, 0, "", false},
		"a new manager, refused":       {"it does not know how many are in use", func(c *cluster) { before(c); c.applier.Refuse = map[string]error{"Secret": failing} }, children.MaxParts, "before", false},
		"a new manager, too large":     {"nor here", func(c *cluster) { before(c); tooMany(c) }, children.MaxParts, "before", true},
		"a new manager, foreign parts": {"nor here", func(c *cluster) { before(c); c.applier.Foreign = map[string]bool{"Secret": true} }, children.MaxParts, "before", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(sink("crm"))
			tc.change(c)
			for range 2 {
				w, _, _ := c.pass(t) // the error is another test's
				if w.Parts != tc.parts || (tc.hash != "" && w.Hash != tc.hash) || (tc.hash == "" && w.Hash == "before") || (w.TooLarge != "") != tc.tooLarge {
					t.Errorf("%s: %d parts of %q, too large: %q", tc.reason, w.Parts, w.Hash, w.TooLarge)
				}
			}
		})
	}
}

// TestSinksOfBefore wants a receiver to know the sinks that its endpoint no longer leads to: they may be owed events.
func TestSinksOfBefore(t *testing.T) {
	t.Parallel()
	c := newCluster(sink("crm"), sink("other"), sink("never"))
	noted := func() []string {
		return children.KnownSinks(c.applier.Objects["Secret/"+children.ConfigSecretName(own)].GetAnnotations(), []string{"crm", "never", "other"})
	}
	for _, step := range []struct {
		reason string
		change func()
		want   []string
	}{
		{"it leads to one", func() {}, []string{"crm"}},
		{"it leads to another one", func() { c.in.Endpoints[0].Generation, c.in.Endpoints[0].Spec.Routes[0].SinkRef.Name = 2, "other" }, []string{"crm", "other"}},
		{"a manager that starts reads it from the Secret", c.restart, []string{"crm", "other"}},
		{"a sink that is gone is owed nothing", func() { c.in.Sinks = c.in.Sinks[1:] }, []string{"other"}},
	} {
		step.change()
		if _, _, err := c.pass(t); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, noted()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.reason, diff)
		}
		c.sync()
	}
}

// TestProblemsAreKept wants them to be there also in passes that write nothing, until they are mended.
func TestProblemsAreKept(t *testing.T) {
	t.Parallel()
	c := newCluster(sink("crm"))
	c.in.Endpoints[0].Spec.Routes[0].SinkRef.Name = "missing"
	id := render.Object{Kind: v1alpha1.WebhookEndpointKind, Namespace: "mail", Name: "crm"}
	for i, want := range []int{1, 1, 0} {
		if i == 2 {
			c.in.Sinks = append(c.in.Sinks, sink("missing"))
		}
		c.in.Receivers = plan.Receivers(plan.Input{Namespace: "mail", Endpoints: c.in.Endpoints})
		result, _, err := c.phase.Write(t.Context(), c.in)
		if got := result.Problems[id]; len(got) != want || err != nil {
			t.Errorf("pass %d: %v, %v", i, got, err)
		}
		c.sync()
	}
}

// TestSecretsAreReadTogether counts the requests for few and many Secrets.
func TestSecretsAreReadTogether(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{1: "credentials", readEach + 1: "list"} {
		c := newCluster(sink("crm"))
		for i := 1; i < n; i++ {
			c.in.SecretVersions[fmt.Sprint("missing-", i)] = ""
		}
		if w, _, err := c.pass(t); err != nil || w.Hash == "" || c.reads[0] != want {
			t.Errorf("%d: %v, %v", n, c.reads, err)
		}
	}
}

// TestAReceiverThatComesBack must not count as configured by what was written for the one before.
func TestAReceiverThatComesBack(t *testing.T) {
	t.Parallel()
	c := newCluster(sink("crm"))
	if w, _, err := c.pass(t); w.Hash == "" || err != nil {
		t.Fatalf("%+v, %v", w, err)
	}
	all := c.in.Endpoints
	c.in.Endpoints = nil
	if w, _, err := c.pass(t); w.Hash != "" || err != nil {
		t.Errorf("it is gone: %+v, %v", w, err)
	}
	c.in.Endpoints, c.applier.Refuse = all, map[string]error{"Secret": errors.New("no")}
	if w, _, err := c.pass(t); w.Hash != "" || err == nil {
		t.Errorf("its pods would wait for a Secret that is not there: %+v, %v", w, err)
	}
}

// TestWhatIsLoadedIsRecognised compares what pods say, of this release and of the one before, which said the hash itself.
func TestWhatIsLoadedIsRecognised(t *testing.T) {
	t.Parallel()
	w := Written{Hash: "abc", Key: []byte("key")}
	for said, want := range map[string]bool{
		"abc": true, config.Fingerprint([]byte("key"), "abc"): true,
		"": false, "other": false, config.Fingerprint([]byte("other"), "abc"): false, config.Fingerprint([]byte("key"), "other"): false,
	} {
		if got := w.IsLoaded(config.Loaded{Hash: said}); got != want {
			t.Errorf("%q: %t, want %t", said, got, want)
		}
	}
	if (&Written{}).IsLoaded(config.Loaded{}) {
		t.Error("nothing has been written, and it is loaded")
	}
}
