package configuration

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/controllers/apply"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// keyBytes is the length of the key for hand-off.
const keyBytes = 32

// writeConfig writes the Secrets unless they are as they should be. A configuration that does not fit leaves the last one in force.
func (w *writer) writeConfig(ctx context.Context, r *plan.Receiver, cfg *config.Config, sinks []string) error {
	document, err := config.Encode(cfg)
	if err != nil {
		return err
	}
	m := w.known.receivers[r.Name]
	secrets, err := r.ConfigSecrets(document, sinks)
	if large, ok := errors.AsType[*children.TooLargeError](err); ok {
		m.TooLarge = large.Error()
		return nil
	}
	if err != nil {
		return err
	}
	m.TooLarge = ""
	changed := m.Key == nil || w.phase.Applier.Changed(w.in.Objects.ConfigSecret(r.Name))
	if ok, err := w.isWritten(r, w.makeKey(ctx, r)); !ok {
		return err
	}
	for _, secret := range secrets {
		if ok, err := w.isWritten(r, w.phase.Applier.Apply(ctx, secret, w.in.Objects[inventory.SecretID(*secret.Name)])); !ok {
			return err
		}
	}
	m.wrote(config.Hash(document), len(secrets)-1)
	if changed {
		m.Key, err = w.phase.readKey(ctx, r)
	}
	return err
}

// isWritten reports whether a Secret was written. If not, the finding says why, and so does the error unless the name is somebody else's.
func (w *writer) isWritten(r *plan.Receiver, err error) (bool, error) {
	f, err := apply.Finding(err, "of the receiver, of which what runs stays as it was",
		"Mend what it names: a quota, a webhook or a policy of the cluster, spec.receiver, or the receiver defaults")
	if !f.OK() {
		w.refused[r.Name] = f
	}
	return f.OK(), err
}

// makeKey makes, once, the key by which the pods of a receiver know each other, and the manager what they have loaded.
func (w *writer) makeKey(ctx context.Context, r *plan.Receiver) error {
	if secret := w.in.Objects.ConfigSecret(r.Name); secret != nil && secret.Annotations[children.HandoffKeyAnnotation] != "" {
		return nil
	}
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // which never fails
	return w.phase.Applier.Seed(ctx, r.HandoffKey(key), children.HandoffKeyAnnotation)
}

// readKey reads the key that is beside the configuration.
func (p *Phase) readKey(ctx context.Context, r *plan.Receiver) ([]byte, error) {
	var secret corev1.Secret
	if err := p.Live.Get(ctx, client.ObjectKey{Namespace: r.Namespace, Name: children.ConfigSecretName(r.Name)}, &secret); err != nil {
		return nil, fmt.Errorf("read the key of receiver %s: %w", r.Name, err)
	}
	return children.KeyOf(&secret), nil
}
