package children

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
)

func service(namespace string) *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service(Name, namespace).
		WithLabels(labels()).
		WithSpec(corev1ac.ServiceSpec().
			WithType(corev1.ServiceTypeClusterIP).
			WithSelector(Selector()).
			WithPorts(corev1ac.ServicePort().
				WithName(webhookPortName).WithProtocol(corev1.ProtocolTCP).
				WithPort(WebhookPort).WithTargetPort(intstr.FromString(webhookPortName))))
}

// networkPolicy opens the webhook port to everybody and the admin port, which asks for no credential, to the manager's
// namespace. The kubelet's probes come from the node, which a policy never shuts out.
func networkPolicy(namespace, managerNamespace string) *networkingv1ac.NetworkPolicyApplyConfiguration {
	manager := networkingv1ac.NetworkPolicyPeer().WithNamespaceSelector(
		metav1ac.LabelSelector().WithMatchLabels(map[string]string{corev1.LabelMetadataName: managerNamespace}))
	return networkingv1ac.NetworkPolicy(Name, namespace).
		WithLabels(labels()).
		WithSpec(networkingv1ac.NetworkPolicySpec().
			WithPodSelector(podSelector()).
			WithPolicyTypes(networkingv1.PolicyTypeIngress).
			WithIngress(
				networkingv1ac.NetworkPolicyIngressRule().WithPorts(policyPort(webhookPortName)),
				networkingv1ac.NetworkPolicyIngressRule().WithPorts(policyPort(adminPortName)).WithFrom(manager)))
}

func policyPort(name string) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
	return networkingv1ac.NetworkPolicyPort().WithProtocol(corev1.ProtocolTCP).WithPort(intstr.FromString(name))
}
