package children

import (
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"
)

// terminationGracePeriodSeconds is more than a receiver takes to stop: 5 s in which it serves on, 20 s for requests under
// way, 15 s to hand what is stored to the sinks and 5 s for their last sends.
const terminationGracePeriodSeconds = 60

func serviceAccount(namespace string) *corev1ac.ServiceAccountApplyConfiguration {
	return corev1ac.ServiceAccount(Name, namespace).WithLabels(labels()).WithAutomountServiceAccountToken(false)
}

func podDisruptionBudget(namespace string) *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	return policyv1ac.PodDisruptionBudget(Name, namespace).
		WithLabels(labels()).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().WithSelector(podSelector()).WithMaxUnavailable(intstr.FromInt32(1)))
}

// deployment says nothing of the configuration but where it is: an edit must not restart a pod.
func deployment(namespace string, o Options) *appsv1ac.DeploymentApplyConfiguration {
	rollingUpdate := appsv1ac.RollingUpdateDeployment().
		WithMaxSurge(intstr.FromInt32(1)).WithMaxUnavailable(intstr.FromInt32(0))
	return appsv1ac.Deployment(Name, namespace).
		WithLabels(labels()).
		WithSpec(appsv1ac.DeploymentSpec().
			WithReplicas(o.Replicas).
			WithSelector(podSelector()).
			WithStrategy(appsv1ac.DeploymentStrategy().WithType(appsv1.RollingUpdateDeploymentStrategyType).WithRollingUpdate(rollingUpdate)).
			WithTemplate(corev1ac.PodTemplateSpec().WithLabels(labels()).WithSpec(pod(o))))
}
