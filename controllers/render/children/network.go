package children

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
)

func (r *Receiver) service() *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service(r.Name, r.Namespace).
		WithLabels(Labels(r.Name)).WithOwnerReferences(r.owners()...).
		WithSpec(corev1ac.ServiceSpec().
			WithType(corev1.ServiceTypeClusterIP).
			WithSelector(Selector(r.Name)).
			WithPorts(servicePort(webhookPortName, WebhookPort)))
}

// peers is the headless Service by whose name a pod finds the others that are ready.
func (r *Receiver) peers() *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service(PeersName(r.Name), r.Namespace).
		WithLabels(Labels(r.Name)).WithOwnerReferences(r.owners()...).
		WithSpec(corev1ac.ServiceSpec().
			WithType(corev1.ServiceTypeClusterIP).WithClusterIP(corev1.ClusterIPNone).
			WithSelector(Selector(r.Name)).
			WithPorts(servicePort(adminPortName, AdminPort)))
}

func servicePort(name string, port int32) *corev1ac.ServicePortApplyConfiguration {
	return corev1ac.ServicePort().WithName(name).WithProtocol(corev1.ProtocolTCP).WithPort(port).WithTargetPort(intstr.FromString(name))
}

// managerLabels are those of every pod of a manager, however it is installed.
func managerLabels() map[string]string {
	return map[string]string{componentLabel: "manager", partOfLabel: partOf}
}

// networkPolicy opens the webhook port to everybody, the admin port, which asks for a token as well, to the manager and to the
// receiver's own pods, and the metrics port to whoever may scrape. The kubelet's probes come from the node, which a policy never shuts
// out. It has no owner: the garbage collector would delete it at once with the endpoint, while the pods stop; the manager does it later.
func (r *Receiver) networkPolicy(o Options) *networkingv1ac.NetworkPolicyApplyConfiguration {
	manager := networkingv1ac.NetworkPolicyPeer().
		WithNamespaceSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{corev1.LabelMetadataName: o.ManagerNamespace})).
		WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(managerLabels()))
	pods := networkingv1ac.NetworkPolicyPeer().WithPodSelector(r.podSelector())
	metrics := networkingv1ac.NetworkPolicyIngressRule().WithPorts(policyPort(metricsPortName))
	metrics.From = o.MetricsFrom
	spec := networkingv1ac.NetworkPolicySpec().
		WithPodSelector(r.podSelector()).
		WithPolicyTypes(networkingv1.PolicyTypeIngress).
		WithIngress(
			networkingv1ac.NetworkPolicyIngressRule().WithPorts(policyPort(webhookPortName)),
			networkingv1ac.NetworkPolicyIngressRule().WithPorts(policyPort(adminPortName)).WithFrom(manager, pods),
			metrics)
	if len(o.Egress) > 0 {
		spec = spec.WithPolicyTypes(networkingv1.PolicyTypeEgress)
		spec.Egress = append(ownEgress(pods), o.Egress...)
	}
	return networkingv1ac.NetworkPolicy(r.Name, r.Namespace).WithLabels(Labels(r.Name)).WithSpec(spec)
}

// dnsPort is that of name servers (RFC 1035 section 4.2).
const dnsPort = 53

// ownEgress is what a receiver cannot do without: names, and its other pods.
func ownEgress(pods *networkingv1ac.NetworkPolicyPeerApplyConfiguration) []networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration {
	dns := func(protocol corev1.Protocol) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
		return networkingv1ac.NetworkPolicyPort().WithProtocol(protocol).WithPort(intstr.FromInt32(dnsPort))
	}
	return []networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration{
		*networkingv1ac.NetworkPolicyEgressRule().WithPorts(dns(corev1.ProtocolUDP), dns(corev1.ProtocolTCP)),
		*networkingv1ac.NetworkPolicyEgressRule().WithPorts(policyPort(adminPortName)).WithTo(pods),
	}
}

func policyPort(name string) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
	return networkingv1ac.NetworkPolicyPort().WithProtocol(corev1.ProtocolTCP).WithPort(intstr.FromString(name))
}
