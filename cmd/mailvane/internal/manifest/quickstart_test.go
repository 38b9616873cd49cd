package manifest_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// TestQuickstartSigningKey makes sure that requests which are signed with the demo's key verify with the endpoint's.
func TestQuickstartSigningKey(t *testing.T) {
	t.Parallel()

	set, _ := newLoader(t).Load(t.Context(), quickstart)
	i := slices.IndexFunc(set.Endpoints, func(e v1alpha1.WebhookEndpoint) bool { return e.Name == "mailchannels" })
	if i < 0 {
		t.Fatal("no endpoint mailchannels")
	}
	endpoint := set.Endpoints[i]
	secret, found := set.Secret(endpoint.Namespace, endpoint.Annotations[v1alpha1.SendSigningKeySecretAnnotation])
	if !found {
		t.Fatalf("the annotation %s names no Secret", v1alpha1.SendSigningKeySecretAnnotation)
	}
	block, _ := pem.Decode(secret[v1alpha1.SendSigningKey])
	if block == nil {
		t.Fatalf("the key %s is not PEM", v1alpha1.SendSigningKey)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		t.Fatalf("got a %T, want an Ed25519 key", parsed)
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := endpoint.Spec.Provider.MailChannels.PublicKeys[0].Key, base64.StdEncoding.EncodeToString(public); got != want {
		t.Errorf("public key: got %s, want %s", got, want)
	}
}

// TestQuickstartKustomization makes sure that kubectl apply -k takes every file.
func TestQuickstartKustomization(t *testing.T) {
	t.Parallel()

	text, err := os.ReadFile(quickstart + "/kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var kustomization struct {
		Resources []string `json:"resources"`
	}
	if err := yaml.Unmarshal(text, &kustomization); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(quickstart + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, file := range files {
		if base := filepath.Base(file); base != "kustomization.yaml" {
			want = append(want, base)
		}
	}
	slices.Sort(kustomization.Resources)
	if diff := cmp.Diff(want, kustomization.Resources); diff != "" {
		t.Errorf("resources (-files +listed):\n%s", diff)
	}
}
