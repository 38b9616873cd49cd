package children

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// IsOwn reports whether a pod is one of those that the workload of a receiver has made. Anybody who may make pods can give one the labels.
func IsOwn(pod *corev1.Pod, receiver string) bool {
	return slices.ContainsFunc(pod.OwnerReferences, func(o metav1.OwnerReference) bool {
		if o.Controller == nil || !*o.Controller || o.APIVersion != appsv1.SchemeGroupVersion.String() {
			return false
		}
		hash := pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
		return (o.Kind == "StatefulSet" && o.Name == receiver) || (o.Kind == "ReplicaSet" && hash != "" && o.Name == receiver+"-"+hash)
	})
}
