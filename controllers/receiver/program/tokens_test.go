package program

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/apply/applytest"
	"github.com/mailvane/mailvane/controllers/receiver/configuration"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/admin/access"
)

const viewer = "r-admin-viewer"

// tokenInput is that of receiver r, which has a configuration, and whose named Secrets exist.
func tokenInput(secrets ...string) TokensInput {
	objects := inventory.Objects{}
	for _, name := range secrets {
		secret := inventory.MetadataOf(corev1.SchemeGroupVersion.WithKind("Secret"))
		secret.Name, secret.UID, secret.ResourceVersion = name, "1", "1"
		objects[inventory.SecretID(name)] = secret
	}
	return TokensInput{
		Namespace: "mail", Receivers: []*plan.Receiver{{Receiver: children.Receiver{Namespace: "mail", Name: "r"}}},
		Configurations: map[string]configuration.Written{"r": {Hash: "abc"}}, Objects: objects,
	}
}

func secretNames() []string {
	var names []string
	for _, right := range access.Rights() {
		names = append(names, children.AdminSecretName("r", right))
	}
	return names
}

// TestWhichTokensAreMade makes one pass.
func TestWhichTokensAreMade(t *testing.T) {
	t.Parallel()
	failing := errors.New("no")
	all := secretNames()
	var seeds []string
	for _, name := range all {
		seeds = append(seeds, "seed Secret/"+name)
	}
	without := tokenInput()
	without.Configurations = nil
	for name, tc := range map[string]struct {
		reason   string
		in       TokensInput
		applier  applytest.Applier
		requests []string
		refused  string
		after    time.Duration
		fails    bool
	}{
		"no configuration": {reason: "no pod is going to be made", in: without},
		"first pass":       {reason: "each right has a Secret of its own", in: tokenInput(), requests: seeds},
		"all are there":    {reason: "they are kept", in: tokenInput(all...)},
		"one was deleted":  {reason: "so that it is made anew", in: tokenInput(all[1:]...), requests: seeds[:1]},
		"refused": {
			reason: "the others are made all the same", in: tokenInput(), applier: applytest.Applier{Refuse: map[string]error{"Secret/" + all[0]: failing}},
			requests: seeds, refused: v1alpha1.ReasonApplyFailed, fails: true,
		},
		"somebody else's": {
			reason: "it is left alone", in: tokenInput(), applier: applytest.Applier{Foreign: map[string]bool{"Secret/" + all[0]: true}},
			requests: seeds, refused: v1alpha1.ReasonNameTaken, after: requeue.Foreign,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tokens := &Tokens{Seeder: &tc.applier, Live: fake.NewClientBuilder().Build()}
			results, err := tokens.Make(t.Context(), tc.in)
			if diff := cmp.Diff(tc.requests, tc.applier.Requests); diff != "" {
				t.Errorf("%s: requests (-want +got):\n%s", tc.reason, diff)
			}
			if r := results["r"]; r.Refused.Reason != tc.refused || r.After != tc.after || (err != nil) != tc.fails {
				t.Errorf("%s: %+v, %v", tc.reason, r, err)
			}
		})
	}
}

// TestWhichTokensAreKnown follows the Secret from pass to pass, as the cache and the API server have it.
func TestWhichTokensAreKnown(t *testing.T) {
	t.Parallel()
	reads := 0
	var failing error
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = "mail", viewer
	api := fake.NewClientBuilder().WithObjects(secret).WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
			reads++
			if failing != nil {
				return failing
			}
			return c.Get(ctx, key, o, options...)
		},
	}).Build()
	tokens := &Tokens{Seeder: &applytest.Applier{}, Live: api}
	first, second, third := access.NewToken(), access.NewToken(), access.NewToken()
	for _, step := range []struct {
		reason  string
		version string // of the Secret in the cache
		token   string // in the Secret
		err     error
		known   []string
		reads   int
	}{
		{"it cannot be read", "1", first, errors.New("no"), nil, 1},
		{"it is read", "1", first, nil, []string{first}, 2},
		{"it is known", "1", first, nil, []string{first}, 2},
		{"it is another one: pods may still have the one before", "2", second, nil, []string{second, first}, 3},
		{"somebody has labelled the Secret", "3", second, nil, []string{second, first}, 4},
		{"somebody has written nonsense: the pods refuse it as well", "4", "\n", nil, []string{second, first}, 5},
		{"two before are not tried any more", "5", third, nil, []string{third, second}, 6},
	} {
		failing = nil
		if err := api.Get(t.Context(), client.ObjectKeyFromObject(secret), secret); err != nil {
			t.Fatal(err)
		}
		secret.Data = map[string][]byte{children.AdminTokenKey: []byte(step.token)}
		if err := api.Update(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		reads, failing = reads-1, step.err
		in := tokenInput(secretNames()...)
		in.Objects[inventory.SecretID(viewer)].ResourceVersion = step.version
		results, err := tokens.Make(t.Context(), in)
		if diff := cmp.Diff(step.known, results["r"].Known); diff != "" || reads != step.reads || !errors.Is(err, step.err) {
			t.Errorf("%s: %d reads, %v (-want +got):\n%s", step.reason, reads, err, diff)
		}
	}
	tokens.Forget("mail")
	if results, err := tokens.Make(t.Context(), tokenInput(secretNames()...)); err != nil || len(results["r"].Known) != 1 {
		t.Errorf("after it was forgotten: %+v, %v", results, err)
	}
}
