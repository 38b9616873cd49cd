package receiver

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/receiver/program"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// maxNote bounds the text of an event, in bytes; the API server takes no more.
const maxNote = 1024

// announceHandoffFailure records, once, that a pod has ended with events that no other pod took. It goes by the change of the pod's status: a
// moment later the pod may be gone, and no pass would see it.
func (r *Reconciler) announceHandoffFailure(ctx context.Context, e event.UpdateEvent) {
	before, wasPod := e.ObjectOld.(*corev1.Pod)
	pod, isPod := e.ObjectNew.(*corev1.Pod)
	if !wasPod || !isPod {
		return
	}
	receiver, failure := pod.Labels[children.InstanceLabel], program.HandoffFailure(pod)
	if failure == "" || program.HandoffFailure(before) == failure || !children.IsOwn(pod, receiver) {
		return
	}
	log.FromContext(ctx).Info("a pod has ended with events that no other pod took",
		"namespace", pod.Namespace, "pod", pod.Name, "receiver", receiver, "message", failure)
	note := "Pod " + pod.Name + " has ended with events that no other pod took: " + failure
	r.Recorder.Eventf(r.concerned(ctx, pod), pod, corev1.EventTypeWarning, v1alpha1.ReasonHandoffFailed, "Stop", "%s", note[:min(len(note), maxNote)])
}

// concerned returns what people look at: the endpoint of a dedicated receiver, else the pod.
func (r *Reconciler) concerned(ctx context.Context, pod *corev1.Pod) client.Object {
	var endpoints v1alpha1.WebhookEndpointList
	if err := r.Client.List(ctx, &endpoints, client.InNamespace(pod.Namespace)); err != nil {
		return pod
	}
	for i := range endpoints.Items {
		if children.DedicatedName(endpoints.Items[i].Name) == pod.Labels[children.InstanceLabel] {
			return &endpoints.Items[i]
		}
	}
	return pod
}
