package providertest

import (
	"os"
	"strings"
	"testing"
)

// Row is a line of a table of docs: what a provider calls it, and what it becomes.
type Row []string

// CheckTable makes sure that a page has a table that the code makes, between the lines "<!-- NAME: made by the tests -->" and
// "<!-- end of NAME -->". With -update it writes it there. header names the columns.
func CheckTable(t *testing.T, page, name string, header Row, rows []Row) {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+name+": made by the tests -->\n", "<!-- end of "+name+" -->"
	before, rest, ok := strings.Cut(string(content), begin)
	got, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table: add the lines %q and %q", page, strings.TrimSpace(begin), end)
	}
	want := "\n" + table(header, rows) + "\n"
	if got == want {
		return
	}
	if !*update {
		t.Errorf("the table %q of %s is not what the code says: run the test with -update", name, page)
		return
	}
	if err := os.WriteFile(page, []byte(before+begin+want+end+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

func table(header Row, rows []Row) string {
	var b strings.Builder
	line := func(r Row) { b.WriteString("| " + strings.Join(r, " | ") + " |\n") }
	line(header)
	b.WriteString(strings.Repeat("|---", len(header)) + "|\n")
	for _, r := range rows {
		line(r)
	}
	return b.String()
}
