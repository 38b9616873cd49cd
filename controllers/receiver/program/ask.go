package program

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mailvane/mailvane/controllers/receiver/configuration"
	"github.com/mailvane/mailvane/controllers/receiver/memory"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/receiver/config"
)

const (
	// askBudget bounds how long one pass asks pods, however many do not answer.
	askBudget = 3 * time.Second
	// asksAtOnce bounds the pods that are asked at a time.
	asksAtOnce = 64
	// journalPoll is how often pods say how their journal is: a disk can fill up, and a NATS cluster fail, at any time.
	journalPoll = 30 * time.Second
)

// ErrToken says that a pod does not take the token.
var ErrToken = errors.New("ask receiver: it does not take the token")

// Pods asks the pods of receivers.
type Pods interface {
	// Loaded returns which configuration a pod has loaded, and how its journal is. The error is [ErrToken] when it does not take the token.
	Loaded(ctx context.Context, pod *corev1.Pod, token string) (config.Loaded, error)
}

// Asker asks pods what they have loaded, and remembers their answers.
type Asker struct {
	// Pods are asked.
	Pods Pods

	memory memory.Namespaces[memory.Receivers[answered]]
}

// answered is what is remembered of the pods of a receiver.
type answered struct {
	// said holds, by ready pod, what it said last.
	said map[types.UID]config.Loaded
	// silent holds the pods that did not answer the last time.
	silent map[types.UID]bool
	// asked is when the pods were last asked how their journals are, and token is the newest one then.
	asked time.Time
	token string
}

// Target is a receiver whose pods are to be asked.
type Target struct {
	*plan.Receiver
	// Configuration is the one that its pods are to load.
	Configuration configuration.Written
	// Tokens are those to ask with, the newest first.
	Tokens []string
	// Pods are those that are not about to go.
	Pods []corev1.Pod
	// Available reports whether one of them is available.
	Available bool
}

// Answers are those of the pods of one receiver.
type Answers struct {
	// ByPod are the answers of the pods that were asked, or need not be.
	ByPod map[types.UID]Answer
	// Problems are what its ready pods report of endpoints, each counted over all pods.
	Problems []config.Problem
	// Connections are what its ready pods report of the connections to sinks, by the qualified name of the sink.
	Connections map[string]config.Connection
}

// Answer is what a pod said.
type Answer struct {
	config.Loaded
	// Err is set when it could not be asked.
	Err error
	// StaleToken reports whether it does not take the newest token.
	StaleToken bool

	late bool // the time was over before it was asked
}

// inTurn orders questions: those to pods that did not answer the last time come last.
func inTurn(a, b question) int {
	if a.silent != b.silent {
		if a.silent {
			return 1
		}
		return -1
	}
	return cmp.Compare(a.turn, b.turn)
}

func names(targets []Target) []string {
	names := make([]string, len(targets))
	for i := range targets {
		names[i] = targets[i].Name
	}
	return names
}

// question is a pod to ask, and where its answer goes.
type question struct {
	target *Target
	pod    *corev1.Pod
	silent bool // it did not answer the last time
	turn   int  // how many pods of its receiver come before it
}

// Ask asks the pods of all receivers of a namespace at once: a namespace has a bounded part of the manager's time, and a receiver whose pods
// hang does not keep the others from being asked. Receivers take turns, and pods that did not answer the last time come last. The answers are by receiver.
func (a *Asker) Ask(ctx context.Context, namespace string, targets []Target, now time.Time) map[string]Answers {
	known := a.memory.Of(namespace).Retain(names(targets))
	answers := make(map[string]Answers, len(targets))
	var questions []question
	for i := range targets {
		t := &targets[i]
		m := known[t.Name]
		answers[t.Name] = Answers{ByPod: m.stillValid(t, m.isTimeToAsk(t, now))}
		for turn, pod := range t.unknown(answers[t.Name].ByPod) {
			questions = append(questions, question{t, pod, m.silent[pod.UID], turn})
		}
	}
	slices.SortStableFunc(questions, inTurn)
	for i, answer := range a.askAll(ctx, questions) {
		q := questions[i]
		answers[q.target.Name].ByPod[q.pod.UID] = answer
		if !answer.late {
			q.silent = answer.Err != nil
		}
		known[q.target.Name].note(q.pod.UID, q.silent)
	}
	for i := range targets {
		t := &targets[i]
		known[t.Name].remember(t, answers[t.Name].ByPod)
		answers[t.Name] = Answers{answers[t.Name].ByPod, mergeProblems(known[t.Name].said), mergeConnections(known[t.Name].said)}
	}
	return answers
}

