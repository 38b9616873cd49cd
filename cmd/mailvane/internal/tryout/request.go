// Package tryout says what a receiver would make of one request that was captured, without a receiver.
package tryout

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// maxFileBytes is more than any endpoint takes.
const maxFileBytes = 64 << 20

// Captured is a request that was written into a file.
type Captured struct {
	*http.Request

	// Raw is the body, as it came.
	Raw []byte
}

// ReadFile reads one whole HTTP request: the request line, headers, an empty line, and the body, which ends where Content-Length says or, without
// one, with the file. Its errors say what to change.
func ReadFile(path string) (*Captured, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	if info.IsDir() || info.Size() > maxFileBytes {
		return nil, fmt.Errorf("%s: must be a file of one HTTP request, of up to %d MiB", path, maxFileBytes>>20) //nolint:mnd // bytes of a MiB
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	captured, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return captured, nil
}

func parse(text []byte) (*Captured, error) {
	in := bufio.NewReader(bytes.NewReader(http1(text)))
	r, err := http.ReadRequest(in)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("there is no empty line behind the headers; it must be a request line such as \"POST /hooks/mail/name HTTP/1.1\", headers, an empty line, and the body")
	case err != nil:
		return nil, errors.New("is no HTTP request; it must begin with a line such as \"POST /hooks/mail/name HTTP/1.1\", and headers as \"Name: value\"")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("the body is cut off, at %d bytes of %d that Content-Length says", len(body), r.ContentLength)
	}
	rest, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	if r.Header.Get("Content-Length") == "" && len(r.TransferEncoding) == 0 {
		body, rest = rest, nil
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("there are %d bytes behind the body that Content-Length says; an editor may have added a line break, which no signature covers", len(rest))
	}
	return &Captured{Request: r, Raw: body}, nil
}

// http1 makes a request line of HTTP/1.1 of one of a later version, as tools print it.
func http1(text []byte) []byte {
	line, rest, _ := bytes.Cut(text, []byte{'\n'})
	for _, version := range []string{"HTTP/2", "HTTP/2.0", "HTTP/3"} {
		if first, found := strings.CutSuffix(strings.TrimRight(string(line), "\r"), " "+version); found {
			return append([]byte(first+" HTTP/1.1\r\n"), rest...)
		}
	}
	return text
}
