package httpsink

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

// TestANameIsResolvedAgainUnderTraffic moves the address of a destination while a request follows the other, and one is under way.
func TestANameIsResolvedAgainUnderTraffic(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %t", secure), func(t *testing.T) {
			t.Parallel()
			moveUnderTraffic(t, secure)
		})
	}
}

func moveUnderTraffic(t *testing.T, secure bool) {
	t.Helper()
	release := make(chan struct{})
	var got [2]atomic.Int64
	var conns [2]atomic.Int64
	serve := func(n int, address string) *httptest.Server {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if got[n].Add(1); r.Header.Get("Webhook-Id") == sinktest.ID(9) {
				<-release
			}
		}))
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				conns[n].Add(1)
			case http.StateClosed:
				conns[n].Add(-1)
			default:
			}
		}
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
		if err != nil {
			t.Skip("there is no second loopback address here: ", err)
		}
		_ = server.Listener.Close()
		server.Listener, server.EnableHTTP2 = listener, secure
		if secure {
			server.StartTLS()
		} else {
			server.Start()
		}
		t.Cleanup(server.Close)
		return server
	}
	old := serve(0, "127.0.0.1:0")
	_, port, _ := net.SplitHostPort(old.Listener.Addr().String())
	serve(1, "127.0.0.2:"+port)
	zone := serveNames(t)
	var now atomic.Int64
	now.Store(clock().Unix())
	scheme := "http"
	if secure {
		scheme = "https"
	}
	s, err := newSink([]byte(settingsFor(scheme+"://moving.example:"+port, modeStructured)), sink.Environment{},
		func() time.Time { return time.Unix(now.Load(), 0) })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // it returns nil
	s.connections.dialer.Resolver = zone.resolver
	if secure {
		s.connections.tls = old.Client().Transport.(*http.Transport).TLSClientConfig.Clone() //nolint:forcetypeassert // documented
		s.connections.tls.ServerName = "example.com"
		s.connections.transport = s.connections.newTransport()
	}
	send := func(n int) {
		t.Helper()
		if err := s.Send(t.Context(), sinktest.Batch(n, 1)); err != nil {
			t.Fatalf("Send: %v", err)
		}
	}
	send(0)
	slow := make(chan error, 1)
	go func() { slow <- s.Send(t.Context(), sinktest.Batch(9, 1)) }()
	for got[0].Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	send(2) // has a connection to the old address of its own
	zone.address.Store(&[4]byte{127, 0, 0, 2})
	for range 70 {
		now.Add(1)
		send(1)
	}
	if n := got[1].Load(); n < 10 {
		t.Errorf("the new address has %d of 70 requests", n)
	}
	close(release)
	if err := <-slow; err != nil {
		t.Errorf("the request under way when the name was resolved again: %v", err)
	}
	if secure {
		return // its idle connection goes with its time
	}
	for deadline := time.Now().Add(10 * time.Second); conns[0].Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections to the old address are left", conns[0].Load())
		}
	}
}

// names is a server that gives one address for every name.
type names struct {
	resolver *net.Resolver
	address  atomic.Pointer[[4]byte]
}

func serveNames(t *testing.T) *names {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &names{}
	n.address.Store(&[4]byte{127, 0, 0, 1})
	n.resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.serve(conn)
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return n
}

func (n *names) serve(conn net.PacketConn) {
	buffer := make([]byte, 1500)
	for {
		size, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buffer[:size]) != nil || len(m.Questions) != 1 {
			continue
		}
		m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
		if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
				Body:   &dnsmessage.AResource{A: *n.address.Load()},
			}}
		}
		if packed, err := m.Pack(); err == nil {
			_, _ = conn.WriteTo(packed, from)
		}
	}
}

func TestMetadataServicesAreRefused(t *testing.T) {
	t.Parallel()
	if err := send(t, "http://169.254.169.254/latest/meta-data", modeStructured, sinktest.Message(1)); err == nil || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("Send to a metadata service = %v", err)
	}
}
