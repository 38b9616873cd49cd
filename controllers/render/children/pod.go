package children

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

const (
	configVolume  = "config"
	journalVolume = "journal"
	configFolder  = "/etc/mailvane"
	journalFolder = "/var/lib/mailvane"
	// nonRoot is the user and the group of the receiver's process, which no file of the image belongs to.
	nonRoot = 65532
	// readableByGroup lets the process read the mounted configuration through the pod's group.
	readableByGroup = 0o440
)

// pod meets the restricted Pod Security Standard.
func pod(o Options) *corev1ac.PodSpecApplyConfiguration {
	return corev1ac.PodSpec().
		WithServiceAccountName(Name).
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(terminationGracePeriodSeconds).
		WithSecurityContext(corev1ac.PodSecurityContext().
			WithRunAsNonRoot(true).WithRunAsUser(nonRoot).WithRunAsGroup(nonRoot).WithFSGroup(nonRoot).
			WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		WithTopologySpreadConstraints(spread(corev1.LabelHostname), spread(corev1.LabelTopologyZone)).
		WithContainers(container(o)).
		WithVolumes(
			corev1ac.Volume().WithName(configVolume).WithSecret(corev1ac.SecretVolumeSource().
				WithSecretName(ConfigSecretName).WithDefaultMode(readableByGroup)),
			// No size limit: the journal keeps its own, with 503, where the kubelet would evict the pod with what it holds.
			corev1ac.Volume().WithName(journalVolume).WithEmptyDir(corev1ac.EmptyDirVolumeSource()))
}

func spread(topology string) *corev1ac.TopologySpreadConstraintApplyConfiguration {
	return corev1ac.TopologySpreadConstraint().
		WithMaxSkew(1).WithTopologyKey(topology).WithWhenUnsatisfiable(corev1.ScheduleAnyway).WithLabelSelector(podSelector())
}

func container(o Options) *corev1ac.ContainerApplyConfiguration {
	return corev1ac.Container().
		WithName("receiver").
		WithImage(o.Image).
		WithCommand("/receiver").
		WithArgs("--config="+configFolder, "--data="+journalFolder, listen("--listen", WebhookPort), listen("--admin-listen", AdminPort)).
		WithPorts(
			corev1ac.ContainerPort().WithName(webhookPortName).WithProtocol(corev1.ProtocolTCP).WithContainerPort(WebhookPort),
			corev1ac.ContainerPort().WithName(adminPortName).WithProtocol(corev1.ProtocolTCP).WithContainerPort(AdminPort)).
		WithLivenessProbe(probe("/healthz", 10)).
		WithReadinessProbe(probe("/readyz", 5)).
		WithResources(corev1ac.ResourceRequirements().
			WithRequests(corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")}).
			WithLimits(corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")})).
		WithSecurityContext(corev1ac.SecurityContext().
			WithAllowPrivilegeEscalation(false).WithReadOnlyRootFilesystem(true).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL"))).
		WithVolumeMounts(
			corev1ac.VolumeMount().WithName(configVolume).WithMountPath(configFolder).WithReadOnly(true),
			corev1ac.VolumeMount().WithName(journalVolume).WithMountPath(journalFolder))
}

func probe(path string, periodSeconds int32) *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().
		WithHTTPGet(corev1ac.HTTPGetAction().WithPath(path).WithPort(intstr.FromString(adminPortName))).
		WithPeriodSeconds(periodSeconds).WithTimeoutSeconds(3).WithFailureThreshold(3)
}

func listen(flag string, port int) string { return fmt.Sprintf("%s=:%d", flag, port) }
