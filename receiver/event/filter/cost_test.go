package filter_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestTextsAreBounded evaluates filters that would build texts far larger than the event out of two of its fields.
func TestTextsAreBounded(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ expression, say string }{
		"replace, of the third power":     {`event.subject.replace("", event.subject).replace("", event.subject).size() > 0`, "replace would make more"},
		"replace by a constant, again":    {`event.subject.replace("", "0").replace("", "0").replace("", "0").replace("", "0").size() > 0`, "cost limit"},
		"replace with a limit":            {`event.subject.replace("", event.subject, 100000).size() > 0`, "replace would make more"},
		"join by a long separator":        {`event.recipients.join(event.subject).size() > 0`, "join would make more"},
		"split into characters":           {`event.subject.split("").size() > 0`, "split would make more"},
		"split into characters, a limit":  {`event.subject.split("", 100000).size() > 0`, "split would make more"},
		"additions of one field":          {strings.Repeat("event.subject + ", 200) + `"" != ""`, "cost limit"},
		"quotes of quotes":                {strings.Repeat("strings.quote(", 24) + "event.subject" + strings.Repeat(")", 24) + ` != ""`, "cost limit"},
		"format of one field, many times": {`"` + strings.Repeat("%s", 100) + `".format([` + strings.Repeat("event.subject,", 99) + `event.subject]) != ""`, "format would make more"},
		"format of lists":                 {`"%s%s".format([event.recipients.map(a, event.subject), 1]) != ""`, "format would make more"},
		"a list of lists":                 {`event.recipients.map(a, event.recipients.map(b, a + b)).size() == 0`, "cost limit"},
	}
	c := newCompiler(t)
	e := bounced()
	e.Subject = strings.Repeat(`"`, 100_000)
	e.Recipients = slices.Repeat([]string{"a@example.com"}, 1000)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f, err := c.Compile(tc.expression)
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err = f.Match(e)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), tc.say) {
				t.Errorf("error %v; want it to say %q", err, tc.say)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
				t.Errorf("the evaluation allocated %d MiB", grown>>20)
			}
		})
	}
}
