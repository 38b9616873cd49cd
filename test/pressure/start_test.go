package pressure

import (
	"net/http"
	"testing"
)

// TestAStartWithAnOldConfiguration posts to an endpoint that was applied before the receiver started, and is mounted only after.
// It runs with the flags that a pod has: none about this.
func TestAStartWithAnOldConfiguration(t *testing.T) {
	t.Parallel()
	r := start(t, configuration(nowhere))
	late := endpoint("late")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		q := r.signed(late.Path, event(1))
		q.Method = method
		if status, retryAfter := r.answer(q); status != http.StatusServiceUnavailable || retryAfter == "" {
			t.Errorf("before it is mounted, %s: %d with Retry-After %q", method, status, retryAfter)
		}
	}
	r.configure(configuration(nowhere, late))
	eventually(t, "the endpoint is known", func() bool {
		status := r.post(r.signed(late.Path, event(1)))
		if status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Errorf("while it is mounted: %d", status)
		}
		return status == http.StatusOK
	})
}

// TestAStartWithoutAGrace says that the folder can be relied on.
func TestAStartWithoutAGrace(t *testing.T) {
	t.Parallel()
	r := start(t, configuration(nowhere), "--unknown-path-grace=0")
	if status := r.post(r.signed("/hooks/mail/late", event(1))); status != http.StatusNotFound {
		t.Errorf("answered %d", status)
	}
}