// Forget drops what is known of a namespace.
func (a *Asker) Forget(namespace string) { a.memory.Forget(namespace) }

// isTimeToAsk reports whether all pods are to be asked, for their journals or because there is a new token. It then begins to wait anew.
func (m *answered) isTimeToAsk(t *Target, now time.Time) bool {
	newest := ""
	if len(t.Tokens) > 0 {
		newest = t.Tokens[0]
	}
	if now.Sub(m.asked) < journalPoll && newest == m.token {
		return false
	}
	m.asked, m.token = now, newest
	return true
}

// stillValid returns the last answers of the pods that need not be asked again.
func (m *answered) stillValid(t *Target, again bool) map[types.UID]Answer {
	valid := make(map[types.UID]Answer, len(t.Pods))
	for i := range t.Pods {
		pod := &t.Pods[i]
		before := m.said[pod.UID]
		if IsReady(pod) && t.Configuration.IsLoaded(before) && before.JournalProblem == "" && !again {
			valid[pod.UID] = Answer{Loaded: before}
		}
	}
	return valid
}

// unknown returns the pods that are to be asked: those that serve and, while none does, those that start.
func (t *Target) unknown(valid map[types.UID]Answer) []*corev1.Pod {
	var pods []*corev1.Pod
	for i := range t.Pods {
		pod := &t.Pods[i]
		if _, known := valid[pod.UID]; !known && pod.Status.PodIP != "" && (IsReady(pod) || !t.Available) {
			pods = append(pods, pod)
		}
	}
	return pods
}

// remember keeps what the ready pods said.
func (m *answered) remember(t *Target, answers map[types.UID]Answer) {
	said := make(map[types.UID]config.Loaded, len(t.Pods))
	for _, pod := range t.ready() {
		answer := answers[pod.UID]
		said[pod.UID] = answer.remembered(m.said[pod.UID])
	}
	m.said = said
	maps.DeleteFunc(m.silent, func(uid types.UID, _ bool) bool {
		_, present := answers[uid]
		return !present
	})
}

// note remembers whether a pod was asked and did not answer.
func (m *answered) note(pod types.UID, silent bool) {
	if m.silent == nil {
		m.silent = map[types.UID]bool{}
	}
	m.silent[pod] = silent
}

// remembered returns what is kept of the answer of a pod that has said something before.
func (a *Answer) remembered(before config.Loaded) config.Loaded {
	kept := a.Loaded
	if a.Err != nil { // what it reported before may still be so
		kept.Problems, kept.Connections = before.Problems, before.Connections
	}
	if a.StaleToken { // it is asked again
		kept.Hash = ""
	}
	return kept
}

// askAll asks until the time is over; a pod that has not answered by then has not answered.
func (a *Asker) askAll(ctx context.Context, questions []question) []Answer {
	ctx, cancel := context.WithTimeout(ctx, askBudget)
	defer cancel()
	answers := make([]Answer, len(questions))
	var group errgroup.Group
	group.SetLimit(asksAtOnce)
	for i, q := range questions {
		group.Go(func() error {
			if answers[i] = (Answer{Err: ctx.Err(), late: true}); answers[i].Err == nil {
				answers[i] = a.askPod(ctx, q.target.Tokens, q.pod)
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are in the answers
	return answers
}

// askPod asks a pod with the tokens that are known, or without one while none is. A pod of a release that asked for no token takes any.
func (a *Asker) askPod(ctx context.Context, tokens []string, pod *corev1.Pod) Answer {
	if len(tokens) == 0 {
		tokens = []string{""}
	}
	var answer Answer
	for i, token := range tokens {
		answer.Loaded, answer.Err = a.Pods.Loaded(ctx, pod, token)
		rejected := errors.Is(answer.Err, ErrToken)
		answer.StaleToken = i > 0 || rejected
		if !rejected {
			break
		}
	}
	return answer
}

// ready returns the pods that take requests.
func (t *Target) ready() []*corev1.Pod {
	var ready []*corev1.Pod
	for i := range t.Pods {
		if IsReady(&t.Pods[i]) {
			ready = append(ready, &t.Pods[i])
		}
	}
	return ready
}

// IsReady reports whether a pod takes requests.
func IsReady(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp.IsZero() && pod.Status.PodIP != "" &&
		slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
}
