package children

import (
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	autoscalingv2ac "k8s.io/client-go/applyconfigurations/autoscaling/v2"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"
)

// terminationGracePeriodSeconds is more than a receiver takes to stop: 5 s in which it serves on, 20 s for requests under
// way, 15 s to hand what is stored to the sinks, 5 s for their last sends, and 45 s to hand the rest to another pod.
const terminationGracePeriodSeconds = 120

func (r *Receiver) serviceAccount() *corev1ac.ServiceAccountApplyConfiguration {
	return corev1ac.ServiceAccount(r.Name, r.Namespace).
		WithLabels(Labels(r.Name)).WithOwnerReferences(r.owners()...).WithAutomountServiceAccountToken(false)
}

// podDisruptionBudget lets a drained node have every pod that is not ready, unless its events would go with it: what is on the node's
// disk is handed to a pod that is ready, and where there is none the drain had better wait.
func (r *Receiver) podDisruptionBudget() *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	spec := policyv1ac.PodDisruptionBudgetSpec().WithSelector(r.podSelector()).WithMaxUnavailable(intstr.FromInt32(1))
	if r.HasClaims() || r.isJetStream() {
		spec = spec.WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow)
	}
	return policyv1ac.PodDisruptionBudget(r.Name, r.Namespace).WithLabels(Labels(r.Name)).WithOwnerReferences(r.owners()...).WithSpec(spec)
}

// replicas returns the number of pods; nil when it is the autoscaler's.
func (r *Receiver) replicas() *int32 {
	switch {
	case r.IsAutoscaled():
		return nil
	case r.Spec.Replicas > 0:
		return &r.Spec.Replicas
	default:
		return new(int32(defaultReplicas))
	}
}

// podTemplate says nothing of the configuration but where it is: an edit must not restart a pod.
func (r *Receiver) podTemplate(o Options) *corev1ac.PodTemplateSpecApplyConfiguration {
	return corev1ac.PodTemplateSpec().WithLabels(Labels(r.Name)).WithSpec(r.pod(o))
}

func (r *Receiver) deployment(o Options) *appsv1ac.DeploymentApplyConfiguration {
	rollingUpdate := appsv1ac.RollingUpdateDeployment().
		WithMaxSurge(intstr.FromInt32(1)).WithMaxUnavailable(intstr.FromInt32(0))
	spec := appsv1ac.DeploymentSpec().
		WithSelector(r.podSelector()).
		WithStrategy(appsv1ac.DeploymentStrategy().WithType(appsv1.RollingUpdateDeploymentStrategyType).WithRollingUpdate(rollingUpdate)).
		WithTemplate(r.podTemplate(o))
	spec.Replicas = r.replicas()
	return appsv1ac.Deployment(r.Name, r.Namespace).WithLabels(Labels(r.Name)).WithOwnerReferences(r.owners()...).WithSpec(spec)
}

// statefulSet keeps its claims: they hold what was answered with 200 and is not delivered yet. A pod of the same number takes
// its claim up again. Pods do not wait for each other: each has a journal of its own.
func (r *Receiver) statefulSet(o Options) *appsv1ac.StatefulSetApplyConfiguration {
	spec := appsv1ac.StatefulSetSpec().
		WithSelector(r.podSelector()).
		WithServiceName(PeersName(r.Name)).
		WithPodManagementPolicy(appsv1.ParallelPodManagement).
		WithUpdateStrategy(appsv1ac.StatefulSetUpdateStrategy().WithType(appsv1.RollingUpdateStatefulSetStrategyType)).
		WithPersistentVolumeClaimRetentionPolicy(appsv1ac.StatefulSetPersistentVolumeClaimRetentionPolicy().
			WithWhenDeleted(appsv1.RetainPersistentVolumeClaimRetentionPolicyType).
			WithWhenScaled(appsv1.RetainPersistentVolumeClaimRetentionPolicyType)).
		WithTemplate(r.podTemplate(o)).
		WithVolumeClaimTemplates(r.claim())
	spec.Replicas = r.replicas()
	return appsv1ac.StatefulSet(r.Name, r.Namespace).WithLabels(Labels(r.Name)).WithOwnerReferences(r.owners()...).WithSpec(spec)
}

func (r *Receiver) claim() *corev1ac.PersistentVolumeClaimApplyConfiguration {
	journal := r.Spec.Journal.Embedded
	spec := corev1ac.PersistentVolumeClaimSpec().
		WithAccessModes(corev1.ReadWriteOnce).
		WithResources(corev1ac.VolumeResourceRequirements().WithRequests(corev1.ResourceList{corev1.ResourceStorage: journal.Size}))
	if journal.StorageClassName != "" {
		spec = spec.WithStorageClassName(journal.StorageClassName)
	}
	claim := &corev1ac.PersistentVolumeClaimApplyConfiguration{}
	return claim.WithName(journalVolume).WithLabels(Labels(r.Name)).WithSpec(spec)
}

func (r *Receiver) autoscaler() *autoscalingv2ac.HorizontalPodAutoscalerApplyConfiguration {
	a := r.Spec.Autoscaling
	cpu := autoscalingv2ac.MetricSpec().WithType(autoscalingv2.ResourceMetricSourceType).WithResource(
		autoscalingv2ac.ResourceMetricSource().WithName(corev1.ResourceCPU).WithTarget(
			autoscalingv2ac.MetricTarget().WithType(autoscalingv2.UtilizationMetricType).WithAverageUtilization(a.TargetCPUUtilizationPercentage)))
	return autoscalingv2ac.HorizontalPodAutoscaler(r.Name, r.Namespace).
		WithLabels(Labels(r.Name)).WithOwnerReferences(r.owners()...).
		WithSpec(autoscalingv2ac.HorizontalPodAutoscalerSpec().
			WithScaleTargetRef(autoscalingv2ac.CrossVersionObjectReference().WithAPIVersion("apps/v1").WithKind("Deployment").WithName(r.Name)).
			WithMinReplicas(a.MinReplicas).WithMaxReplicas(a.MaxReplicas).WithMetrics(cpu))
}

// KeepReplicas returns what keeps the number of pods of a Deployment as it is while it changes hands: once the manager's own
// configuration no longer has the field, and before the autoscaler has set it, the API server would take its default, 1.
func (r *Receiver) KeepReplicas(present int32) *appsv1ac.DeploymentApplyConfiguration {
	return appsv1ac.Deployment(r.Name, r.Namespace).WithSpec(appsv1ac.DeploymentSpec().WithReplicas(present))
}
