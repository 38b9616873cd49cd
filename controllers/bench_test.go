package controllers_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/test/controlplane/assets"
)

// BenchmarkEdit edits one endpoint of many in a namespace, against a real API server. Each has a Secret and a filter of its own,
// and the receiver two pods, which load the configuration when they are told to. It reports, for each edit, the requests that write
// (writes/edit), and the time from the edit until the configuration is written (ms/edit) and until the endpoint is ready (ms/ready).
func BenchmarkEdit(b *testing.B) {
	ctx, cancel := context.WithTimeout(b.Context(), time.Second)
	_, err := assets.Dir(ctx, io.Discard)
	cancel()
	if err != nil {
		b.Skip("the API server is not compiled yet: run make control-plane")
	}
	running.start(b)
	for _, endpoints := range []int{100, 1_000, 5_000} {
		b.Run(fmt.Sprint(endpoints), func(b *testing.B) { benchmarkEdit(b, endpoints) })
	}
}

// crowded is a namespace with many endpoints, which stays for all the rounds of a benchmark.
var crowded = map[int]*place{}

func benchmarkEdit(b *testing.B, endpoints int) {
	p := crowded[endpoints]
	if p == nil {
		p = crowd(b, endpoints)
		crowded[endpoints] = p
	}
	p.t = b
	name := fmt.Sprintf("e%d", endpoints/2)
	running.writes.take(p.namespace)
	writes, written := 0, time.Duration(0)
	for i := 0; b.Loop(); i++ {
		e := endpoint(name, "", "")
		begun := time.Now()
		p.edit(e, func() {
			e.Spec.Routes[0].Filter = fmt.Sprintf(`event.type == "email.bounced" && event.recipient == "%d.%d"`, begun.UnixNano(), i)
		})
		p.follow(name, e.Generation)
		written += running.writes.last(p.namespace, "apply Secret").Sub(begun)
		for _, count := range running.writes.take(p.namespace) {
			writes += count
		}
	}
	b.ReportMetric(0, "ns/op") // which a user does not see
	b.ReportMetric(float64(writes)/float64(b.N), "writes/edit")
	b.ReportMetric(written.Seconds()*1e3/float64(b.N), "ms/edit")
	b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N), "ms/ready")
}

// follow waits until the manager's cache has an endpoint ready in a generation.
func (p *place) follow(name string, generation int64) {
	p.t.Helper()
	reader := running.manager.GetClient()
	eventually(p.t, func() error {
		var e v1alpha1.WebhookEndpoint
		if err := reader.Get(p.t.Context(), client.ObjectKey{Namespace: p.namespace, Name: name}, &e); err != nil {
			return err
		}
		if c := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionReady); c == nil || c.ObservedGeneration < generation || c.Status != "True" {
			return errors.New("not ready")
		}
		return nil
	})
}

// crowd makes a namespace with endpoints that are ready.
func crowd(b *testing.B, endpoints int) *place {
	b.Helper()
	p := newPlace(b)
	p.create(sink("crm"), secret("e0", "value"), endpoint("e0", "e0", "crm"))
	running.pods.follow(p.namespace, true)
	p.available(&appsv1.Deployment{}, children.Name)
	for _, name := range []string{"receiver-0", "receiver-1"} {
		running.pods.wait(p.pod(name, children.Name))
	}
	group, ctx := errgroup.WithContext(b.Context())
	group.SetLimit(16)
	for i := 1; i < endpoints; i++ {
		group.Go(func() error {
			name := fmt.Sprintf("e%d", i)
			s, e := secret(name, "value"), endpoint(name, name, "crm")
			e.Spec.Routes[0].Filter = fmt.Sprintf(`event.type == "email.bounced" && event.recipient == "%d"`, i)
			for _, o := range []client.Object{s, e} {
				o.SetNamespace(p.namespace)
				if err := p.client.Create(ctx, o); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	for i := range endpoints {
		p.follow(fmt.Sprintf("e%d", i), 1)
	}
	return p
}
