package receiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// requestsAtOnce bounds the requests of one pass that are under way at a time.
const requestsAtOnce = 16

// configure writes the configuration. While neither it nor anything that it is made of changes, no Secret is read.
func (r *Reconciler) configure(ctx context.Context, s *scope) error {
	inputs := s.inputs()
	if s.memory.inputs == inputs && !r.applier.Changed(s.children[secretKind()]) {
		return nil
	}
	secrets, err := r.readSecrets(ctx, s)
	if err != nil {
		return err
	}
	cfg, problems := render.Render(render.Input{
		Endpoints: s.endpoints, Sinks: s.sinks, Checks: r.Checks,
		Secret: func(_, name string) (map[string][]byte, bool) {
			data, found := secrets[name]
			return data, found
		},
	})
	document, err := config.Encode(&cfg)
	if err != nil {
		return err
	}
	s.memory.problems = problems
	err = r.writeConfig(ctx, s, document)
	if s.unwritten = s.obstacle; err == nil && s.unwritten.OK() {
		s.memory.inputs = inputs
	}
	return err
}

// writeConfig writes the Secret unless it is as it should be. A configuration that does not fit leaves the last one in force.
func (r *Reconciler) writeConfig(ctx context.Context, s *scope, document []byte) error {
	secret, err := children.ConfigSecret(s.namespace, document)
	if large, ok := errors.AsType[*children.TooLargeError](err); ok {
		s.memory.tooLarge = large.Error()
		return nil
	}
	if err != nil {
		return err
	}
	s.memory.tooLarge = ""
	err = s.note(r.applier.Apply(ctx, secret, s.children[secretKind()]))
	if err == nil && s.obstacle.OK() {
		s.memory.hash = config.Hash(document)
	}
	return err
}

func secretKind() schema.GroupKind { return schema.GroupKind{Kind: "Secret"} }

// inputs names everything that the configuration is made of: the generations of objects and the versions of the referenced
// Secrets.
func (s *scope) inputs() string {
	lines := make([]string, 0, len(s.endpoints)+len(s.sinks)+len(s.secretVersions))
	for i := range s.endpoints {
		lines = append(lines, fmt.Sprintf("e %s %d", s.endpoints[i].UID, s.endpoints[i].Generation))
	}
	for i := range s.sinks {
		lines = append(lines, fmt.Sprintf("s %s %d", s.sinks[i].UID, s.sinks[i].Generation))
	}
	for name, version := range s.secretVersions {
		lines = append(lines, "r "+name+" "+version)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// readSecrets reads the referenced Secrets that exist. Their values live as long as the pass.
func (r *Reconciler) readSecrets(ctx context.Context, s *scope) (map[string]map[string][]byte, error) {
	values := make(map[string]map[string][]byte, len(s.secretVersions))
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
			values[name] = secret.Data
			if values[name] == nil {
				values[name] = map[string][]byte{}
			}
			return nil
		})
	}
	return values, group.Wait()
}
