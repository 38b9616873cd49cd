package program

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/controllers/apply"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/receiver/configuration"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/receiver/memory"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/admin/access"
)

// maxKnownTokens is how many tokens of a receiver are tried: the present one, and the one before it, which pods may still have.
const maxKnownTokens = 2

// Seeder writes what an object is to have once and keep, as package apply does.
type Seeder interface {
	Seed(ctx context.Context, configuration runtime.ApplyConfiguration, annotation string) error
}

// Tokens makes the Secrets with the tokens of the receivers' admin API, and knows those by which the manager asks pods.
type Tokens struct {
	// Seeder writes Secrets.
	Seeder Seeder
	// Live reads them, since Secrets are never cached.
	Live client.Reader

	memory memory.Namespaces[memory.Receivers[knownTokens]]
}

// knownTokens are those of a receiver, the newest first, and version is that of the Secret that it is from.
type knownTokens struct {
	tokens  []string
	version string
}

// TokensInput is what one pass works on.
type TokensInput struct {
	// Namespace is the namespace.
	Namespace string
	// Receivers are those that there are to be.
	Receivers []*plan.Receiver
	// Configurations are those in force, by receiver. Without one, a receiver needs no token.
	Configurations map[string]configuration.Written
	// Objects are what receivers consist of.
	Objects inventory.Objects
}

// TokensResult is what one pass found of a receiver.
type TokensResult struct {
	// Known are the tokens to ask its pods with, the newest first.
	Known []string
	// Refused is set when a Secret could not be written.
	Refused condition.Finding
	// After is when to look again; 0 = when something changes.
	After time.Duration
}

// Make makes the Secrets that do not exist. One that is deleted is made anew, with another token. The result is by receiver.
func (t *Tokens) Make(ctx context.Context, in TokensInput) (map[string]TokensResult, error) {
	known := t.memory.Of(in.Namespace).Retain(plan.Names(in.Receivers))
	results := make(map[string]TokensResult, len(in.Receivers))
	var errs []error
	for _, r := range in.Receivers {
		if in.Configurations[r.Name].Hash == "" {
			continue
		}
		refused, err := t.makeSecrets(ctx, r, in.Objects)
		errs = append(errs, err, t.learn(ctx, r, in.Objects, known[r.Name]))
		result := TokensResult{Known: slices.Clone(known[r.Name].tokens), Refused: refused}
		if apply.IsForeign(refused) {
			result.After = requeue.Foreign
		}
		results[r.Name] = result
	}
	return results, errors.Join(errs...)
}

// Forget drops what is known of a namespace.
func (t *Tokens) Forget(namespace string) { t.memory.Forget(namespace) }

func (t *Tokens) makeSecrets(ctx context.Context, r *plan.Receiver, objects inventory.Objects) (refused condition.Finding, err error) {
	var errs []error
	for _, right := range access.Rights() {
		if objects[inventory.SecretID(children.AdminSecretName(r.Name, right))] != nil {
			continue
		}
		f, err := apply.Finding(t.Seeder.Seed(ctx, r.AdminSecret(right, access.NewToken()), children.AdminRightAnnotation),
			"of the receiver, of which what runs stays as it was",
			"Mend what it names: a quota, a webhook or a policy of the cluster, spec.receiver, or the receiver defaults")
		refused = condition.First(refused, f)
		errs = append(errs, err)
	}
	return refused, errors.Join(errs...)
}

// learn reads the token by which the manager asks the pods, unless it is the one that is known: that of the least right, which suffices.
func (t *Tokens) learn(ctx context.Context, r *plan.Receiver, objects inventory.Objects, known *knownTokens) error {
	name := children.AdminSecretName(r.Name, access.Viewer)
	version := objects.SecretVersion(name)
	if len(known.tokens) > 0 && version == known.version {
		return nil
	}
	var secret corev1.Secret
	err := t.Live.Get(ctx, client.ObjectKey{Namespace: r.Namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read Secret %s: %w", name, err)
	}
	known.version = version
	tokens, err := access.ParseTokens(secret.Data[children.AdminTokenKey])
	if err != nil {
		return nil //nolint:nilerr // the pods refuse it as well, and the condition says what to do
	}
	known.add(tokens[0])
	return nil
}

// add puts a token before those that are known.
func (k *knownTokens) add(token string) {
	known := []string{token}
	for _, before := range k.tokens {
		if before != token && len(known) < maxKnownTokens {
			known = append(known, before)
		}
	}
	k.tokens = known
}
