package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// Receiver says what a receiver is like. What is not set is taken as a whole from the receiver defaults of the installation:
// for example, who sets autoscaling takes nothing of replicas from there, and who sets journal takes no part of another journal.
// +kubebuilder:validation:XValidation:rule="!has(self.replicas) || !has(self.autoscaling)",fieldPath=".replicas",reason=FieldValueForbidden,message="must not be set together with autoscaling"
// +kubebuilder:validation:XValidation:rule="!has(self.autoscaling) || !has(self.journal) || !has(self.journal.embedded) || self.journal.embedded.persistence != 'PersistentVolumeClaim'",fieldPath=".autoscaling",reason=FieldValueForbidden,message="must not be set together with PersistentVolumeClaims: what a removed pod holds would wait in its claim; set replicas"
type Receiver struct {
	// replicas is the number of pods; 2 unless the defaults say otherwise.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	Replicas int32 `json:"replicas,omitempty"`
	// autoscaling lets a HorizontalPodAutoscaler choose the number of pods, by their CPU.
	// +optional
	Autoscaling Autoscaling `json:"autoscaling,omitzero"`
	// resources are the CPU and the memory of each pod. Unless the defaults say otherwise, a pod requests 100m and 128Mi and may
	// take up to 1Gi of memory. A pod that is autoscaled and for which no CPU is said requests 100m. A change replaces the pods one
	// after the other.
	// +optional
	Resources Resources `json:"resources,omitzero"`
	// placement says which nodes the pods may run on. They spread over nodes and zones by themselves, as far as there are any.
	// A change replaces the pods one after the other.
	// +optional
	Placement Placement `json:"placement,omitzero"`
	// journal says where events are kept until every sink has them; embedded in each pod, on the node's disk, unless the defaults
	// say otherwise. A change replaces the pods one after the other.
	// +optional
	Journal Journal `json:"journal,omitzero"`
	// history says for how long it is kept what became of events: 72h and 2Gi on the disk of an embedded journal, nothing with JetStream,
	// unless the defaults say otherwise. A change replaces the pods one after the other.
	// +optional
	History History `json:"history,omitzero"`
	// trustedProxies are the address ranges of the proxies in front of the pods, such as those of an ingress controller. Only what they
	// say in X-Forwarded-For is believed; without them allowedCIDRs of authentication sees the address of the nearest proxy. Whoever can
	// connect to a pod from one of these ranges can pass for any client. A change replaces the pods one after the other.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	TrustedProxies []CIDR `json:"trustedProxies,omitempty"`
}

// Autoscaling lets a HorizontalPodAutoscaler choose the number of pods.
// +kubebuilder:validation:XValidation:rule="self.minReplicas <= self.maxReplicas",fieldPath=".minReplicas",message="must not be more than maxReplicas"
type Autoscaling struct {
	// minReplicas is the smallest number of pods.
	// +optional
	// +kubebuilder:default=2
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MinReplicas int32 `json:"minReplicas,omitempty"`
	// maxReplicas is the largest number of pods.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxReplicas int32 `json:"maxReplicas,omitempty"`
	// targetCPUUtilizationPercentage is the CPU that pods take on average, in percent of what they request, at which their number
	// is right. With more there will be more pods.
	// +optional
	// +kubebuilder:default=70
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	TargetCPUUtilizationPercentage int32 `json:"targetCPUUtilizationPercentage,omitempty"`
}

// Resources are the CPU and the memory of each pod.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !has(self.requests.cpu) || !has(self.limits) || !has(self.limits.cpu) || !isQuantity(string(self.requests.cpu)) || !isQuantity(string(self.limits.cpu)) || quantity(string(self.requests.cpu)).compareTo(quantity(string(self.limits.cpu))) <= 0",fieldPath=".requests.cpu",message="must not be more than limits.cpu"
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !has(self.requests.memory) || !has(self.limits) || !has(self.limits.memory) || !isQuantity(string(self.requests.memory)) || !isQuantity(string(self.limits.memory)) || quantity(string(self.requests.memory)).compareTo(quantity(string(self.limits.memory))) <= 0",fieldPath=".requests.memory",message="must not be more than limits.memory"
type Resources struct {
	// requests are what a node must have free for a pod.
	// +optional
	Requests ResourceAmounts `json:"requests,omitzero"`
	// limits are what a pod may take. One that takes more memory is killed, and started again with what its journal holds.
	// +optional
	Limits ResourceAmounts `json:"limits,omitzero"`
}

// ResourceAmounts are amounts of CPU and memory.
// +kubebuilder:validation:MinProperties=1
type ResourceAmounts struct {
	// cpu is a number of CPUs between 1m, a thousandth, and 1000.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!isQuantity(string(self)) || (quantity(string(self)).compareTo(quantity('1m')) >= 0 && quantity(string(self)).compareTo(quantity('1000')) <= 0)",message="must be between 1m and 1000"
	CPU resource.Quantity `json:"cpu,omitzero"`
	// memory is between 64Mi and 16Ti.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!isQuantity(string(self)) || (quantity(string(self)).compareTo(quantity('64Mi')) >= 0 && quantity(string(self)).compareTo(quantity('16Ti')) <= 0)",message="must be between 64Mi and 16Ti"
	Memory resource.Quantity `json:"memory,omitzero"`
}

// NodeLabelValue is the value of a label.
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$`
type NodeLabelValue string

// Placement says which nodes pods may run on.
// +kubebuilder:validation:MinProperties=1
type Placement struct {
	// nodeSelector holds labels that a node must have, for example kubernetes.io/arch: arm64.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(key, key.matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",message="keys must be those of labels, such as kubernetes.io/arch"
	NodeSelector map[string]NodeLabelValue `json:"nodeSelector,omitempty"`
	// tolerations are the taints of nodes that pods put up with.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Tolerations []Toleration `json:"tolerations,omitempty"`
	// priorityClassName names the PriorityClass of the pods.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	PriorityClassName string `json:"priorityClassName,omitempty"`
}

// TolerationOperator says how a toleration compares.
// +kubebuilder:validation:Enum=Exists;Equal
type TolerationOperator string

// TaintEffect is what a taint does to pods that do not tolerate it.
// +kubebuilder:validation:Enum=NoSchedule;PreferNoSchedule;NoExecute
type TaintEffect string

// Toleration puts up with the taints that it matches. It has the fields of a pod's toleration.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="has(self.key) || (has(self.operator) && self.operator == 'Exists')",fieldPath=".key",reason=FieldValueRequired,message="must be set unless operator is Exists, which then matches every taint"
// +kubebuilder:validation:XValidation:rule="!has(self.value) || !has(self.operator) || self.operator == 'Equal'",fieldPath=".value",reason=FieldValueForbidden,message="must not be set when operator is Exists"
// +kubebuilder:validation:XValidation:rule="!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",fieldPath=".tolerationSeconds",reason=FieldValueForbidden,message="must not be set unless effect is NoExecute"
type Toleration struct {
	// key is the key of the taint. Without one, every taint matches.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=316
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`
	Key string `json:"key,omitempty"`
	// operator is Equal, which compares the value and is the default, or Exists, which matches every value.
	// +optional
	Operator TolerationOperator `json:"operator,omitempty"`
	// value is the value of the taint.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Value string `json:"value,omitempty"`
	// effect is the effect of the taint. Without one, every effect matches.
	// +optional
	Effect TaintEffect `json:"effect,omitempty"`
	// tolerationSeconds is how long a pod stays on a node that got a taint with effect NoExecute. Without it, it stays.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=31536000
	TolerationSeconds *int64 `json:"tolerationSeconds,omitempty"`
}
