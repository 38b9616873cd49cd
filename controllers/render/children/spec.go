package children

import (
	"reflect"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// defaultReplicas is the number of pods of a receiver when nobody says it: one can go without a request being refused.
const defaultReplicas = 2

// Inherit returns what a receiver is like: each part that is not set comes from the defaults, as a whole.
func Inherit(defaults, own v1alpha1.Receiver) v1alpha1.Receiver {
	if own.Replicas == 0 && own.Autoscaling == (v1alpha1.Autoscaling{}) {
		own.Replicas, own.Autoscaling = defaults.Replicas, defaults.Autoscaling
	}
	if reflect.ValueOf(own.Resources).IsZero() {
		own.Resources = defaults.Resources
	}
	if reflect.ValueOf(own.Placement).IsZero() {
		own.Placement = defaults.Placement
	}
	if own.Journal.Type == "" {
		own.Journal = defaults.Journal
	}
	if own.History.Type == "" {
		own.History = defaults.History
	}
	if len(own.TrustedProxies) == 0 {
		own.TrustedProxies = defaults.TrustedProxies
	}
	return own
}

// IsAutoscaled says whether the number of pods is the autoscaler's.
func (r *Receiver) IsAutoscaled() bool { return r.Spec.Autoscaling.MaxReplicas > 0 }

// HasClaims says whether the journal is on PersistentVolumeClaims, which takes a StatefulSet.
func (r *Receiver) HasClaims() bool {
	j := r.Spec.Journal
	return j.Embedded != nil && j.Embedded.Persistence == v1alpha1.PersistenceClaim
}

// isJetStream says whether the journal is that of a NATS cluster.
func (r *Receiver) isJetStream() bool { return r.Spec.Journal.Type == v1alpha1.JournalJetStream }

func (r *Receiver) isEmbedded() bool { return !r.isJetStream() }

// hasOwnDisk says whether pods keep something on a disk that goes with them.
func (r *Receiver) hasOwnDisk() bool {
	return !r.HasClaims() && (r.isEmbedded() || r.Spec.History.Type == v1alpha1.HistoryEmbedded)
}

// SecretKeys returns the keys of Secrets of the namespace that the pods mount beside the configuration, by the name of the Secret.
func (r *Receiver) SecretKeys() map[string][]string {
	keys := map[string][]string{}
	for _, m := range r.mounts() {
		keys[m.secret] = append(keys[m.secret], m.keys()...)
	}
	return keys
}
