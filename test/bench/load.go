package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load is what sending a number of requests told.
type load struct {
	requests int
	took     time.Duration
	p99      time.Duration
}

func (l load) perSecond() float64 { return float64(l.requests) / l.took.Seconds() }

// send sends prepared requests over connections that are kept open, each the next as soon as it has its answer. The client
// does as little as it can: it shares the processors with the server. Every answer must be 200.
func send(ctx context.Context, address string, connections int, requests [][]byte) (load, error) {
	var next atomic.Int64
	latencies := make([][]time.Duration, connections)
	errs := make([]error, connections)
	begin := time.Now()
	var group sync.WaitGroup
	for c := range connections {
		group.Go(func() {
			latencies[c], errs[c] = sendOne(ctx, address, requests, &next)
		})
	}
	group.Wait()
	l := load{requests: len(requests), took: time.Since(begin)}
	all := slices.Concat(latencies...)
	slices.Sort(all)
	if len(all) > 0 {
		l.p99 = all[len(all)*99/100]
	}
	return l, errors.Join(errs...)
}

func sendOne(ctx context.Context, address string, requests [][]byte, next *atomic.Int64) (latencies []time.Duration, err error) {
	var d net.Dialer
	connection, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = connection.Close() }() // every answer was read
	answers := bufio.NewReader(connection)
	for {
		i := int(next.Add(1)) - 1
		if i >= len(requests) {
			return latencies, nil
		}
		at := time.Now()
		if _, err := connection.Write(requests[i]); err != nil {
			return latencies, err
		}
		if err := readAnswer(answers); err != nil {
			return latencies, err
		}
		latencies = append(latencies, time.Since(at))
	}
}

var errNotOK = errors.New("not answered with 200")

// readAnswer reads an answer with a Content-Length, as all of ours have.
func readAnswer(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("%w: %s", errNotOK, bytes.TrimSpace(line))
	}
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length = 0
			for _, digit := range bytes.TrimSpace(value) {
				length = length*10 + int(digit-'0')
			}
		}
	}
	_, err = r.Discard(length)
	return err
}

// wire returns the bytes of a request on a connection.
func wire(ctx context.Context, path string, header http.Header, body []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://receiver.example.com"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = header
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// get returns the body of an answer.
func get(ctx context.Context, url string) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{Timeout: time.Minute}).Do(q)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	return io.ReadAll(response.Body)
}
