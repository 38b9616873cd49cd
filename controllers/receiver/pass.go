package receiver

import (
	"context"
	"time"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/eventsink"
	"github.com/mailvane/mailvane/controllers/receiver/configuration"
	"github.com/mailvane/mailvane/controllers/receiver/exposure"
	"github.com/mailvane/mailvane/controllers/receiver/inventory"
	"github.com/mailvane/mailvane/controllers/receiver/plan"
	"github.com/mailvane/mailvane/controllers/receiver/program"
	"github.com/mailvane/mailvane/controllers/receiver/requeue"
	"github.com/mailvane/mailvane/controllers/receiver/status"
	"github.com/mailvane/mailvane/controllers/receiver/workload"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/controllers/webhookendpoint"
	"github.com/mailvane/mailvane/receiver/config"
)

// pass hands on, in one pass over a namespace, what each phase found to the phases that need it. No phase sees it.
type pass struct {
	now   time.Time
	after time.Duration // when to look again; 0 = when something changes

	found     *inventory.Inventory
	exposed   exposure.Objects
	receivers []*plan.Receiver
	// By receiver, but for problems and refused.
	configurations map[string]configuration.Written
	problems       map[render.Object][]render.Problem
	refused        error // what the API server did not take of a configuration
	tokens         map[string]program.TokensResult
	targets        []program.Target
	answers        map[string]program.Answers
	applied        map[string]workload.Result
	loaded         map[string]program.Result
	inputs         []webhookendpoint.Inputs // of the statuses of the endpoints, in their order
}

func (p *pass) lookAgain(after time.Duration) { p.after = requeue.Sooner(p.after, after) }

// isEmpty reports whether the namespace has nothing to do with Mailvane.
func (p *pass) isEmpty() bool { return len(p.found.Endpoints)+len(p.found.Sinks) == 0 }

// begin reads the namespace and decides which receivers it is to have.
func (r *Reconciler) begin(ctx context.Context, namespace string) (*pass, error) {
	found, err := inventory.Read(ctx, r.Client, namespace)
	if err != nil {
		return nil, err
	}
	r.status.Refresh(found.Endpoints, found.Sinks)
	exposed, err := r.exposure.Read(ctx, namespace, found.Endpoints)
	if err != nil {
		return nil, err
	}
	return &pass{now: r.Now(), found: found, exposed: exposed, receivers: plan.Receivers(plan.Input{
		ConfigBytes: r.Receiver.ConfigBytes,
		Namespace:   namespace, Endpoints: found.Endpoints, Defaults: r.Receiver.Defaults,
		KeepShared: len(found.Sinks) > 0 && found.Objects.ConfigSecret(children.Name) != nil,
	})}, nil
}

func (p *pass) configure(ctx context.Context, r *Reconciler) error {
	result, refused, err := r.configuration.Write(ctx, configuration.Input{
		Namespace: p.found.Namespace, Endpoints: p.found.Endpoints, Sinks: p.found.Sinks, Receivers: p.receivers,
		SecretVersions: p.found.SecretVersions, Objects: p.found.Objects,
	})
	p.configurations, p.problems, p.refused = result.Receivers, result.Problems, refused
	p.lookAgain(result.After)
	return err
}

func (p *pass) makeTokens(ctx context.Context, r *Reconciler) (err error) {
	p.tokens, err = r.tokens.Make(ctx, program.TokensInput{
		Namespace: p.found.Namespace, Receivers: p.receivers, Configurations: p.configurations, Objects: p.found.Objects,
	})
	for _, result := range p.tokens {
		p.lookAgain(result.After)
	}
	return err
}

func (p *pass) ask(ctx context.Context, r *Reconciler) {
	for _, receiver := range p.receivers {
		p.targets = append(p.targets, program.Target{
			Receiver: receiver, Configuration: p.configurations[receiver.Name], Tokens: p.tokens[receiver.Name].Known,
			Pods: p.found.Pods[receiver.Name], Available: p.found.Workloads.Available(receiver.Name),
		})
	}
	p.answers = r.asker.Ask(ctx, p.found.Namespace, p.targets, p.now)
}

func (p *pass) workloads() workload.Input {
	return workload.Input{
		Receivers: p.receivers, Configurations: p.configurations, Objects: p.found.Objects, Workloads: p.found.Workloads, HasPods: p.found.HasPods,
	}
}

