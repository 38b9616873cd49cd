package receiver

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/receiver/config"
)

// memory is what is known of a namespace from the last pass. It saves reading Secrets and asking pods again, and holds no
// credential but those by which a receiver and the manager know each other. Losing it costs requests and nothing else.
type memory struct {
	// inputs names everything that the configurations were made of.
	inputs string
	// problems are what was wrong with them, by the object that has the problem.
	problems map[render.Object][]render.Problem
	// filters holds what was said of each filter: to compile them is most of the work of rendering.
	filters map[string]error
	// receivers holds what is known of each receiver, by name.
	receivers map[string]*receiverMemory

	mu sync.Mutex
	// written holds, by UID, the objects whose status was written and that the cache has not seen since.
	written map[types.UID]client.Object
}

// receiverMemory is what is known of one receiver.
type receiverMemory struct {
	// hash names the configuration that was written.
	hash string
	// key is that of the fingerprints by which pods name what they have loaded; nil = not read yet.
	key []byte
	// tokens are those by which the manager asks pods, the newest first, and tokenVersion is the version of the Secret that it is from.
	tokens       []string
	tokenVersion string
	// tooLarge says why a configuration was not written; empty when it was.
	tooLarge string
	// said holds, by pod, what it said last.
	said map[types.UID]config.Loaded
	// silent holds the pods that did not answer the last time.
	silent map[types.UID]bool
	// asked is when the pods were last asked how their journals are.
	asked time.Time
	// waiting is since when pods are not as they should be; zero when they are.
	waiting time.Time
}

// receiver returns what is known of a receiver.
func (m *memory) receiver(name string) *receiverMemory {
	known := m.receivers[name]
	if known == nil {
		known = &receiverMemory{}
		m.receivers[name] = known
	}
	return known
}

// isLoaded says whether a pod has loaded the configuration that was written. One of a release before fingerprints says its hash.
func (m *receiverMemory) isLoaded(said config.Loaded) bool {
	if said.Hash == "" {
		return false
	}
	return said.Hash == m.hash || (m.key != nil && said.Hash == config.Fingerprint(m.key, m.hash))
}

// judge returns a check of filters that asks only about those that it does not know from the last pass. It keeps those of this pass.
func (m *memory) judge(check func(string) error) func(string) error {
	if check == nil {
		return nil
	}
	before := m.filters
	m.filters = make(map[string]error, len(before))
	return func(filter string) error {
		verdict, known := m.filters[filter]
		if !known {
			verdict, known = before[filter]
		}
		if !known {
			verdict = check(filter)
		}
		m.filters[filter] = verdict
		return verdict
	}
}

// wrote remembers an object as the API server has it.
func (m *memory) wrote(o client.Object) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.written == nil {
		m.written = map[types.UID]client.Object{}
	}
	m.written[o.GetUID()] = o
}

// newer returns the object as it was written last, when the cache is behind that; else nil. A status that is computed from an
// older one would be written again.
func (m *memory) newer(cached client.Object) client.Object {
	m.mu.Lock()
	defer m.mu.Unlock()
	written, ok := m.written[cached.GetUID()]
	if !ok {
		return nil
	}
	order, err := resourceversion.CompareResourceVersion(cached.GetResourceVersion(), written.GetResourceVersion())
	if err != nil || order >= 0 {
		delete(m.written, cached.GetUID())
		return nil
	}
	return written
}

// remember returns the memory of a namespace. Only the pass that works on the namespace uses it.
func (r *Reconciler) remember(namespace string) *memory {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.memory[namespace]
	if !ok {
		m = &memory{receivers: map[string]*receiverMemory{}}
		r.memory[namespace] = m
	}
	return m
}

func (r *Reconciler) forget(namespace string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.memory, namespace)
}
