package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/history/record"
)

// historyCollector turns a snapshot of the history into metrics.
type historyCollector struct {
	stats                                func() record.Stats
	available, events, used, max, missed *prometheus.Desc
}

// NewHistoryCollector returns a collector of what stats reports at each scrape; nothing while there is no history and none was asked for.
func NewHistoryCollector(stats func() record.Stats) prometheus.Collector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "history", name), help, nil, nil)
	}
	return &historyCollector{
		stats:     stats,
		available: desc("available", "1 while the history keeps events, 0 while it does not; events are delivered all the same."),
		events:    desc("events", "Events that the history holds, about."),
		used:      desc("used_bytes", "Space that the history takes."),
		max:       desc("max_bytes", "Space at which the oldest of the history goes."),
		missed:    desc("missed_total", "Events and attempts that the history did not keep."),
	}
}

// Describe implements prometheus.Collector.
func (c *historyCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.available, c.events, c.used, c.max, c.missed} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *historyCollector) Collect(out chan<- prometheus.Metric) {
	s := c.stats()
	if !s.On && s.Problem == "" {
		return
	}
	out <- prometheus.MustNewConstMetric(c.available, prometheus.GaugeValue, oneIf(s.Problem == ""))
	out <- prometheus.MustNewConstMetric(c.events, prometheus.GaugeValue, float64(s.Events))
	out <- prometheus.MustNewConstMetric(c.used, prometheus.GaugeValue, float64(s.UsedBytes))
	out <- prometheus.MustNewConstMetric(c.max, prometheus.GaugeValue, float64(s.MaxBytes))
	out <- prometheus.MustNewConstMetric(c.missed, prometheus.CounterValue, float64(s.Missed))
}
