package receiver

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// hanging are pods of which those with the name hang accept and never answer.
type hanging struct{}

func (hanging) Loaded(ctx context.Context, pod *corev1.Pod, _ string) (config.Loaded, error) {
	if !strings.HasPrefix(pod.Name, "hang") {
		return config.Loaded{Hash: "h"}, nil
	}
	<-ctx.Done()
	return config.Loaded{}, ctx.Err()
}

// TestPodsThatHang has a receiver with many pods that never answer before one whose pod does. A pass takes a bounded time, and from the second one
// on the pods that answer are asked first.
func TestPodsThatHang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := New(Options{Pods: hanging{}, Now: time.Now})
		pods := func(name string, n int) []corev1.Pod {
			var all []corev1.Pod
			for i := range n {
				pod := corev1.Pod{Status: corev1.PodStatus{PodIP: "192.0.2.1"}}
				pod.Name, pod.UID = fmt.Sprintf("%s-%d", name, i), types.UID(fmt.Sprintf("%s-%d", name, i))
				all = append(all, pod)
			}
			return all
		}
		m := &memory{receivers: map[string]*receiverMemory{}}
		bad := &unit{memory: m.receiver("bad"), pods: pods("hang", 5*asksAtOnce)}
		good := &unit{memory: m.receiver("good"), pods: pods("good", 1)}
		s := &scope{memory: m, units: []*unit{bad, good}}
		for range 2 {
			began := time.Now()
			r.askPods(t.Context(), s)
			if took := time.Since(began); took > askBudget {
				t.Errorf("a pass asks for %v", took)
			}
		}
		if a := good.answers["good-0"]; a.err != nil || a.Hash != "h" {
			t.Errorf("the pod that answers: %+v", a)
		}
		if a := bad.answers["hang-0"]; a.err == nil {
			t.Errorf("the pod that hangs: %+v", a)
		}
	})
}

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
			if got := isOwn(pod, name); got != tc.own {
				t.Errorf("own: %t", got)
			}
		})
	}
}
