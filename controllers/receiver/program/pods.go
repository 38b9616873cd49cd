package program

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// crashes is the number of restarts from which a pod that is not ready is one that ends again and again.
const crashes = 2

// podFinding returns what keeps the pods of a receiver from running, as far as the kubelets and the scheduler report it. The message does not
// repeat their words, which change with each attempt.
func podFinding(t *Target) condition.Finding {
	selector := children.InstanceLabel + "=" + t.Name
	for i := range t.Pods {
		pod := &t.Pods[i]
		switch c := container(pod); {
		case imageFails(c):
			return condition.Finding{Reason: v1alpha1.ReasonImagePullFailed, Message: fmt.Sprintf(
				"The image %s cannot be pulled. Name one that the nodes can pull (value receiver.image of the chart, flag --receiver-image of the "+
					"manager), or add to imagePullSecrets of ServiceAccount %s what it takes to pull it.", pod.Spec.Containers[0].Image, t.Name)}
		case crashing(pod, c):
			return condition.Finding{Reason: v1alpha1.ReasonReceiverCrashing, Message: fmt.Sprintf(
				"The pods of the receiver end again and again. Why: kubectl logs --namespace %s --selector %s --previous", t.Namespace, selector)}
		case unschedulable(pod):
			return condition.Finding{Reason: v1alpha1.ReasonUnschedulable, Message: fmt.Sprintf(
				"No node takes the pods of the receiver; resources, placement or the volumes ask for too much. Why: kubectl describe pods --namespace %s --selector %s",
				t.Namespace, selector)}
		}
	}
	return condition.Finding{}
}

// container returns what the kubelet reports of the receiver's container, nothing when it has not said anything yet.
func container(pod *corev1.Pod) corev1.ContainerStatus {
	i := slices.IndexFunc(pod.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool { return c.Name == children.ContainerName })
	if i < 0 {
		return corev1.ContainerStatus{}
	}
	return pod.Status.ContainerStatuses[i]
}

// imageFails reports whether the kubelet waits for an image that it does not get. It alternates between some of these reasons.
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

// crashing reports whether a pod ends again and again. It goes by the restarts: between two of them, such a pod runs for a moment.
func crashing(pod *corev1.Pod, c corev1.ContainerStatus) bool {
	waits := c.State.Waiting != nil && c.State.Waiting.Reason == "CrashLoopBackOff"
	return waits || (c.RestartCount >= crashes && !IsReady(pod))
}

// unschedulable reports whether no node takes a pod.
func unschedulable(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable
	})
}

// PodState is what of a pod has consequences for a pass.
type PodState struct {
	ready, imageFails, crashing, unschedulable, terminating bool
	ip, handoffFailure                                      string
}

// StateOf returns the state of a pod; of two that are equal, the later one needs no pass.
func StateOf(pod *corev1.Pod) PodState {
	c := container(pod)
	return PodState{
		ready: IsReady(pod), imageFails: imageFails(c), crashing: crashing(pod, c), unschedulable: unschedulable(pod),
		terminating: !pod.DeletionTimestamp.IsZero(), ip: pod.Status.PodIP, handoffFailure: HandoffFailure(pod),
	}
}

// handoffPrefix begins what a receiver leaves behind when no other pod has taken the events that it still had.
const handoffPrefix = "HandoffFailed: "

// HandoffFailure returns what a pod's container left behind when it ended with events; empty when it handed off everything.
func HandoffFailure(pod *corev1.Pod) string {
	c := container(pod)
	for _, state := range []corev1.ContainerState{c.State, c.LastTerminationState} {
		if state.Terminated != nil && strings.HasPrefix(state.Terminated.Message, handoffPrefix) {
			return strings.TrimSpace(strings.TrimPrefix(state.Terminated.Message, handoffPrefix))
		}
	}
	return ""
}
