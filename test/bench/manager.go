package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// editMetrics are what the benchmark of the controllers reports about one edit.
type editMetrics struct{ writes, written, ready float64 }

// manager measures an edit of one endpoint of 100 and of 5,000, with the benchmark of the controllers, which needs their parts and a
// real API server.
func manager(ctx context.Context, _ *workbench, _ *options) ([]figure, error) {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkEdit$", "-benchtime", "10x",
		"github.com/mailvane/mailvane/controllers").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("benchmark the controllers: %w\n%s", err, out)
	}
	few, err := edits(out, "100")
	if err != nil {
		return nil, err
	}
	many, err := edits(out, "5000")
	if err != nil {
		return nil, err
	}
	return []figure{
		{name: "manager: API writes for an edit, 5,000 endpoints over 100", samples: samples{many.writes / few.writes}, target: 1},
		{name: "manager: API writes for an edit", samples: samples{many.writes}},
		{name: "manager: time for an edit, 5,000 endpoints over 100", samples: samples{many.written / few.written}, target: 60},
		{name: "manager: edit to configuration written, 100 endpoints", unit: "ms", samples: samples{few.written}},
		{name: "manager: edit to configuration written, 5,000 endpoints", unit: "ms", samples: samples{many.written}},
		{name: "manager: edit to Ready, 5,000 endpoints", unit: "ms", samples: samples{many.ready}},
	}, nil
}

// edits finds the metrics of a number of endpoints in the output of the benchmark.
func edits(out []byte, endpoints string) (m editMetrics, err error) {
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 || !strings.HasPrefix(fields[0], "BenchmarkEdit/"+endpoints+"-") {
			continue
		}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return m, fmt.Errorf("output of the benchmark: %w", err)
			}
			switch fields[i+1] {
			case "writes/edit":
				m.writes = value
			case "ms/edit":
				m.written = value
			case "ms/ready":
				m.ready = value
			}
		}
		return m, nil
	}
	return m, fmt.Errorf("the benchmark of the controllers has no line for %s endpoints; is the API server compiled (make control-plane)?\n%s", endpoints, out)
}
