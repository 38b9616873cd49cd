package receiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/admin/access"
)

// maxKnownTokens is how many tokens of a receiver are tried: the present one, and the one before it, which pods may still have.
const maxKnownTokens = 2

// makeTokens makes the Secrets with the tokens of a receiver's admin API that are not there. One that is deleted is made anew, with
// another token.
func (r *Reconciler) makeTokens(ctx context.Context, s *scope, u *unit) error {
	if u.memory.hash == "" {
		return nil
	}
	var errs []error
	for _, right := range access.Rights() {
		if s.children[secretID(children.AdminSecretName(u.Name, right))] == nil {
			errs = append(errs, u.note(s, r.applier.Seed(ctx, u.AdminSecret(right, access.NewToken()), children.AdminRightAnnotation)))
		}
	}
	return errors.Join(append(errs, r.learnToken(ctx, s, u))...)
}

// learnToken reads the token by which the manager asks the pods, unless it is the one that is known: that of the least right, which
// suffices.
func (r *Reconciler) learnToken(ctx context.Context, s *scope, u *unit) error {
	name := children.AdminSecretName(u.Name, access.Viewer)
	version := s.versionOf(name)
	if len(u.memory.tokens) > 0 && version == u.memory.tokenVersion {
		return nil
	}
	var secret corev1.Secret
	err := r.Live.Get(ctx, client.ObjectKey{Namespace: u.Namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read Secret %s: %w", name, err)
	}
	u.memory.tokenVersion = version
	tokens, err := access.ParseTokens(secret.Data[children.AdminTokenKey])
	if err != nil {
		return nil //nolint:nilerr // the pods refuse it as well, and the condition says what to do
	}
	u.memory.learn(tokens[0])
	return nil
}

// versionOf returns the version of a Secret of a receiver as the cache has it; empty when it has none.
func (s *scope) versionOf(name string) string {
	secret := s.children[secretID(name)]
	if secret == nil {
		return ""
	}
	return string(secret.UID) + " " + secret.ResourceVersion
}

// learn puts a token before those that are known, and has the pods asked whether they have it.
func (m *receiverMemory) learn(token string) {
	m.asked = time.Time{}
	known := []string{token}
	for _, before := range m.tokens {
		if before != token && len(known) < maxKnownTokens {
			known = append(known, before)
		}
	}
	m.tokens = known
}

// askPod asks a pod with the tokens that are known, or without one while none is. A pod of a release that asked for no token takes any.
func (r *Reconciler) askPod(ctx context.Context, m *receiverMemory, pod *corev1.Pod) answer {
	tokens := m.tokens
	if len(tokens) == 0 {
		tokens = []string{""}
	}
	var a answer
	for i, token := range tokens {
		a.Loaded, a.err = r.Pods.Loaded(ctx, pod, token)
		refused := errors.Is(a.err, ErrToken)
		a.behind = i > 0 || refused
		if !refused {
			break
		}
	}
	return a
}
