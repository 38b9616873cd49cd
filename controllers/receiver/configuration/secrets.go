package configuration

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/controllers/receiver/inventory"
)

const (
	// requestsAtOnce bounds the requests of one pass that are under way at a time.
	requestsAtOnce = 16
	// readEach is the number of Secrets up to which each is read by itself; more are read together with all others of the namespace.
	readEach = 64
	// pageSize bounds the Secrets of one answer.
	pageSize = 250
)

// secretValues is what a Secret holds, and its type.
type secretValues struct {
	data map[string][]byte
	kind corev1.SecretType
}

// readSecrets reads the referenced Secrets that exist, whether or not the cache knows them: an endpoint may be seen before the
// Secret that was created for it, and would take nothing until then. Their values live as long as the pass.
func (p *Phase) readSecrets(ctx context.Context, in *Input) (map[string]secretValues, error) {
	if len(in.SecretVersions) > readEach {
		return p.listSecrets(ctx, in)
	}
	values := make(map[string]secretValues, len(in.SecretVersions))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce)
	for name := range in.SecretVersions {
		group.Go(func() error {
			var secret corev1.Secret
			err := p.Live.Get(ctx, client.ObjectKey{Namespace: in.Namespace, Name: name}, &secret)
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
func (p *Phase) listSecrets(ctx context.Context, in *Input) (map[string]secretValues, error) {
	values := make(map[string]secretValues, len(in.SecretVersions))
	for next := ""; ; {
		var page corev1.SecretList
		if err := p.Live.List(ctx, &page, client.InNamespace(in.Namespace), client.Limit(pageSize), client.Continue(next)); err != nil {
			return nil, fmt.Errorf("read Secrets: %w", err)
		}
		for i := range page.Items {
			if _, referenced := in.SecretVersions[page.Items[i].Name]; referenced {
				keep(values, &page.Items[i])
			}
		}
		if next = page.Continue; next == "" {
			return values, nil
		}
	}
}

// keep keeps what a Secret holds, unless it is a receiver's own, which the cache may not know yet.
func keep(values map[string]secretValues, secret *corev1.Secret) {
	if inventory.ReceiverOf(secret) == "" {
		values[secret.Name] = secretValues{secret.Data, secret.Type}
	}
}
