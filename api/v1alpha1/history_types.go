package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// HistoryType says where a receiver keeps its history.
// +kubebuilder:validation:Enum=Embedded;None
type HistoryType string

// The values of history.type.
const (
	HistoryEmbedded HistoryType = "Embedded"
	HistoryNone     HistoryType = "None"
)

// HistoryAge is a number of hours, such as 72h.
// +kubebuilder:validation:MinLength=2
// +kubebuilder:validation:MaxLength=6
// +kubebuilder:validation:Pattern=`^[1-9][0-9]{0,4}h$`
type HistoryAge string

// History says what a receiver remembers of the events that it has accepted. It costs no event when it fails, and nothing waits for it.
type History struct {
	// type is Embedded: each pod keeps a history of its own, on its disk beside the journal; or None.
	// +required
	Type HistoryType `json:"type,omitempty"`
	// maxAge is how long events are kept at most, such as 72h.
	// +optional
	// +kubebuilder:default="72h"
	MaxAge HistoryAge `json:"maxAge,omitempty"`
	// maxBytes is the space at which the oldest events go, of each pod, between 64Mi and 16Ti. It comes out of what the journal leaves of
	// the disk, to which the history gives way.
	// +optional
	// +kubebuilder:default="2Gi"
	// +kubebuilder:validation:XValidation:rule="!isQuantity(string(self)) || (quantity(string(self)).compareTo(quantity('64Mi')) >= 0 && quantity(string(self)).compareTo(quantity('16Ti')) <= 0)",message="must be between 64Mi and 16Ti"
	MaxBytes resource.Quantity `json:"maxBytes,omitzero"`
}
