package netrange_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/netrange"
)

func TestParseNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	if _, err := netrange.Parse([]string{"10.0.0.0/8", "10.0.0.0/33"}); err == nil || err.Error() != `"10.0.0.0/33" is not an address range; write it like 203.0.113.0/24` {
		t.Errorf("error: %v", err)
	}
	if p, err := netrange.Parse([]string{"10.1.2.3"}); err != nil || p[0].String() != "10.1.2.3/32" {
		t.Errorf("a bare address is %v", p[0])
	}
}
