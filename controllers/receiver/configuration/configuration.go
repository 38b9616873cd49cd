// Package configuration writes the configurations of a namespace's receivers, each into Secrets, and says what is wrong with the objects that
// they are made of.
package configuration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/receiver/memory"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// Applier writes Secrets, as package apply does.
type Applier interface {
	Apply(ctx context.Context, configuration runtime.ApplyConfiguration, cached *metav1.PartialObjectMetadata) error
	Seed(ctx context.Context, configuration runtime.ApplyConfiguration, annotation string) error
	Changed(cached *metav1.PartialObjectMetadata) bool
}

// Phase writes the configurations of one namespace at a time.
type Phase struct {
	// Applier writes.
	Applier Applier
	// Live reads the values of Secrets, which are never cached.
	Live client.Reader
	// Checks judge what is to be loaded.
	Checks render.Checks

	memory memory.Namespaces[known]
}

// Input is what configurations are made of.
type Input struct {
	// Namespace is the namespace.
	Namespace string
	// Endpoints are those of the namespace.
	Endpoints []v1alpha1.WebhookEndpoint
	// Sinks are the sinks of those endpoints.
	Sinks []v1alpha1.EventSink
	// Receivers are those that need a configuration.
	Receivers []*plan.Receiver
	// SecretVersions are the versions of the referenced Secrets, by name; empty where the cache has none.
	SecretVersions map[string]string
	// Objects are what the receivers consist of.
	Objects inventory.Objects
}

// Result is what one pass has written and found.
type Result struct {
	// Problems are what is wrong, by the object that has the problem.
	Problems map[render.Object][]render.Problem
	// Receivers hold the configuration of each receiver that is in force, by name.
	Receivers map[string]Written
	// After is when to look again; 0 = when something changes.
	After time.Duration
}

// Write writes the configurations. While neither they nor anything that they are made of changes, no Secret is read. What the API server
// refuses is returned as refused, beside the finding: the pass goes on. After any other error it must not.
func (p *Phase) Write(ctx context.Context, in Input) (result Result, refused, err error) {
	m := p.memory.Of(in.Namespace)
	receivers := m.receivers.Retain(plan.Names(in.Receivers))
	for _, r := range in.Receivers {
		receivers[r.Name].recall(in.Objects.ConfigSecret(r.Name))
	}
	w := writer{phase: p, in: in, known: m}
	if inputs := in.names(); m.inputs != inputs || slices.ContainsFunc(in.Receivers, w.isChanged) {
		m.inputs = "" // so that the next pass tries again what fails
		if refused, err = w.write(ctx); err != nil {
			return Result{}, nil, err
		}
		if len(w.refused) == 0 {
			m.inputs = inputs
		}
	}
	result = Result{Problems: m.problems, Receivers: map[string]Written{}}
	for name, r := range receivers {
		written := r.Written
		written.Refused = w.refused[name]
		if written.Refused.Reason == v1alpha1.ReasonNameTaken {
			result.After = requeue.Foreign
		}
		result.Receivers[name] = written
	}
	return result, refused, nil
}

// Forget drops what is known of a namespace.
func (p *Phase) Forget(namespace string) { p.memory.Forget(namespace) }

// writer writes the configurations of one pass.
type writer struct {
	phase   *Phase
	in      Input
	known   *known
	refused map[string]condition.Finding // by receiver
}

// isChanged reports whether somebody else has changed a Secret with the configuration of a receiver.
func (w *writer) isChanged(r *plan.Receiver) bool {
	for i := range w.known.receivers[r.Name].parts {
		if w.phase.Applier.Changed(w.in.Objects[inventory.SecretID(children.PartSecretName(r.Name, i))]) {
			return true
		}
	}
	return w.phase.Applier.Changed(w.in.Objects.ConfigSecret(r.Name))
}

func (w *writer) write(ctx context.Context) (refused, err error) {
	secrets, err := w.phase.readSecrets(ctx, &w.in)
	if err != nil {
		return nil, err
	}
	checks := w.phase.Checks
	checks.Filter = w.known.judge(checks.Filter)
	cfg, problems := render.Render(render.Input{
		Endpoints: w.in.Endpoints, Sinks: w.in.Sinks, Checks: checks, Receiver: plan.ReceiverName,
		Secret: func(_, name string) (map[string][]byte, bool) {
			secret, found := secrets[name]
			return secret.data, found
		},
		MemoryLimit: w.in.memoryLimit,
		SecretType:  func(_, name string) string { return string(secrets[name].kind) },
	})
	w.known.problems = map[render.Object][]render.Problem{}
	for _, problem := range problems {
		w.known.problems[problem.Object] = append(w.known.problems[problem.Object], problem)
	}
	w.refused = map[string]condition.Finding{}
	index := render.NewIndex(&cfg)
	var failed []error
	for _, r := range w.in.Receivers {
		err := w.writeOne(ctx, r, index)
		if w.refused[r.Name].OK() {
			failed = append(failed, err)
		} else {
			refused = errors.Join(refused, err)
		}
	}
	return refused, errors.Join(failed...)
}

// writeOne writes the configuration of one receiver: its endpoints, and the sinks that they lead to. What it has led to before may still be
// owed events; the shared receiver has all sinks for that.
func (w *writer) writeOne(ctx context.Context, r *plan.Receiver, index *render.Index) error {
	if r.Owner == nil {
		part := index.Part(r.Serves, index.Sinks())
		return w.writeConfig(ctx, r, &part, nil)
	}
	var before []string
	if secret := w.in.Objects.ConfigSecret(r.Name); secret != nil {
		before = children.KnownSinks(secret.Annotations, w.in.sinkNames())
	}
	part := index.Part(r.Serves, before)
	return w.writeConfig(ctx, r, &part, knownSinks(before, &part))
}

// knownSinks returns the sinks of a configuration, and those from before that exist: one that cannot be used for a moment, for example because
// its Secret is replaced, is still owed events after that.
func knownSinks(before []string, cfg *config.Config) []string {
	known := slices.Clone(before)
	for i := range cfg.Sinks {
		known = append(known, cfg.Sinks[i].Name)
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// names lists everything that the configurations are made of: the generations of objects, the versions of the referenced Secrets, and which
// receiver serves what.
func (in *Input) names() string {
	lines := make([]string, 0, len(in.Endpoints)+len(in.Sinks)+len(in.SecretVersions)+len(in.Receivers))
	for i := range in.Endpoints {
		lines = append(lines, fmt.Sprintf("e %s %d", in.Endpoints[i].UID, in.Endpoints[i].Generation))
	}
	for i := range in.Sinks {
		lines = append(lines, fmt.Sprintf("s %s %d", in.Sinks[i].UID, in.Sinks[i].Generation))
	}
	for name, version := range in.SecretVersions {
		lines = append(lines, "r "+name+" "+version)
	}
	for _, r := range in.Receivers {
		lines = append(lines, "u "+r.Name+" "+strings.Join(r.Serves, " "))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (in *Input) sinkNames() []string {
	names := make([]string, len(in.Sinks))
	for i := range in.Sinks {
		names[i] = in.Sinks[i].Name
	}
	return names
}

// memoryLimit returns what the pods of an endpoint's receiver may take, in bytes; 0 = any.
func (in *Input) memoryLimit(e *v1alpha1.WebhookEndpoint) int64 {
	name := plan.ReceiverName(e)
	for _, r := range in.Receivers {
		if r.Name == name {
			return r.MemoryLimit()
		}
	}
	return 0
}
