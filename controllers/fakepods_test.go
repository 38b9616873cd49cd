package controllers_test

import (
	"context"
	"errors"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/config"
)

// fakePods stands for the receivers: no kubelet runs them.
type fakePods struct {
	client client.Reader

	mu       sync.Mutex
	upToDate map[string]bool // by namespace
	asTold   map[types.UID]mounted
	journals map[string]journalSays // by namespace
}

var errNotYet = errors.New("connection refused")

// follow makes the pods of a namespace load every configuration at once, or nothing any more.
func (p *fakePods) follow(namespace string, upToDate bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.upToDate == nil {
		p.upToDate = map[string]bool{}
	}
	p.upToDate[namespace] = upToDate
}

// mounted is what a kubelet has mounted, and the annotation at which it looked last.
type mounted struct {
	told   string
	loaded config.Loaded
	early  bool // it looks before it knows of the new one, however often it is told
}

// wait makes a pod load the configuration when its kubelet is told to look, and at no other time.
func (p *fakePods) wait(pod *corev1.Pod) {
	p.look(pod, mounted{told: "nothing"})
}

// lookTooEarly makes a pod keep what it has, whatever its kubelet is told.
func (p *fakePods) lookTooEarly(pod *corev1.Pod) {
	p.look(pod, mounted{told: "nothing", early: true})
}

func (p *fakePods) look(pod *corev1.Pod, found mounted) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asTold == nil {
		p.asTold = map[types.UID]mounted{}
	}
	p.asTold[pod.UID] = found
}

// journalSays is what journals say of themselves.
type journalSays struct{ problem, warning string }

// suffer has the journals of a namespace say something.
func (p *fakePods) suffer(namespace string, said journalSays) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.journals == nil {
		p.journals = map[string]journalSays{}
	}
	p.journals[namespace] = said
}

// Loaded returns the hash of the written configuration, or an old one, or fails when nobody has said anything yet.
func (p *fakePods) Loaded(ctx context.Context, pod *corev1.Pod, _ string) (config.Loaded, error) {
	p.mu.Lock()
	upToDate, known := p.upToDate[pod.Namespace]
	journal := p.journals[pod.Namespace]
	before, waits := p.asTold[pod.UID]
	p.mu.Unlock()
	told := pod.Annotations[children.NudgeAnnotation]
	switch {
	case !known:
		return config.Loaded{}, errNotYet
	case !upToDate:
		return config.Loaded{Hash: "old"}, nil
	case waits && (before.early || told == before.told):
		return before.loaded, nil
	}
	var secret corev1.Secret
	if err := p.client.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: children.ConfigSecretName(pod.Labels[children.InstanceLabel])}, &secret); err != nil {
		return config.Loaded{}, err
	}
	loaded := config.Loaded{Hash: secret.Annotations[children.ConfigHashAnnotation], JournalProblem: journal.problem, JournalWarning: journal.warning}
	if waits {
		p.look(pod, mounted{told: told, loaded: loaded})
	}
	return loaded, nil
}
