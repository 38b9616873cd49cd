package receiver

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// askBudget bounds how long one pass asks pods, however many do not answer.
	askBudget = 3 * time.Second
	// asksAtOnce bounds the pods that are asked at a time.
	asksAtOnce = 64
)

// question is a pod to ask, and where its answer goes.
type question struct {
	unit *unit
	pod  *corev1.Pod
}

// askPods asks the pods of all receivers at once: one namespace has a bounded part of the manager's time, and one receiver whose pods hang does not
// keep the others from being asked. Those that did not answer the last time come last.
func (r *Reconciler) askPods(ctx context.Context, s *scope) {
	var first, last []question
	for _, u := range s.units {
		again := r.isTimeToAsk(u)
		u.answers = make(map[types.UID]answer, len(u.pods))
		for i := range u.pods {
			pod := &u.pods[i]
			before := u.memory.said[pod.UID]
			switch {
			case isReady(pod) && u.memory.isLoaded(before) && before.JournalProblem == "" && !again:
				u.answers[pod.UID] = answer{Loaded: before}
			case pod.Status.PodIP == "" || (!isReady(pod) && u.available):
			case u.memory.silent[pod.UID]:
				last = append(last, question{u, pod})
			default:
				first = append(first, question{u, pod})
			}
		}
		u.memory.silent = map[types.UID]bool{}
	}
	r.ask(ctx, append(first, last...))
}

// ask asks until the time is over; who has not answered by then has not answered.
func (r *Reconciler) ask(ctx context.Context, questions []question) {
	ctx, cancel := context.WithTimeout(ctx, askBudget)
	defer cancel()
	answers := make([]answer, len(questions))
	var group errgroup.Group
	group.SetLimit(asksAtOnce)
	for i, q := range questions {
		group.Go(func() error {
			answers[i] = r.askPod(ctx, q.unit.memory, q.pod)
			return nil
		})
	}
	_ = group.Wait() // the errors are in the answers
	for i, q := range questions {
		q.unit.answers[q.pod.UID] = answers[i]
		if answers[i].err != nil {
			q.unit.memory.silent[q.pod.UID] = true
		}
	}
}

// isOwn says whether a pod is one of those that the workload of a receiver has made. Anybody who may make pods can give one the labels.
func isOwn(pod *corev1.Pod, receiver string) bool {
	return slices.ContainsFunc(pod.OwnerReferences, func(o metav1.OwnerReference) bool {
		if o.Controller == nil || !*o.Controller || o.APIVersion != appsv1.SchemeGroupVersion.String() {
			return false
		}
		hash := pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
		return (o.Kind == "StatefulSet" && o.Name == receiver) || (o.Kind == "ReplicaSet" && hash != "" && o.Name == receiver+"-"+hash)
	})
}
