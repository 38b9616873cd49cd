package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/streaming/pkg/httpstream"
)

// reportTimeout bounds the wait for what a node says about a stream that it has ended.
const reportTimeout = time.Second

// maxReportBytes bounds what a node says.
const maxReportBytes = 4 << 10

// tunnel is one port-forward to a pod: a connection through the API server, for any number of streams to the pod's ports.
// Nothing listens on this machine.
type tunnel struct {
	config         *rest.Config
	namespace, pod string

	mu         sync.Mutex
	connection httpstream.Connection
	streams    int
}

// to returns a dialer that takes every address for a port of the pod.
func (t *tunnel) to(port int) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		s, err := t.open(port)
		if err != nil {
			return nil, fmt.Errorf("port-forward to pod %s/%s through %s: %w", t.namespace, t.pod, t.config.Host, err)
		}
		return s, nil
	}
}

// open opens a stream, and the connection before the first, or after it was lost.
func (t *tunnel) open(port int) (*stream, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.connection != nil {
		select {
		case <-t.connection.CloseChan():
			t.connection = nil
		default:
		}
	}
	if t.connection == nil {
		connection, err := t.connect()
		if err != nil {
			return nil, err
		}
		t.connection = connection
	}
	t.streams++
	return newStream(t.connection, port, t.streams)
}

func (t *tunnel) connect() (httpstream.Connection, error) {
	api, err := kubernetes.NewForConfig(t.config)
	if err != nil {
		return nil, err
	}
	url := api.CoreV1().RESTClient().Post().Resource("pods").Namespace(t.namespace).Name(t.pod).SubResource("portforward").URL()
	dialer, err := portforward.NewSPDYOverWebsocketDialerForStreaming(url, t.config)
	if err != nil {
		return nil, err
	}
	connection, protocol, err := dialer.Dial(portforward.PortForwardProtocolV1Name)
	if err != nil {
		return nil, err
	}
	if protocol != portforward.PortForwardProtocolV1Name {
		return nil, errors.Join(fmt.Errorf("the API server speaks %q and not %q", protocol, portforward.PortForwardProtocolV1Name), connection.Close())
	}
	return connection, nil
}

// stream is a connection to a port of the pod: a data stream, and beside it one on which the node says what went wrong.
type stream struct {
	httpstream.Stream
	discard func()
	report  <-chan string
	read    bool // something came
}

func newStream(connection httpstream.Connection, port, number int) (*stream, error) {
	header := http.Header{}
	header.Set(corev1.PortHeader, strconv.Itoa(port))
	header.Set(corev1.PortForwardRequestIDHeader, strconv.Itoa(number))
	header.Set(corev1.StreamType, corev1.StreamTypeError)
	failure, err := connection.CreateStream(header)
	if err != nil {
		return nil, err
	}
	_ = failure.Close() // we have nothing to say on it
	header.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := connection.CreateStream(header)
	if err != nil {
		connection.RemoveStreams(failure)
		return nil, err
	}
	report := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(failure, maxReportBytes)) // it ends with the connection
		report <- strings.TrimSpace(string(text))
	}()
	return &stream{Stream: data, report: report, discard: func() { connection.RemoveStreams(failure, data) }}, nil
}

// Read reads from the pod. A stream that ends before anything came ends with what the node says about it.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.Stream.Read(p)
	s.read = s.read || n > 0
	if !errors.Is(err, io.EOF) || s.read {
		return n, err
	}
	_ = s.Reset() // the node reports when both directions have ended
	select {
	case text := <-s.report:
		if text != "" {
			return 0, errors.New(text)
		}
	case <-time.After(reportTimeout):
	}
	return 0, err
}

// Close ends both directions.
func (s *stream) Close() error {
	defer s.discard()
	return s.Reset()
}

// LocalAddr returns no address of use: there is none.
func (s *stream) LocalAddr() net.Addr { return &net.UnixAddr{} }

// RemoteAddr returns no address of use: there is none.
func (s *stream) RemoteAddr() net.Addr { return &net.UnixAddr{} }

// SetDeadline does nothing: requests end by their context.
func (s *stream) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing: requests end by their context.
func (s *stream) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing: requests end by their context.
func (s *stream) SetWriteDeadline(time.Time) error { return nil }
