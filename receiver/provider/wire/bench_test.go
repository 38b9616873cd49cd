package wire_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

func BenchmarkSingle(b *testing.B) {
	data, err := os.ReadFile("../../../internal/simulate/emailengine/samples/messageBounce.http")
	if err != nil {
		b.Fatal(err)
	}
	_, body, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := wire.Single(body, func(wire.Item) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
