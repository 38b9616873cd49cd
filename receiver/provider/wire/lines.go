package wire

import (
	"bytes"
	"fmt"
	"iter"

	"github.com/go-json-experiment/json/jsontext"
)

// Lines reads a body of JSON Lines (jsonlines.org): one JSON object on each line, with any line ending; blank lines are passed over. A
// body that is an array, or one object over several lines, is read as [Items] reads it. A line that is no object comes with an error
// and does not hide its neighbours: a line ends where it ends, whatever is in it.
func Lines(body []byte) iter.Seq2[Item, error] {
	if trimmed := Trim(body); trimmed.Kind() != jsontext.KindBeginObject || isUTF16(trimmed) || trimmed.IsValid(grammarAlone()...) {
		return Items(body)
	}
	return func(yield func(Item, error) bool) {
		count := 0
		for line := range bytes.SplitSeq(Trim(body), []byte{'\n'}) {
			if line = Trim(line); len(line) == 0 {
				continue
			}
			if count++; count > maxItems {
				yield(undecodable(body), fmt.Errorf("more than %d items", maxItems))
				return
			}
			more := true
			err := single(line, func(item Item) error {
				more = yield(item, nil)
				return nil
			})
			if err != nil {
				more = yield(undecodable(line), err)
			}
			if !more {
				return
			}
		}
	}
}
