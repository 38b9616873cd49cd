package children_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mailvane/mailvane/controllers/render/children"
)

// TestWhosePodItIs has pods with the labels of ours, which anybody may give.
func TestWhosePodItIs(t *testing.T) {
	t.Parallel()
	const name = "mailvane-receiver"
	owner := func(version, kind, name string, controls bool) []metav1.OwnerReference {
		return []metav1.OwnerReference{{APIVersion: version, Kind: kind, Name: name, UID: "1", Controller: &controls}}
	}
	for what, tc := range map[string]struct {
		owners []metav1.OwnerReference
		hash   string
		own    bool
	}{
		"of the Deployment":            {owner("apps/v1", "ReplicaSet", name+"-5f6d8", true), "5f6d8", true},
		"of the StatefulSet":           {owner("apps/v1", "StatefulSet", name, true), "", true},
		"made by hand":                 {nil, "", false},
		"made by hand, with the label": {nil, "5f6d8", false},
		"of another Deployment":        {owner("apps/v1", "ReplicaSet", "other-5f6d8", true), "5f6d8", false},
		"of a ReplicaSet by hand":      {owner("apps/v1", "ReplicaSet", name, true), "", false},
		"of another receiver":          {owner("apps/v1", "StatefulSet", "mailvane-x-receiver", true), "", false},
		"of a Job":                     {owner("batch/v1", "Job", name, true), "", false},
		"not controlled":               {owner("apps/v1", "StatefulSet", name, false), "", false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			pod := &corev1.Pod{}
			pod.Labels, pod.OwnerReferences = children.Labels(name), tc.owners
			if tc.hash != "" {
				pod.Labels["pod-template-hash"] = tc.hash
			}
			if got := children.IsOwn(pod, name); got != tc.own {
				t.Errorf("own: %t", got)
			}
		})
	}
}
