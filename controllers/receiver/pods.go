package receiver

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// crashes is the number of restarts from which a pod that is not ready is one that ends again and again.
const crashes = 2

// podFinding says what keeps the pods of a receiver from running, as far as the kubelets and the scheduler say it. The message
// does not follow their every word, which changes with each attempt.
func podFinding(u *unit) condition.Finding {
	selector := children.InstanceLabel + "=" + u.Name
	for i := range u.pods {
		pod := &u.pods[i]
		switch c := container(pod); {
		case imageFails(c):
			return condition.Finding{Reason: v1alpha1.ReasonImagePullFailed, Message: fmt.Sprintf(
				"The image %s cannot be pulled. Name one that the nodes can pull (value receiver.image of the chart, flag --receiver-image of the "+
					"manager), or add to imagePullSecrets of ServiceAccount %s what it takes to pull it.", pod.Spec.Containers[0].Image, u.Name)}
		case crashing(pod, c):
			return condition.Finding{Reason: v1alpha1.ReasonReceiverCrashing, Message: fmt.Sprintf(
				"The pods of the receiver end again and again. Why: kubectl logs --namespace %s --selector %s --previous", u.Namespace, selector)}
		case unschedulable(pod):
			return condition.Finding{Reason: v1alpha1.ReasonUnschedulable, Message: fmt.Sprintf(
				"No node takes the pods of the receiver; resources, placement or the volumes ask for too much. Why: kubectl describe pods --namespace %s --selector %s",
				u.Namespace, selector)}
		}
	}
	return condition.Finding{}
}

// container returns what the kubelet says of the receiver's container, nothing when it has not said anything yet.
func container(pod *corev1.Pod) corev1.ContainerStatus {
	i := slices.IndexFunc(pod.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool { return c.Name == children.ContainerName })
	if i < 0 {
		return corev1.ContainerStatus{}
	}
	return pod.Status.ContainerStatuses[i]
}

// imageFails says whether the kubelet waits for an image that it does not get. It alternates between some of these reasons.
func imageFails(c corev1.ContainerStatus) bool {
	if c.State.Waiting == nil {
		return false
	}
	switch c.State.Waiting.Reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable":
		return true
	default:
		return false
	}
}

// crashing goes by the restarts: between two of them, such a pod runs for a moment.
func crashing(pod *corev1.Pod, c corev1.ContainerStatus) bool {
	waits := c.State.Waiting != nil && c.State.Waiting.Reason == "CrashLoopBackOff"
	return waits || (c.RestartCount >= crashes && !isReady(pod))
}

func unschedulable(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable
	})
}
