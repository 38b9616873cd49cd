// Package filesink appends events to a file, one structured CloudEvent per line.
package filesink

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/filesink/settings"
)

// fileMode lets the group read: events hold personal data.
const fileMode = 0o640

// folderMode keeps others out of the folder, where it is made by the receiver.
const folderMode = 0o750

// Kind returns the sink kind "File".
func Kind() sink.Kind { return sink.Kind{Type: "File", New: newSink} }

type fileSink struct {
	// folder is that of all File sinks, and name that of the file in it.
	folder, name string
	turn         sink.Turn // it guards the rest
	file         *os.File
	// torn says that the file does not end with a line's end.
	torn bool
}

func newSink(data []byte, env sink.Environment) (sink.Sink, error) {
	parsed, err := settings.Parse(data, common.Environment{FileSinks: env.Files != ""})
	if err != nil {
		return nil, err
	}
	return &fileSink{folder: env.Files, name: parsed.Name, turn: sink.NewTurn()}, nil
}

// Send appends the messages in one write and waits until they are on stable storage: the journal forgets them afterwards.
// When ctx ends first, the write may still happen.
func (f *fileSink) Send(ctx context.Context, batch sink.Batch) error {
	lines := sink.JoinLines(batch.Messages)
	if len(lines) == 0 {
		return ctx.Err()
	}
	return f.turn.Take(ctx, func() error { return f.write(lines) })
}

// Probe finds out whether the file, or the folder that it would be in, is there and may be written.
func (f *fileSink) Probe(ctx context.Context) error { return f.turn.Take(ctx, f.check) }

func (f *fileSink) check() error {
	root, err := os.OpenRoot(f.folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it is made before the first write
	}
	if err != nil {
		return f.failed(err)
	}
	defer root.Close() //nolint:errcheck // nothing was written to it
	switch at, err := root.Stat(f.name); {
	case errors.Is(err, os.ErrNotExist) && filepath.Dir(f.name) == ".":
		return nil // so is the file
	case errors.Is(err, os.ErrNotExist):
		if _, err = root.Stat(filepath.Dir(f.name)); err != nil {
			return f.failed(err)
		}
		return nil
	case err != nil:
		return f.failed(err)
	case !at.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", f.name)
	}
	file, err := root.OpenFile(f.name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return f.failed(err)
	}
	return file.Close()
}

// failed is the error of a file that cannot be opened.
func (f *fileSink) failed(err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("folder %s of the file sink does not exist", filepath.Dir(f.name)))
	case errors.Is(err, os.ErrPermission):
		return sink.Because(sink.CredentialRefused, fmt.Errorf("file sink: %w", err))
	default:
		return fmt.Errorf("file sink: %w", err)
	}
}

func (f *fileSink) write(lines []byte) error {
	if err := f.reopen(); err != nil {
		return err
	}
	if err := f.append(lines); err != nil {
		return errors.Join(err, f.release()) // opening anew finds out what is in the file
	}
	return nil
}

// reopen opens the file unless it is open and still the one at the path: log rotation moves it away. Nothing outside of the folder is
// opened, whatever links lead there.
func (f *fileSink) reopen() error {
	root, err := f.openRoot()
	if err != nil {
		return fmt.Errorf("folder of the file sinks: %w", err)
	}
	defer root.Close() //nolint:errcheck // nothing was written to it
	at, err := root.Stat(f.name)
	switch {
	case err == nil && !at.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", f.name)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return f.failed(err)
	}
	if f.file != nil {
		open, statErr := f.file.Stat()
		if err == nil && statErr == nil && os.SameFile(at, open) {
			return nil
		}
		if err := f.release(); err != nil {
			return err
		}
	}
	return f.open(root, err != nil)
}

// openRoot opens the folder of all File sinks, and makes it before the first one writes.
func (f *fileSink) openRoot() (*os.Root, error) {
	root, err := os.OpenRoot(f.folder)
	if !errors.Is(err, os.ErrNotExist) {
		return root, err
	}
	if err := os.MkdirAll(f.folder, folderMode); err != nil {
		return nil, err
	}
	return os.OpenRoot(f.folder)
}

func (f *fileSink) open(root *os.Root, create bool) error {
	file, err := root.OpenFile(f.name, os.O_RDWR|os.O_APPEND|os.O_CREATE, fileMode)
	if err != nil {
		return f.failed(err)
	}
	torn, err := endsInsideLine(file)
	if err == nil && create {
		err = syncFolder(root, filepath.Dir(f.name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("file sink: %w", err), file.Close())
	}
	f.file, f.torn = file, torn
	return nil
}

// endsInsideLine reports whether the file ends with a part of a line, which a crash may have left.
func endsInsideLine(file *os.File) (bool, error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	var last [1]byte
	_, err = file.ReadAt(last[:], info.Size()-1)
	return last[0] != '\n', err
}

// syncFolder makes the name of a new file durable.
func syncFolder(root *os.Root, path string) error {
	folder, err := root.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func (f *fileSink) append(lines []byte) error {
	if f.torn {
		lines = append([]byte{'\n'}, lines...)
	}
	before, err := f.file.Stat()
	if err != nil {
		return fmt.Errorf("file sink: %w", err)
	}
	n, err := f.file.Write(lines)
	if err != nil {
		return errors.Join(fmt.Errorf("file sink: %w", err), f.takeBack(before.Size(), int64(n)))
	}
	f.torn = false
	if err := f.file.Sync(); err != nil {
		return fmt.Errorf("file sink: %w", err)
	}
	return nil
}

// takeBack removes the n bytes that a write that failed has left, unless someone else has written meanwhile.
func (f *fileSink) takeBack(size, n int64) error {
	now, err := f.file.Stat()
	if err != nil || n == 0 || now.Size() != size+n {
		return err
	}
	return f.file.Truncate(size)
}

func (f *fileSink) release() error {
	file := f.file
	f.file = nil
	if file == nil {
		return nil
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("file sink: %w", err)
	}
	return nil
}

// closeTimeout bounds how long Close waits for a write that is under way.
const closeTimeout = 5 * time.Second

// Close closes the file, or leaves that for the end of a write that takes longer than a few seconds. Closing twice is allowed.
func (f *fileSink) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := f.turn.Take(ctx, f.release)
	if errors.Is(err, context.DeadlineExceeded) {
		go func() { _ = f.turn.Take(context.Background(), f.release) }() // nobody is left to tell
		return fmt.Errorf("file sink: %s is still being written", f.name)
	}
	return err
}
