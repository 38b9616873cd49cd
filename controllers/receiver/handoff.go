package receiver

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// strandedPrefix begins what a receiver leaves behind when nobody has taken the events that it still had.
const strandedPrefix = "HandoffFailed: "

// maxNote bounds the text of an event, in bytes; the API server takes no more.
const maxNote = 1024

// stranded returns what a pod's container left behind when it ended; empty when it handed off everything.
func stranded(pod *corev1.Pod) string {
	c := container(pod)
	for _, state := range []corev1.ContainerState{c.State, c.LastTerminationState} {
		if state.Terminated != nil && strings.HasPrefix(state.Terminated.Message, strandedPrefix) {
			return strings.TrimSpace(strings.TrimPrefix(state.Terminated.Message, strandedPrefix))
		}
	}
	return ""
}

// announceStranded records, once, that a pod has ended with events that nobody took. It goes by the change of the pod's status: a
// moment later the pod may be gone, and no pass would see it.
func (r *Reconciler) announceStranded(ctx context.Context, e event.UpdateEvent) {
	was, wasPod := e.ObjectOld.(*corev1.Pod)
	is, isPod := e.ObjectNew.(*corev1.Pod)
	if !wasPod || !isPod || stranded(is) == "" || stranded(was) == stranded(is) {
		return
	}
	log.FromContext(ctx).Info("a pod has ended with events that no other pod took",
		"namespace", is.Namespace, "pod", is.Name, "receiver", is.Labels[children.InstanceLabel], "message", stranded(is))
	note := "Pod " + is.Name + " has ended with events that no other pod took: " + stranded(is)
	r.Recorder.Eventf(r.concerned(ctx, is), is, corev1.EventTypeWarning, v1alpha1.ReasonHandoffFailed, "Stop", "%s", note[:min(len(note), maxNote)])
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
