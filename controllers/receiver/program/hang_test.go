package program

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mailvane/mailvane/controllers/receiver/configuration"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// hanging are pods of which those with the name hang accept and never answer.
type hanging struct{}

func (hanging) Loaded(ctx context.Context, pod *corev1.Pod, _ string) (config.Loaded, error) {
	if !strings.HasPrefix(pod.Name, "hang") {
		return config.Loaded{Hash: "h"}, ctx.Err() // as a request does when its time is over before it begins
	}
	<-ctx.Done()
	return config.Loaded{}, ctx.Err()
}

// TestPodsThatHang has many pods that never answer before one that does. A pass takes a bounded time; a pod of another receiver is asked in
// each, and one of the same receiver when each of those has been found not to answer.
func TestPodsThatHang(t *testing.T) {
	t.Parallel()
	const rounds = 5 // of pods that hang
	receiver := func(name string) Target {
		return Target{Receiver: &plan.Receiver{Receiver: children.Receiver{Name: name}}, Configuration: configuration.Written{Hash: "h"}}
	}
	for of, passes := range map[string]int{"another": 1, "the same": rounds + 1} {
		synctest.Test(t, func(t *testing.T) {
			asker := &Asker{Pods: hanging{}}
			targets := []Target{receiver("bad"), receiver("another")}
			for i := range rounds * asksAtOnce {
				targets[0].Pods = append(targets[0].Pods, podIn(fmt.Sprint("hang-", i), false))
			}
			good := &targets[0]
			if of == "another" {
				good = &targets[1]
			}
			good.Pods = append(good.Pods, podIn("good", false))
			var answers map[string]Answers
			for range passes {
				began := time.Now()
				answers = asker.Ask(t.Context(), "mail", targets, began)
				if took := time.Since(began); took > askBudget {
					t.Errorf("a pass asks for %v", took)
				}
			}
			if a := answers[good.Name].ByPod["good"]; a.Err != nil || a.Hash != "h" {
				t.Errorf("the pod of %s receiver that answers: %+v", of, a)
			}
			if a := answers["bad"].ByPod["hang-0"]; a.Err == nil {
				t.Errorf("the pod that hangs: %+v", a)
			}
		})
	}
}
