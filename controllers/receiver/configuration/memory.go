package configuration

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/receiver/memory"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// Written is the configuration of a receiver that is in force: the last one that could be written.
type Written struct {
	// Hash is the hash of its document; empty when there is no configuration.
	Hash string
	// Key is that of the fingerprints by which pods name what they have loaded; nil = not read yet.
	Key []byte
	// Parts is the number of Secrets with parts that may be in use, beside the one that lists them.
	Parts int
	// TooLarge says why a newer configuration was not written; empty when it was.
	TooLarge string
	// Refused is set when the API server did not take a newer configuration, or a name is somebody else's.
	Refused condition.Finding
}

// IsLoaded reports whether a pod has loaded the configuration. One of a release before fingerprints reports the hash itself.
func (w *Written) IsLoaded(by config.Loaded) bool {
	if by.Hash == "" {
		return false
	}
	return by.Hash == w.Hash || (w.Key != nil && by.Hash == config.Fingerprint(w.Key, w.Hash))
}

// known is what is remembered of a namespace. It holds no credential but the keys of its receivers.
type known struct {
	// inputs names everything that the configurations were made of; empty = they are to be written.
	inputs string
	// problems are what was wrong with them.
	problems map[render.Object][]render.Problem
	// filters holds the verdict on each filter: to compile them is most of the work of rendering.
	filters   map[string]error
	receivers memory.Receivers[written]
}

// written is what is remembered of one receiver.
type written struct {
	Written
	// parts is the number of Secrets with parts that this process has written.
	parts int
	// byUs is whether this process has written the configuration. Until then, every part may be in use.
	byUs bool
}

// recall learns of a configuration that was written before the process started, and keeps all of its parts.
func (w *written) recall(secret *metav1.PartialObjectMetadata) {
	if w.byUs {
		return
	}
	w.Hash, w.Parts = "", children.MaxParts
	if secret != nil {
		w.Hash = secret.Annotations[children.ConfigHashAnnotation]
	}
}

// wrote remembers a configuration that was written as a whole.
func (w *written) wrote(hash string, parts int) {
	w.Hash, w.Parts, w.parts, w.byUs = hash, parts, parts, true
}

// judge returns a check of filters that asks only about those that are not known from the last pass. It keeps those of this pass.
func (k *known) judge(check func(string) error) func(string) error {
	if check == nil {
		return nil
	}
	before := k.filters
	k.filters = make(map[string]error, len(before))
	return func(filter string) error {
		verdict, asked := k.filters[filter]
		if !asked {
			verdict, asked = before[filter]
		}
		if !asked {
			verdict = check(filter)
		}
		k.filters[filter] = verdict
		return verdict
	}
}
