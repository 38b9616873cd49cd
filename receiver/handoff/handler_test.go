package handoff

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// unread is a body that nobody may read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, io.EOF
}

func TestTheBodyOfAStrangerIsNotRead(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]http.Header{
		"unsigned":    {},
		"another key": signed(strings.Repeat("x", 32), wire, time.Now()),
		"old":         signed(testKey, wire, time.Now().Add(-6*time.Minute)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := takenOver(t)
			request := httptest.NewRequest(http.MethodPost, Path, unread{t})
			request.Header = header
			recorder := httptest.NewRecorder()
			h.ServeHTTP(recorder, request)
			if recorder.Code != http.StatusUnauthorized {
				t.Errorf("answer %d", recorder.Code)
			}
		})
	}
}

// stall posts an authentic parcel whose body does not come, and returns when it is being read, with the channel of its answer.
// The rest of the body comes with the call of the function.
func stall(t *testing.T, h http.Handler) (rest func(), answered <-chan int) {
	t.Helper()
	body, w := io.Pipe()
	rest = sync.OnceFunc(func() {
		_, _ = io.WriteString(w, wire[1:]) // nobody may be reading any more
		_ = w.Close()
	})
	t.Cleanup(func() { _ = body.Close() })
	answer := make(chan int, 1)
	request := httptest.NewRequest(http.MethodPost, Path, body)
	request.Header = signed(testKey, wire, time.Now())
	go func() {
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, request)
		answer <- recorder.Code
	}()
	if _, err := io.WriteString(w, wire[:1]); err != nil {
		t.Fatal(err)
	}
	return rest, answer
}

// TestAParcelThatStallsHoldsUpNoStop has a pod that is asked to stop while a parcel comes slowly.
func TestAParcelThatStallsHoldsUpNoStop(t *testing.T) {
	t.Parallel()
	h, j := takenOver(t)
	var stopping atomic.Bool
	h.options.Accepting = func() bool { return !stopping.Load() }
	rest, answered := stall(t, h)
	stopping.Store(true)
	drained, refused := make(chan struct{}), make(chan int, 1)
	go func() {
		h.Drain()
		close(drained)
		refused <- postTo(h, signed(testKey, wire, time.Now()), wire)
	}()
	select {
	case <-drained:
	case <-time.After(30 * time.Second):
		t.Error("the stop waits for the parcel")
		rest()
	}
	if code := <-refused; code != http.StatusServiceUnavailable {
		t.Errorf("a parcel that comes during the stop: answer %d", code)
	}
	rest()
	if code := <-answered; code != http.StatusServiceUnavailable {
		t.Errorf("the parcel that was read during the stop: answer %d", code)
	}
	if held := Held(j); held > 0 {
		t.Errorf("%d held by a pod that stops", held)
	}
}

// TestAParcelThatStallsIsGivenUp has a node that dies while its pod sends a parcel.
func TestAParcelThatStallsIsGivenUp(t *testing.T) {
	t.Parallel()
	h, j := takenOver(t)
	h.timeout = 200 * time.Millisecond
	begun := make(chan struct{})
	begin := sync.OnceFunc(func() { close(begun) })
	h.options.Guard.Key = func() ([]byte, error) {
		begin()
		return []byte(testKey), nil
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	post := func(body io.Reader) (int, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+Path, body)
		if err != nil {
			return 0, err
		}
		request.Header = signed(testKey, wire, time.Now())
		response, err := server.Client().Do(request)
		if err != nil {
			return 0, err
		}
		return response.StatusCode, response.Body.Close()
	}
	body, w := io.Pipe()
	t.Cleanup(func() { _ = body.Close() })
	go func() { _, _ = post(body) }() // it is cut
	if _, err := io.WriteString(w, wire[:1]); err != nil {
		t.Fatal(err)
	}
	<-begun
	for Held(j) == 0 {
		if code, err := post(strings.NewReader(wire)); ctx.Err() != nil {
			t.Fatalf("half a minute later another parcel is still not taken: %d, %v", code, err)
		}
	}
}
