package children_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func text(t *testing.T, objects []runtime.ApplyConfiguration) string {
	t.Helper()
	var all strings.Builder
	for _, object := range objects {
		y, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString("---\n" + string(y))
	}
	return all.String()
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the test with -update to write it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	o := children.Options{Image: "mailvane.example.com/mailvane:v1", Replicas: 2, ManagerNamespace: "mailvane-system"}
	objects := children.Render("mail", o)
	secret, err := children.ConfigSecret("mail", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "testdata/shared.yaml", text(t, append(objects, secret)))
}

func TestConfigSecret(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		document []byte
		file     string
	}{
		"small": {[]byte("{}"), config.FileName},
		"large": {bytes.Repeat([]byte("mailvane "), 100<<10), config.CompressedFileName},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret, err := children.ConfigSecret("mail", tc.document)
			if err != nil || len(secret.Data) != 1 || secret.Data[tc.file] == nil {
				t.Fatalf("%v, %d keys; want %s", err, len(secret.Data), tc.file)
			}
			if got := secret.Annotations[children.ConfigHashAnnotation]; got != config.Hash(tc.document) {
				t.Errorf("hash %s", got)
			}
		})
	}
}

func TestConfigSecretOfTooMuch(t *testing.T) {
	t.Parallel()
	var noise []byte // which does not compress
	for sum := sha256.Sum256(nil); len(noise) < 2<<20; sum = sha256.Sum256(sum[:]) {
		noise = append(noise, sum[:]...)
	}
	var large *children.TooLargeError
	if _, err := children.ConfigSecret("mail", noise); !errors.As(err, &large) || large.Bytes < len(noise) {
		t.Errorf("got %v", err)
	}
}
