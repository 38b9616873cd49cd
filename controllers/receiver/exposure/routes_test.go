package exposure

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mailvane/mailvane/controllers/render/children"
)

// discovered is what the API server says of its kinds.
type discovered struct {
	kinds []string // nil = it does not know the group
	err   error
	asked int
}

func (d *discovered) ServerResourcesForGroupVersion(string) (*metav1.APIResourceList, error) {
	d.asked++
	if d.err != nil {
		return nil, d.err
	}
	if d.kinds == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{}, "gateway.networking.k8s.io/v1")
	}
	list := &metav1.APIResourceList{}
	for _, kind := range d.kinds {
		list.APIResources = append(list.APIResources, metav1.APIResource{Kind: kind})
	}
	return list, nil
}

// watching counts what is begun and ended.
type watching struct {
	begun, ended int
	err          error
}

func (w *watching) begin() error { w.begun++; return w.err }

func (w *watching) end(context.Context) error { w.ended++; return w.err }

func (w *watching) list(context.Context, string) ([]unstructured.Unstructured, error) {
	return nil, nil
}

// TestTheGatewayAPIComesAndGoes asks every minute, and accepts what is known for half of one.
func TestTheGatewayAPIComesAndGoes(t *testing.T) {
	t.Parallel()
	now := at()
	kinds, watch := &discovered{}, &watching{}
	r := &WatchedRoutes{kinds: kinds, watcher: watch, now: func() time.Time { return now }}
	failing := errors.New("no")
	for _, step := range []struct {
		reason       string
		kinds        []string
		err, watch   error
		after        time.Duration
		available    bool
		fails        bool
		asked        int
		begun, ended int
	}{
		{reason: "it is not installed", after: time.Minute, asked: 1},
		{reason: "that is known", kinds: []string{"HTTPRoute"}, after: time.Second, asked: 1},
		{reason: "it has come", kinds: []string{"Gateway", "HTTPRoute"}, after: time.Minute, available: true, asked: 2, begun: 1},
		{reason: "it is watched already", kinds: []string{"HTTPRoute"}, after: time.Minute, available: true, asked: 3, begun: 1},
		{reason: "an API server that cannot be asked changes nothing", err: failing, after: time.Minute, fails: true, asked: 4, begun: 1},
		{reason: "and is asked again at once", kinds: []string{"HTTPRoute"}, after: time.Second, available: true, asked: 5, begun: 1},
		{reason: "the group without the kind is an older one", kinds: []string{"Gateway"}, after: time.Minute, asked: 6, begun: 1, ended: 1},
		{reason: "a watch that does not begin", kinds: []string{"HTTPRoute"}, watch: failing, after: time.Minute, fails: true, asked: 7, begun: 2, ended: 1},
		{reason: "is begun again", kinds: []string{"HTTPRoute"}, after: time.Second, available: true, asked: 8, begun: 3, ended: 1},
		{reason: "a watch that does not end", watch: failing, after: time.Minute, fails: true, asked: 9, begun: 3, ended: 2},
		{reason: "is ended again", after: time.Second, asked: 10, begun: 3, ended: 3},
	} {
		now = now.Add(step.after)
		kinds.kinds, kinds.err, watch.err = step.kinds, step.err, step.watch
		available, err := r.Available(t.Context(), 30*time.Second)
		if available != step.available || (err != nil) != step.fails {
			t.Errorf("%s: available %t, %v", step.reason, available, err)
		}
		got, want := []int{kinds.asked, watch.begun, watch.ended}, []int{step.asked, step.begun, step.ended}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: asked, begun, ended (-want +got):\n%s", step.reason, diff)
		}
	}
}

// listing is a cache that lists, or does not.
type listing struct {
	cache.Cache
	err     error
	options client.ListOptions
}

func (l *listing) List(_ context.Context, list client.ObjectList, options ...client.ListOption) error {
	l.options.ApplyOptions(options)
	if all, ok := list.(*unstructured.UnstructuredList); ok {
		all.Items = make([]unstructured.Unstructured, 1)
	}
	return l.err
}

// TestRoutesOfACacheThatForgot lists after another pass has ended the watch.
func TestRoutesOfACacheThatForgot(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err   error
		items int
		fails bool
	}{
		"watched":              {nil, 1, false},
		"not watched any more": {&cache.ErrResourceNotCached{}, 0, false},
		"not synced":           {errors.New("no"), 0, true},
	} {
		from := &listing{err: tc.err}
		items, err := (&informer{cache: from}).list(t.Context(), "mail")
		if len(items) != tc.items || (err != nil) != tc.fails || from.options.Namespace != "mail" || from.options.LabelSelector == nil {
			t.Errorf("%s: %v, %v, asked for %+v", name, items, err, from.options)
		}
	}
}

// TestRoutesOfOthersAreNoRequests has routes with some of the labels of ours.
func TestRoutesOfOthersAreNoRequests(t *testing.T) {
	t.Parallel()
	i := &informer{toRequests: func(_ context.Context, o client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(o)}}
	}}
	own := children.ExposureLabels()
	for name, tc := range map[string]struct {
		labels map[string]string
		want   int
	}{
		"ours":           {own, 1},
		"without labels": {nil, 0},
		"a receiver's":   {children.Labels("mailvane-receiver"), 0},
	} {
		route := anyRoute()
		route.SetLabels(tc.labels)
		if got := i.requests(t.Context(), route); len(got) != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
