package postmark

import (
	"maps"
	"slices"
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheTypes holds the page for readers against the table.
func TestThePageHasTheTypes(t *testing.T) {
	t.Parallel()
	var rows []providertest.Row
	for _, name := range slices.Sorted(maps.Keys(types())) {
		m := types()[name]
		rows = append(rows, providertest.Row{"`" + name + "`", "`" + string(m.is) + "`", string(m.bounce.Type), why(m)})
	}
	providertest.CheckTable(t, "../../../docs/providers/postmark.md", "types", providertest.Row{"`Type` of a bounce", "event", "type", "category or reason"}, rows)
}

func why(m meaning) string {
	switch {
	case m.is == event.Rejected:
		return string(m.reject)
	case m.is == event.Bounced && m.bounce.Category == "":
		return "by the words and codes in `diagnostic`"
	default:
		return m.bounce.Category
	}
}
