package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

func TestLoadDefaults(t *testing.T) {
	t.Parallel()
	claims := v1alpha1.Journal{Type: v1alpha1.JournalEmbedded, Embedded: &v1alpha1.EmbeddedJournal{
		Persistence: v1alpha1.PersistenceClaim, Size: resource.MustParse("10Gi"),
	}}
	cases := map[string]struct {
		text  string
		want  v1alpha1.Receiver
		wrong string
	}{
		"nothing":         {"", v1alpha1.Receiver{}, ""},
		"an empty object": {"{}", v1alpha1.Receiver{}, ""},
		"some, with defaults": {
			"replicas: 3\njournal: {type: Embedded, embedded: {persistence: PersistentVolumeClaim}}\n",
			v1alpha1.Receiver{Replicas: 3, Journal: claims},
			"",
		},
		"trusted proxies":  {"trustedProxies: [10.0.0.0/8]", v1alpha1.Receiver{TrustedProxies: []v1alpha1.CIDR{"10.0.0.0/8"}}, ""},
		"no range at all":  {"trustedProxies: [ingress]", v1alpha1.Receiver{}, "trustedProxies[0]: Invalid value"},
		"not YAML":         {"replicas: [", v1alpha1.Receiver{}, "decode"},
		"a list":           {"[1]", v1alpha1.Receiver{}, "does not hold the fields of spec.receiver"},
		"a field twice":    {"replicas: 1\nreplicas: 2", v1alpha1.Receiver{}, "replicas"},
		"an unknown one":   {"replica: 2", v1alpha1.Receiver{}, "unknown field replica"},
		"too many":         {"replicas: 101", v1alpha1.Receiver{}, "replicas: Invalid value: 101"},
		"what a rule bars": {"replicas: 2\nautoscaling: {maxReplicas: 3}", v1alpha1.Receiver{}, "replicas: Forbidden: must not be set together with autoscaling"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "receiver.yaml")
			if err := os.WriteFile(file, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := loadDefaults(t.Context(), file)
			if (err != nil) != (tc.wrong != "") || (err != nil && (!strings.Contains(err.Error(), tc.wrong) || !strings.Contains(err.Error(), file))) {
				t.Fatalf("got %v, want %q", err, tc.wrong)
			}
			if diff := cmp.Diff(tc.want, got); err == nil && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := loadDefaults(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that does not exist was taken")
	}
}
