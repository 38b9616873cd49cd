package httpsink

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

// TestADestinationGoesAway sends to a server that answers the first request with GOAWAY (RFC 9113, section 6.8), as servers do
// that restart or that bound the requests of a connection: the request is made again on another connection, and Send returns.
func TestADestinationGoesAway(t *testing.T) {
	t.Parallel()
	certified := httptest.NewUnstartedServer(nil)
	certified.StartTLS()
	defer certified.Close()
	config := certified.TLS.Clone()
	config.NextProtos = []string{"h2"}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := leavingServer{Listener: tls.NewListener(listener, config)}
	go server.serve()
	defer func() { _ = server.Close() }()
	s, err := newSink([]byte(settingsFor("https://"+listener.Addr().String(), modeBatched)), sink.Environment{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	s.connections.transport.TLSClientConfig = certified.Client().Transport.(*http.Transport).TLSClientConfig.Clone() //nolint:forcetypeassert // documented
	s.connections.transport.TLSClientConfig.ServerName = "example.com"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sent := make(chan error, 1)
	go func() { sent <- s.Send(ctx, sinktest.Batch(0, 10)) }()
	select {
	case err := <-sent:
		if err != nil || server.answered.Load() != 1 || server.connections.Load() != 2 {
			t.Errorf("Send = %v, %d answers on %d connections", err, server.answered.Load(), server.connections.Load())
		}
	case <-time.After(90 * time.Second):
		t.Errorf("Send has not returned; it was answered %d times", server.answered.Load())
	}
}

// leavingServer speaks as much HTTP/2 as it takes. It goes away from its first connection when a request comes, and answers those
// of the others.
type leavingServer struct {
	net.Listener
	connections, answered atomic.Int64
}

func (s *leavingServer) serve() {
	for {
		c, err := s.Accept()
		if err != nil {
			return
		}
		go s.converse(c, s.connections.Add(1) == 1)
	}
}

func (s *leavingServer) converse(c net.Conn, leaves bool) {
	defer func() { _ = c.Close() }()
	if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(c, c)
	_ = f.WriteSettings()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = f.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			if leaves {
				_ = f.WriteGoAway(0, http2.ErrCodeNo, nil)
			}
		case *http2.DataFrame:
			if frame.StreamEnded() && !leaves {
				s.answered.Add(1)
				_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: frame.StreamID, BlockFragment: okBlock(), EndHeaders: true, EndStream: true})
				return
			}
		}
	}
}

// okBlock is the header block of an answer without a body.
func okBlock() []byte {
	var block bytes.Buffer
	_ = hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "200"}) // it is written to memory
	return block.Bytes()
}
