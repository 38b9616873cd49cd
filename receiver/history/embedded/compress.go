package embedded

import (
	"errors"

	"github.com/klauspost/compress/zstd"
)

const (
	// maxPlainBytes bounds what is decompressed: one event, however large, with what is kept beside it.
	maxPlainBytes = 640 << 20
	// windowBytes is as much as a block has, mostly.
	windowBytes = 128 << 10
)

// compressor compresses blocks. It is safe for concurrent use.
type compressor struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

func newCompressor() (*compressor, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(windowBytes), zstd.WithLowerEncoderMem(true))
	decoder, decoderErr := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxPlainBytes))
	return &compressor{encoder: encoder, decoder: decoder}, errors.Join(err, decoderErr)
}

// compress appends plain to out, compressed.
func (c *compressor) compress(out, plain []byte) []byte { return c.encoder.EncodeAll(plain, out) }

func (c *compressor) decompress(packed []byte) ([]byte, error) {
	return c.decoder.DecodeAll(packed, nil)
}
