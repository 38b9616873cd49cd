package program

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/controllers/receiver/configuration"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// fakePods answer each for itself, and count. One without an answer cannot be asked.
type fakePods struct {
	answers map[types.UID]config.Loaded
	token   string // the only one that they take; empty = any

	mu    sync.Mutex
	asked int
}

func (p *fakePods) Loaded(_ context.Context, pod *corev1.Pod, token string) (config.Loaded, error) {
	p.mu.Lock()
	p.asked++
	p.mu.Unlock()
	if p.token != "" && token != p.token {
		return config.Loaded{}, ErrToken
	}
	said, ok := p.answers[pod.UID]
	if !ok {
		return said, errors.New("connection refused")
	}
	return said, nil
}

func podIn(uid string, ready bool) corev1.Pod {
	pod := corev1.Pod{Status: corev1.PodStatus{PodIP: "192.0.2.1"}}
	pod.Name, pod.UID = uid, types.UID(uid)
	if ready {
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	return pod
}

// target returns a receiver whose pods are to load configuration abc.
func target(pods ...corev1.Pod) Target {
	return Target{
		Receiver:      &plan.Receiver{Receiver: children.Receiver{Namespace: "mail", Name: "r"}},
		Configuration: configuration.Written{Hash: "abc"}, Pods: pods, Available: true,
	}
}

// patcher remembers what pods were annotated with.
type patcher struct {
	values []string // name and annotation
	err    error
}

func (p *patcher) Patch(_ context.Context, o client.Object, patch client.Patch, _ ...client.PatchOption) error {
	text, err := patch.Data(o)
	p.values = append(p.values, o.GetName()+" "+string(text))
	return errors.Join(err, p.err)
}

// cluster makes passes.
type cluster struct {
	pods    *fakePods
	patcher *patcher
	asker   *Asker
	loader  *Loader
	objects inventory.Objects
}

// newCluster returns a cluster whose cache has the Secret with the configuration.
func newCluster(answers map[types.UID]config.Loaded) *cluster {
	pods, patches := &fakePods{answers: answers}, &patcher{}
	secret := inventory.MetadataOf(corev1.SchemeGroupVersion.WithKind("Secret"))
	secret.UID = "1"
	return &cluster{
		pods: pods, patcher: patches, asker: &Asker{Pods: pods}, loader: &Loader{Patcher: patches},
		objects: inventory.Objects{inventory.SecretID(children.ConfigSecretName("r")): secret},
	}
}

// pass asks and loads at a time, in seconds.
func (c *cluster) pass(t *testing.T, seconds int, one Target) (Result, Answers) {
	t.Helper()
	result, answers, err := c.try(t, seconds, one)
	if err != nil {
		t.Fatal(err)
	}
	return result, answers
}

func (c *cluster) try(t *testing.T, seconds int, one Target) (Result, Answers, error) {
	t.Helper()
	now := time.Unix(1_000+int64(seconds), 0)
	targets := []Target{one}
	answers := c.asker.Ask(t.Context(), "mail", targets, now)
	results, err := c.loader.Load(t.Context(), Input{Namespace: "mail", Targets: targets, Answers: answers, Objects: c.objects, Now: now})
	return results["r"], answers["r"], err
}
