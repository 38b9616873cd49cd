package config

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
)

// FileName is the name of the document in a receiver's configuration folder.
const FileName = "config.json"

// CompressedFileName is the name of the document in a configuration folder when it is compressed with gzip.
const CompressedFileName = FileName + ".gz"

// PartsFileName is the name of the file that lists the parts of a compressed document that no single file may hold.
const PartsFileName = FileName + ".parts"

const (
	// maxPlainBytes is the size from which a document is compressed: a Secret holds 1 MiB, and people can read what is plain.
	maxPlainBytes = 512 << 10
	// maxDocumentBytes bounds what a compressed document may grow to.
	maxDocumentBytes = 64 << 20
	// maxParts bounds the parts of a document.
	maxParts = 64
	// partDigits is the length of the hash in the name of a part.
	partDigits = 16
)

// File is a file of a configuration folder.
type File struct {
	// Name is its name.
	Name string
	// Content is what it holds.
	Content []byte
}

// parts is the content of PartsFileName.
type parts struct {
	// SHA256 is that of the compressed document, in hexadecimal.
	SHA256 string `json:"sha256"`
	// Count is the number of parts.
	Count int `json:"count"`
}

// name returns the name of a part. It has the document's hash in it, so that parts of two documents are never taken for one.
func (p *parts) name(i int) string {
	return fmt.Sprintf("%s.%s.%d", CompressedFileName, p.SHA256[:min(partDigits, len(p.SHA256))], i)
}

// IncompleteError says that parts of a document are missing. While a configuration is written anew, that passes.
type IncompleteError struct{ missing, count int }

// Error says how many are missing.
func (e *IncompleteError) Error() string {
	return fmt.Sprintf("read configuration: %d of its %d parts are not there yet", e.missing, e.count)
}

// Files returns a document as files of a configuration folder: the first is what a reader begins with, the others are its parts, of at
// most limit bytes each. A document that is not large is one file.
func Files(document []byte, limit int) ([]File, error) {
	if len(document) <= min(maxPlainBytes, limit) {
		return []File{{FileName, document}}, nil
	}
	compressed, err := compress(document)
	if err != nil {
		return nil, err
	}
	if len(compressed) <= limit {
		return []File{{CompressedFileName, compressed}}, nil
	}
	sum := sha256.Sum256(compressed)
	p := parts{SHA256: hex.EncodeToString(sum[:]), Count: (len(compressed) + limit - 1) / limit}
	list, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode the list of parts: %w", err)
	}
	files := []File{{PartsFileName, list}}
	for i := range p.Count {
		files = append(files, File{p.name(i), compressed[i*limit : min((i+1)*limit, len(compressed))]})
	}
	return files, nil
}

// Load parses the document in a configuration folder, in any form that [Files] gives it. It fails with an [IncompleteError] while parts
// are missing.
func Load(dir string) (*Config, error) {
	document, err := read(dir)
	if err != nil {
		return nil, err
	}
	return Parse(document)
}

func read(dir string) ([]byte, error) {
	document, missing := os.ReadFile(filepath.Join(dir, FileName))
	if !errors.Is(missing, fs.ErrNotExist) {
		return document, readError(missing)
	}
	compressed, err := os.ReadFile(filepath.Join(dir, CompressedFileName))
	if errors.Is(err, fs.ErrNotExist) {
		compressed, err = join(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, readError(missing)
	}
	if err != nil {
		return nil, readError(err)
	}
	return decompress(compressed)
}

func readError(err error) error {
	if _, incomplete := errors.AsType[*IncompleteError](err); err == nil || incomplete {
		return err
	}
	return fmt.Errorf("read configuration: %w", err)
}

// join reads the parts of a compressed document.
func join(dir string) ([]byte, error) {
	list, err := os.ReadFile(filepath.Join(dir, PartsFileName))
	if err != nil {
		return nil, err
	}
	var p parts
	if err := json.Unmarshal(list, &p, json.RejectUnknownMembers(true)); err != nil || p.Count < 1 || p.Count > maxParts {
		return nil, fmt.Errorf("%s is no list of parts", PartsFileName)
	}
	var compressed []byte
	missing := 0
	for i := range p.Count {
		part, err := os.ReadFile(filepath.Join(dir, p.name(i)))
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			continue
		}
		if err != nil {
			return nil, err
		}
		compressed = append(compressed, part...)
	}
	if missing > 0 {
		return nil, &IncompleteError{missing, p.Count}
	}
	if sum := sha256.Sum256(compressed); hex.EncodeToString(sum[:]) != p.SHA256 {
		return nil, errors.New("the parts are not those of one document")
	}
	return compressed, nil
}

func compress(document []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(document); err != nil {
		return nil, fmt.Errorf("compress configuration: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress configuration: %w", err)
	}
	return b.Bytes(), nil
}

func decompress(content []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("decompress configuration: %w", err)
	}
	document, err := io.ReadAll(io.LimitReader(r, maxDocumentBytes+1))
	if err != nil {
		return nil, fmt.Errorf("decompress configuration: %w", err)
	}
	if len(document) > maxDocumentBytes {
		return nil, fmt.Errorf("decompress configuration: it is larger than %d bytes", maxDocumentBytes)
	}
	return document, nil
}
