package children

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// ContainerName is the name of the only container of a receiver's pod.
const ContainerName = "receiver"

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
func (r *Receiver) pod(o Options) *corev1ac.PodSpecApplyConfiguration {
	spec := corev1ac.PodSpec().
		WithServiceAccountName(r.Name).
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(terminationGracePeriodSeconds).
		WithSecurityContext(corev1ac.PodSecurityContext().
			WithRunAsNonRoot(true).WithRunAsUser(nonRoot).WithRunAsGroup(nonRoot).WithFSGroup(nonRoot).
			// A large volume is not walked through at each start.
			WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch).
			WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		WithTopologySpreadConstraints(r.spread(corev1.LabelHostname), r.spread(corev1.LabelTopologyZone)).
		WithContainers(r.container(o)).
		WithVolumes(r.configVolume(), r.tokenVolume()).
		WithVolumes(r.journalVolumes()...)
	return place(spec, r.Spec.Placement)
}

// place puts a pod where it is to run.
func place(spec *corev1ac.PodSpecApplyConfiguration, p v1alpha1.Placement) *corev1ac.PodSpecApplyConfiguration {
	for key, value := range p.NodeSelector {
		spec = spec.WithNodeSelector(map[string]string{key: string(value)})
	}
	if p.PriorityClassName != "" {
		spec = spec.WithPriorityClassName(p.PriorityClassName)
	}
	for _, t := range p.Tolerations {
		toleration := corev1ac.Toleration()
		setUnlessZero(&toleration.Key, t.Key)
		setUnlessZero(&toleration.Operator, corev1.TolerationOperator(t.Operator))
		setUnlessZero(&toleration.Value, t.Value)
		setUnlessZero(&toleration.Effect, corev1.TaintEffect(t.Effect))
		toleration.TolerationSeconds = t.TolerationSeconds
		spec = spec.WithTolerations(toleration)
	}
	return spec
}

func setUnlessZero[T comparable](to **T, value T) {
	if value != *new(T) {
		*to = &value
	}
}

func (r *Receiver) spread(topology string) *corev1ac.TopologySpreadConstraintApplyConfiguration {
	return corev1ac.TopologySpreadConstraint().
		WithMaxSkew(1).WithTopologyKey(topology).WithWhenUnsatisfiable(corev1.ScheduleAnyway).WithLabelSelector(r.podSelector())
}

func (r *Receiver) container(o Options) *corev1ac.ContainerApplyConfiguration {
	return corev1ac.Container().
		WithName(ContainerName).
		WithImage(o.Image).
		WithCommand("/receiver").
		WithArgs("--config="+configFolder, listen("--listen", WebhookPort), listen("--admin-listen", AdminPort), listen("--metrics-listen", MetricsPort)).
		WithArgs("--admin-tokens="+tokenFolder, "--handoff-key="+configFolder+"/"+handoffKeyFile).
		WithArgs(r.proxyArgs()...).
		WithArgs(r.journalArgs()...).
		WithEnv(environment(o.Environment)...).
		WithPorts(
			corev1ac.ContainerPort().WithName(webhookPortName).WithProtocol(corev1.ProtocolTCP).WithContainerPort(WebhookPort),
			corev1ac.ContainerPort().WithName(adminPortName).WithProtocol(corev1.ProtocolTCP).WithContainerPort(AdminPort),
			corev1ac.ContainerPort().WithName(metricsPortName).WithProtocol(corev1.ProtocolTCP).WithContainerPort(MetricsPort)).
		WithLivenessProbe(probe("/healthz", 10)).
		WithReadinessProbe(probe("/readyz", 5)).
		WithResources(r.resources()).
		WithSecurityContext(corev1ac.SecurityContext().
			WithAllowPrivilegeEscalation(false).WithReadOnlyRootFilesystem(true).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL"))).
		WithVolumeMounts(corev1ac.VolumeMount().WithName(configVolume).WithMountPath(configFolder).WithReadOnly(true)).
		WithVolumeMounts(corev1ac.VolumeMount().WithName(tokenVolume).WithMountPath(tokenFolder).WithReadOnly(true)).
		WithVolumeMounts(r.journalMounts()...)
}

// environment returns variables in the order of their names: another order would be another template, and replace the pods.
func environment(variables map[string]string) []*corev1ac.EnvVarApplyConfiguration {
	var out []*corev1ac.EnvVarApplyConfiguration
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		out = append(out, corev1ac.EnvVar().WithName(name).WithValue(variables[name]))
	}
	return out
}

// proxyArgs returns the flag of the proxies, which is in the pod template like those of the journal.
func (r *Receiver) proxyArgs() []string {
	if len(r.Spec.TrustedProxies) == 0 {
		return nil
	}
	ranges := make([]string, len(r.Spec.TrustedProxies))
	for i, p := range r.Spec.TrustedProxies {
		ranges[i] = string(p)
	}
	return []string{"--trusted-proxies=" + strings.Join(ranges, ",")}
}

// resources returns what a pod requests and may take at most, or the defaults when nothing is said of it.
func (r *Receiver) resources() *corev1ac.ResourceRequirementsApplyConfiguration {
	asked, cpu := r.Spec.Resources, resource.MustParse("100m")
	if reflect.ValueOf(asked).IsZero() {
		return corev1ac.ResourceRequirements().
			WithRequests(corev1.ResourceList{corev1.ResourceCPU: cpu, corev1.ResourceMemory: resource.MustParse("128Mi")}).
			WithLimits(corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")})
	}
	if r.IsAutoscaled() && asked.Requests.CPU.IsZero() && asked.Limits.CPU.IsZero() {
		asked.Requests.CPU = cpu // without a request, which a limit is, too, the autoscaler has nothing to count percent of
	}
	requirements := corev1ac.ResourceRequirements()
	if list := amounts(asked.Requests); len(list) > 0 {
		requirements = requirements.WithRequests(list)
	}
	if list := amounts(asked.Limits); len(list) > 0 {
		requirements = requirements.WithLimits(list)
	}
	return requirements
}

// MemoryLimit returns how many bytes of memory a pod may take; 0 = any.
func (r *Receiver) MemoryLimit() int64 {
	if limits := r.resources().Limits; limits != nil {
		return limits.Memory().Value()
	}
	return 0
}

func amounts(a v1alpha1.ResourceAmounts) corev1.ResourceList {
	list := corev1.ResourceList{}
	for name, amount := range map[corev1.ResourceName]resource.Quantity{corev1.ResourceCPU: a.CPU, corev1.ResourceMemory: a.Memory} {
		if !amount.IsZero() {
			list[name] = amount
		}
	}
	return list
}

func probe(path string, periodSeconds int32) *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().
		WithHTTPGet(corev1ac.HTTPGetAction().WithPath(path).WithPort(intstr.FromString(metricsPortName))).
		WithPeriodSeconds(periodSeconds).WithTimeoutSeconds(3).WithFailureThreshold(3)
}

func listen(flag string, port int) string { return fmt.Sprintf("%s=:%d", flag, port) }
