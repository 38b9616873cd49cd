package receiver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

const (
	// requestsAtOnce bounds the requests of one pass that are under way at a time.
	requestsAtOnce = 16
	// readEach is the number of Secrets up to which each is read by itself; more are read together with all others of the namespace.
	readEach = 64
	// pageSize bounds the Secrets of one answer.
	pageSize = 250
	// keyBytes is the length of the key for hand-off.
	keyBytes = 32
)

// configure writes the configurations. While neither they nor anything that they are made of changes, no Secret is read. What the
// API server refuses is returned as refused, beside the finding: the pass goes on.
func (r *Reconciler) configure(ctx context.Context, s *scope) (refused, err error) {
	inputs := s.inputs()
	if s.memory.inputs == inputs && !slices.ContainsFunc(s.units, func(u *unit) bool { return r.applier.Changed(s.configSecret(u.Name)) }) {
		return nil, nil
	}
	secrets, err := r.readSecrets(ctx, s)
	if err != nil {
		return nil, err
	}
	checks := r.Checks
	checks.Filter = s.memory.judge(r.Checks.Filter)
	cfg, problems := render.Render(render.Input{
		Endpoints: s.endpoints, Sinks: s.sinks, Checks: checks, Receiver: receiverName,
		Secret: func(_, name string) (map[string][]byte, bool) {
			secret, found := secrets[name]
			return secret.data, found
		},
		MemoryLimit: s.memoryLimit,
		SecretType:  func(_, name string) string { return string(secrets[name].kind) },
	})
	s.memory.problems = map[render.Object][]render.Problem{}
	for _, p := range problems {
		s.memory.problems[p.Object] = append(s.memory.problems[p.Object], p)
	}
	index := render.NewIndex(&cfg)
	var failed []error
	for _, u := range s.units {
		err := r.configureOne(ctx, s, u, index)
		if u.unwritten = u.obstacle; u.unwritten.OK() {
			failed = append(failed, err)
		} else {
			refused, inputs = errors.Join(refused, err), ""
		}
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	s.memory.inputs = inputs
	return refused, nil
}

// memoryLimit returns what the pods of an endpoint's receiver may take, in bytes; 0 = any.
func (s *scope) memoryLimit(e *v1alpha1.WebhookEndpoint) int64 {
	name := receiverName(e)
	for _, u := range s.units {
		if u.Name == name {
			return u.MemoryLimit()
		}
	}
	return 0
}

// configureOne writes the configuration of one receiver: its endpoints, and the sinks that they lead to. What it has led to before
// may still be owed events; the shared receiver has all sinks for that.
func (r *Reconciler) configureOne(ctx context.Context, s *scope, u *unit, index *render.Index) error {
	if u.Owner == nil {
		part := index.Part(u.serves, index.Sinks())
		return r.writeConfig(ctx, s, u, &part, nil)
	}
	var before []string
	if secret := s.configSecret(u.Name); secret != nil {
		before = children.KnownSinks(secret.Annotations, s.sinkNames())
	}
	part := index.Part(u.serves, before)
	return r.writeConfig(ctx, s, u, &part, s.knownSinks(before, &part))
}

func (s *scope) sinkNames() []string {
	names := make([]string, len(s.sinks))
	for i := range s.sinks {
		names[i] = s.sinks[i].Name
	}
	return names
}

// knownSinks returns the sinks of a configuration, and those from before that exist: one that cannot be used for a moment, for
// example because its Secret is replaced, is still owed events after that.
func (s *scope) knownSinks(before []string, cfg *config.Config) []string {
	var known []string
	for i := range cfg.Sinks {
		known = append(known, cfg.Sinks[i].Name)
	}
	known = append(known, before...)
	slices.Sort(known)
	return slices.Compact(known)
}

// writeConfig writes the Secret unless it is as it should be. A configuration that does not fit leaves the last one in force.
func (r *Reconciler) writeConfig(ctx context.Context, s *scope, u *unit, cfg *config.Config, sinks []string) error {
	document, err := config.Encode(cfg)
	if err != nil {
		return err
	}
	secret, err := u.ConfigSecret(document, sinks)
	if large, ok := errors.AsType[*children.TooLargeError](err); ok {
		u.memory.tooLarge = large.Error()
		return nil
	}
	if err != nil {
		return err
	}
	u.memory.tooLarge = ""
	changed := u.memory.key == nil || r.applier.Changed(s.configSecret(u.Name))
	err = u.note(s, r.makeKey(ctx, s, u))
	if err == nil && u.obstacle.OK() {
		err = u.note(s, r.applier.Apply(ctx, secret, s.configSecret(u.Name)))
	}
	if err == nil && u.obstacle.OK() {
		u.memory.hash = config.Hash(document)
		if changed {
			err = r.readKey(ctx, u)
		}
	}
	return err
}

// readKey reads the key that is beside the configuration.
func (r *Reconciler) readKey(ctx context.Context, u *unit) error {
	var secret corev1.Secret
	if err := r.Live.Get(ctx, client.ObjectKey{Namespace: u.Namespace, Name: children.ConfigSecretName(u.Name)}, &secret); err != nil {
		return fmt.Errorf("read the key of receiver %s: %w", u.Name, err)
	}
	u.memory.key = children.KeyOf(&secret)
	return nil
}

// makeKey makes the key by which the pods of a receiver know each other, and the manager what they have loaded, once.
func (r *Reconciler) makeKey(ctx context.Context, s *scope, u *unit) error {
	if secret := s.configSecret(u.Name); secret != nil && secret.Annotations[children.HandoffKeyAnnotation] != "" {
		return nil
	}
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // which never fails
	return r.applier.Seed(ctx, u.HandoffKey(key), children.HandoffKeyAnnotation)
}

// inputs names everything that the configurations are made of: the generations of objects, the versions of the referenced
// Secrets, and which receiver serves what.
func (s *scope) inputs() string {
	lines := make([]string, 0, len(s.endpoints)+len(s.sinks)+len(s.secretVersions)+len(s.units))
	for i := range s.endpoints {
		lines = append(lines, fmt.Sprintf("e %s %d", s.endpoints[i].UID, s.endpoints[i].Generation))
	}
	for i := range s.sinks {
		lines = append(lines, fmt.Sprintf("s %s %d", s.sinks[i].UID, s.sinks[i].Generation))
	}
	for name, version := range s.secretVersions {
		lines = append(lines, "r "+name+" "+version)
	}
	for _, u := range s.units {
		lines = append(lines, "u "+u.Name+" "+strings.Join(u.serves, " "))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// readSecrets reads the referenced Secrets that exist, whether or not the cache knows them: an endpoint may be seen before the
// Secret that was created for it, and would take nothing until then. Their values live as long as the pass.
func (r *Reconciler) readSecrets(ctx context.Context, s *scope) (map[string]secretValues, error) {
	if len(s.secretVersions) > readEach {
		return r.listSecrets(ctx, s)
	}
	values := make(map[string]secretValues, len(s.secretVersions))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for name := range s.secretVersions {
		group.Go(func() error {
			var secret corev1.Secret
			err := r.Live.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, &secret)
			if apierrors.IsNotFound(err) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("read Secret %s: %w", name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			keep(values, &secret)
			return nil
		})
	}
	return values, group.Wait()
}

// listSecrets reads all Secrets of the namespace and keeps the referenced ones: a few requests instead of one for each.
func (r *Reconciler) listSecrets(ctx context.Context, s *scope) (map[string]secretValues, error) {
	values := make(map[string]secretValues, len(s.secretVersions))
	for next := ""; ; {
		var page corev1.SecretList
		if err := r.Live.List(ctx, &page, client.InNamespace(s.namespace), client.Limit(pageSize), client.Continue(next)); err != nil {
			return nil, fmt.Errorf("read Secrets: %w", err)
		}
		for i := range page.Items {
			if _, referenced := s.secretVersions[page.Items[i].Name]; referenced {
				keep(values, &page.Items[i])
			}
		}
		if next = page.Continue; next == "" {
			return values, nil
		}
	}
}

// secretValues is what a Secret holds, and its type.
type secretValues struct {
	data map[string][]byte
	kind corev1.SecretType
}

// keep keeps what a Secret holds, unless it is a configuration that the cache does not know yet.
func keep(values map[string]secretValues, secret *corev1.Secret) {
	if _, ours := receiverOf(secret); !ours {
		values[secret.Name] = secretValues{secret.Data, secret.Type}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
