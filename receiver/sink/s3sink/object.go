package s3sink

import (
	"bytes"
	"compress/gzip"
	"crypto/md5" //nolint:gosec // Content-MD5 finds what was damaged on the way; what was changed, the signature does
	"encoding/base64"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/s3sink/settings"
	"github.com/mailvane/mailvane/receiver/sink/template"
)

// part is what of a batch goes into one object: the positions of its messages.
type part struct {
	prefix   string
	messages []int
}

// partition puts messages apart by their prefixes, in the order in which these first occur.
func (s *s3Sink) partition(messages []sink.Message) []part {
	var parts []part
	at := map[string]int{}
	for i := range messages {
		m := &messages[i]
		prefix := s.Prefix.Expand(template.Values{Source: m.Source, Type: m.Type, Provider: m.Provider, Time: m.Time})
		n, seen := at[prefix]
		if !seen {
			n = len(parts)
			at[prefix], parts = n, append(parts, part{prefix: prefix})
		}
		parts[n].messages = append(parts[n].messages, i)
	}
	return parts
}

// object is what is written.
type object struct {
	body              []byte
	suffix, mediaType string
}

func (o *object) reader() io.ReadSeeker { return bytes.NewReader(o.body) }

// md5 returns the digest by which storage finds that a body was damaged, and which buckets with object locks insist on.
func (o *object) md5() string {
	sum := md5.Sum(o.body) //nolint:gosec // as above
	return base64.StdEncoding.EncodeToString(sum[:])
}

// object returns the lines of the messages at some positions.
func (s *s3Sink) object(messages []sink.Message, of []int) (*object, error) {
	chosen := make([]sink.Message, len(of))
	for n, i := range of {
		chosen[n] = messages[i]
	}
	lines := sink.JoinLines(chosen)
	switch s.Compression {
	case settings.CompressionGzip:
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		if _, err := w.Write(lines); err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
		if err := w.Close(); err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
		return &object{out.Bytes(), ".jsonl.gz", "application/gzip"}, nil
	case settings.CompressionZstd:
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
		return &object{w.EncodeAll(lines, nil), ".jsonl.zst", "application/zstd"}, nil
	default:
		return &object{lines, ".jsonl", "application/x-ndjson"}, nil
	}
}
