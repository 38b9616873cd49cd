package mailjet

import (
	"cmp"
	"maps"
	"slices"
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheErrors holds the page for readers against the table.
func TestThePageHasTheErrors(t *testing.T) {
	t.Parallel()
	var rows []providertest.Row
	for _, name := range slices.Sorted(maps.Keys(errorMeanings())) {
		m := errorMeanings()[name]
		rows = append(rows, providertest.Row{"`" + name + "`", m.bounce.Category, string(m.bounce.Type), cmp.Or(string(m.reject), "`email.failed`")})
	}
	header := providertest.Row{"`error`, or `error_related_to` where that has it", "category of a bounce", "type without `hard_bounce`", "reason of `blocked`"}
	providertest.CheckTable(t, "../../../docs/providers/mailjet.md", "errors", header, rows)
}
