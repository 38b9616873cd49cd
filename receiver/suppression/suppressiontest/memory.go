package suppressiontest

import (
	"context"
	"slices"
	"sync"

	"github.com/mailvane/mailvane/receiver/suppression"
)

// Memory is a store of a test's process.
type Memory struct {
	mu   sync.Mutex
	rows map[suppression.Key]suppression.Row
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{rows: map[suppression.Key]suppression.Row{}} }

// Apply merges changes.
func (m *Memory) Apply(ctx context.Context, changes []suppression.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range changes {
		c := &changes[i]
		r, ok := m.rows[c.Key]
		if !ok {
			r = suppression.Row{Address: c.Address, Scope: c.Scope, Class: c.Class}
		}
		r.Seen = slices.Clone(r.Seen)
		r.Merge(c)
		m.rows[c.Key] = r
	}
	return nil
}

// Find returns the rows of an address.
func (m *Memory) Find(_ context.Context, address string) (rows []suppression.Row, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.rows {
		if key.Address == address {
			rows = append(rows, m.rows[key])
		}
	}
	sort(rows)
	return rows, nil
}

// Walk visits all rows.
func (m *Memory) Walk(_ context.Context, visit func(suppression.Row) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows {
		if err := visit(r); err != nil {
			return err
		}
	}
	return nil
}

// Probe does nothing.
func (m *Memory) Probe(context.Context) error { return nil }

// Close does nothing.
func (m *Memory) Close() error { return nil }
