package sparkpost

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheClasses holds the page for readers against the table.
func TestThePageHasTheClasses(t *testing.T) {
	t.Parallel()
	number := func(class string) int {
		n, err := strconv.Atoi(class)
		if err != nil {
			t.Errorf("%q is no class", class)
		}
		return n
	}
	names := slices.SortedFunc(maps.Keys(classes()), func(a, b string) int { return number(a) - number(b) })
	var rows []providertest.Row
	for _, name := range names {
		m := classes()[name]
		rows = append(rows, providertest.Row{name, "`" + string(m.is) + "`", string(m.bounce.Type), category(m)})
	}
	providertest.CheckTable(t, "../../../docs/providers/sparkpost.md", "classes", providertest.Row{"`bounce_class`", "event", "type", "category"}, rows)
}

func category(m meaning) string {
	if m.is == event.Bounced && m.bounce.Category == "" {
		return "by the words and codes in `diagnostic`"
	}
	return m.bounce.Category
}