func (p *pass) apply(ctx context.Context, r *Reconciler) (err error) {
	p.applied, err = r.workload.Apply(ctx, p.workloads())
	for _, result := range p.applied {
		p.lookAgain(result.After)
	}
	return err
}

func (p *pass) prune(ctx context.Context, r *Reconciler) error {
	return r.workload.Prune(ctx, p.workloads())
}

func (p *pass) load(ctx context.Context, r *Reconciler) (err error) {
	p.loaded, err = r.loader.Load(ctx, program.Input{
		Namespace: p.found.Namespace, Targets: p.targets, Answers: p.answers, Objects: p.found.Objects, Now: p.now,
	})
	for _, result := range p.loaded {
		p.lookAgain(result.After)
	}
	return err
}

// statusOf returns what was found of a receiver.
func (p *pass) statusOf(name string) *status.Receiver {
	applied, loaded := p.applied[name], p.loaded[name]
	return &status.Receiver{
		Refused: condition.First(p.configurations[name].Refused, p.tokens[name].Refused, applied.Refused),
		Journal: loaded.Journal, Warnings: loaded.Warnings, Available: p.found.Workloads.Available(name),
		Missing: applied.Missing, NotRunning: loaded.NotRunning, Loaded: loaded.Loaded, Problems: p.answers[name].Problems,
	}
}

// problemsOf returns what is wrong with an object.
func (p *pass) problemsOf(kind, name string) []render.Problem {
	return p.problems[render.Object{Kind: kind, Namespace: p.found.Namespace, Name: name}]
}

func (p *pass) expose(ctx context.Context, r *Reconciler) error {
	receivers := make(map[string]*status.Receiver, len(p.receivers))
	for _, receiver := range p.receivers {
		receivers[receiver.Name] = p.statusOf(receiver.Name)
	}
	in := exposure.Input{Objects: p.exposed, Now: p.now}
	for i := range p.found.Endpoints {
		e := &p.found.Endpoints[i]
		inputs := receivers[plan.ReceiverName(e)].Inputs(e, p.problemsOf(v1alpha1.WebhookEndpointKind, e.Name), p.now)
		p.inputs = append(p.inputs, inputs)
		in.Endpoints = append(in.Endpoints, exposedEndpoint(e, &inputs))
	}
	result, err := r.exposure.Expose(ctx, in)
	p.lookAgain(result.After)
	for i := range p.inputs {
		p.inputs[i].Exposed = result.Findings[p.found.Endpoints[i].Name]
		if x := p.found.Endpoints[i].Spec.Exposure; x != nil && !exposure.IsConflict(p.inputs[i].Exposed) {
			p.inputs[i].ExternalURL = x.URL()
		}
		if r.Registered != nil {
			if finding, known := r.Registered(p.found.Endpoints[i].UID); known {
				p.inputs[i].Registered = &finding
			}
		}
	}
	return err
}

// exposedEndpoint returns an endpoint as it is to be exposed.
func exposedEndpoint(e *v1alpha1.WebhookEndpoint, in *webhookendpoint.Inputs) exposure.Endpoint {
	exposed := exposure.Endpoint{WebhookEndpoint: e, Serving: webhookendpoint.Serving(e, in.Name, webhookendpoint.Programmed(e, *in))}
	for _, problem := range in.Problems {
		if problem.Reason == v1alpha1.ReasonPathConflict && exposed.Serving == in.Name { // a former receiver answers 503 for it
			exposed.PathConflict = condition.Finding{Reason: problem.Reason, Message: problem.Message}
			break
		}
	}
	return exposed
}

func (p *pass) writeStatus(ctx context.Context, r *Reconciler) error {
	endpoints := make([]status.Endpoint, len(p.found.Endpoints))
	for i := range endpoints {
		endpoints[i] = status.Endpoint{Object: &p.found.Endpoints[i], Inputs: p.inputs[i]}
	}
	sinks := make([]status.Sink, len(p.found.Sinks))
	for i := range sinks {
		s := &p.found.Sinks[i]
		sinks[i] = status.Sink{Object: s, Inputs: eventsink.Inputs{
			Problems:   p.problemsOf(v1alpha1.EventSinkKind, s.Name),
			Connection: program.ConnectionOf(p.answers, config.QualifiedName(s.Namespace, s.Name)), Now: p.now,
		}}
	}
	after, err := r.status.Write(ctx, endpoints, sinks)
	p.lookAgain(after)
	return err
}
