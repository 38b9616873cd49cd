package workload_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/apply/applytest"
	"github.com/mailvane/mailvane/controllers/receiver/configuration"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/receiver/workload"
)

// TestPrune makes one pass over objects of receiver r. Each must be gone or stay.
func TestPrune(t *testing.T) {
	t.Parallel()
	always := []string{"Secret/r-config", "Secret/r-admin-viewer", "ServiceAccount/r", "Service/r", "Service/r-peers", "NetworkPolicy/r", "PodDisruptionBudget/r"}
	with := func(objects ...string) []string { return append(slices.Clone(always), objects...) }
	retiring := receiver(v1alpha1.Receiver{Journal: claims()})
	retiring.Retiring = true
	jetStream := v1alpha1.Receiver{Journal: v1alpha1.Journal{Type: v1alpha1.JournalJetStream, JetStream: &v1alpha1.JetStreamJournal{}}}
	plain, onClaims := receiver(v1alpha1.Receiver{}), receiver(v1alpha1.Receiver{Journal: claims()})
	for name, tc := range map[string]struct {
		reason    string
		receiver  *plan.Receiver // nil = it is not wanted any more
		available string
		objects   []string
		pods      bool
		parts     int
		deleted   []string
	}{
		"as it should be":             {"", plain, "Deployment", with("Deployment/r"), true, 0, nil},
		"to claims, first":            {"the Deployment serves until a pod of the StatefulSet does", onClaims, "Deployment", with("Deployment/r", "StatefulSet/r"), true, 0, nil},
		"to claims, a pod is there":   {"its pods hand off what they have", onClaims, "StatefulSet", with("Deployment/r", "StatefulSet/r"), true, 0, []string{"Deployment/r"}},
		"from claims, a pod is there": {"", plain, "Deployment", with("Deployment/r", "StatefulSet/r"), true, 0, []string{"StatefulSet/r"}},
		"an autoscaler, form changes": {"the former pods still need it", onClaims, "StatefulSet", with("Deployment/r", "StatefulSet/r", "HorizontalPodAutoscaler/r"), true, 0, []string{"Deployment/r"}},
		"an autoscaler":               {"nobody asks for it any more", plain, "Deployment", with("Deployment/r", "HorizontalPodAutoscaler/r"), true, 0, []string{"HorizontalPodAutoscaler/r"}},
		"an autoscaler, no pod":       {"nothing goes while nothing works", plain, "", with("Deployment/r", "HorizontalPodAutoscaler/r"), true, 0, nil},
		"peers of JetStream":          {"pods that share a journal know no peers", receiver(jetStream), "Deployment", with("Deployment/r"), true, 0, []string{"Service/r-peers"}},
		"retiring":                    {"it serves on, whatever its form is asked to be", retiring, "StatefulSet", with("Deployment/r", "StatefulSet/r", "HorizontalPodAutoscaler/r"), true, 0, nil},
		"parts":                       {"the last ones are used no longer", plain, "Deployment", with("Deployment/r", "Secret/r-config-part-0", "Secret/r-config-part-1", "Secret/r-config-part-2"), true, 1, []string{"Secret/r-config-part-1", "Secret/r-config-part-2"}},
		"parts, no pod":               {"a pod that starts may have mounted the former list", plain, "", with("Deployment/r", "Secret/r-config-part-0"), true, 0, nil},
		"not wanted, with pods":       {"the admin port stays closed until they have gone", nil, "Deployment", with("Deployment/r"), true, 0, slices.DeleteFunc(with("Deployment/r"), func(o string) bool { return o == "NetworkPolicy/r" })},
		"not wanted, without":         {"nothing is left", nil, "", with("Deployment/r"), false, 0, with("Deployment/r")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := workload.Input{Configurations: map[string]configuration.Written{"r": {Hash: "abc", Parts: tc.parts}}}
			if tc.receiver != nil {
				in.Receivers = []*plan.Receiver{tc.receiver}
			}
			in = cluster(in, tc.available, tc.objects...)
			if tc.pods {
				in.HasPods = map[string]bool{"r": true}
			}
			applier := &applytest.Applier{}
			if err := phase(applier, fake.NewClientBuilder().Build()).Prune(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			want := make([]string, len(tc.deleted))
			for i, object := range tc.deleted {
				want[i] = "delete " + object
			}
			slices.Sort(want)
			slices.Sort(applier.Requests)
			if !slices.Equal(want, applier.Requests) {
				t.Errorf("%s (-want +got):\n%s", tc.reason, cmp.Diff(want, applier.Requests))
			}
		})
	}
}

// TestWhatCannotBeDeleted does not keep the rest.
func TestWhatCannotBeDeleted(t *testing.T) {
	t.Parallel()
	failing := errors.New("no")
	applier := &applytest.Applier{Refuse: map[string]error{"Service": failing}}
	err := phase(applier, fake.NewClientBuilder().Build()).Prune(t.Context(), cluster(workload.Input{}, "", "Service/r", "Deployment/r", "Secret/r-config"))
	if !errors.Is(err, failing) || len(applier.Requests) != 3 {
		t.Errorf("%v, %v", applier.Requests, err)
	}
}
