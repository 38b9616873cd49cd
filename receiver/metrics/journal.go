package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/journal"
)

// journalCollector reads a journal's statistics when it is scraped.
type journalCollector struct {
	stats                                                                               func() journal.Stats
	now                                                                                 func() time.Time
	available, pending, age, deadLetters, used, maximum, syncs, lost, damaged, degraded *prometheus.Desc
}

// NewJournalCollector returns a collector of what stats reports at each scrape.
func NewJournalCollector(stats func() journal.Stats, now func() time.Time) prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "journal", name), help, labels, nil)
	}
	return &journalCollector{
		stats: stats, now: now,
		available:   desc("available", "1 while events can be stored, 0 while they are refused."),
		pending:     desc("pending_events", "Events that a sink is owed.", "sink"),
		age:         desc("oldest_pending_age_seconds", "Age of the oldest event that a sink is owed.", "sink"),
		deadLetters: desc("dead_letters", "Dead letters that are kept."),
		used:        desc("used_bytes", "Space that the journal takes."),
		maximum:     desc("max_bytes", "Space at which the journal refuses events."),
		syncs:       desc("syncs_total", "Waits for stable storage."),
		lost:        desc("lost_events_total", "Deliveries that damage to the storage is known to have cost; an empty sink is one that is not known.", "sink"),
		damaged:     desc("damaged", "1 while damaged files of the journal are kept to be looked at."),
		degraded:    desc("degraded", "1 while something is amiss with a journal that takes events and hands them out: no room for more dead letters, or too few replicas."),
	}
}

// Describe implements prometheus.Collector.
func (c *journalCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.available, c.pending, c.age, c.deadLetters, c.used, c.maximum, c.syncs, c.lost, c.damaged, c.degraded} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *journalCollector) Collect(out chan<- prometheus.Metric) {
	s := c.stats()
	out <- prometheus.MustNewConstMetric(c.available, prometheus.GaugeValue, oneIf(s.Problem == ""))
	for name, n := range s.Pending {
		out <- prometheus.MustNewConstMetric(c.pending, prometheus.GaugeValue, float64(n), name)
	}
	for name, at := range s.OldestAccepted {
		out <- prometheus.MustNewConstMetric(c.age, prometheus.GaugeValue, c.now().Sub(at).Seconds(), name)
	}
	out <- prometheus.MustNewConstMetric(c.deadLetters, prometheus.GaugeValue, float64(s.DeadLetters))
	out <- prometheus.MustNewConstMetric(c.used, prometheus.GaugeValue, float64(s.UsedBytes))
	out <- prometheus.MustNewConstMetric(c.maximum, prometheus.GaugeValue, float64(s.MaxBytes))
	for name, n := range s.Lost {
		out <- prometheus.MustNewConstMetric(c.lost, prometheus.CounterValue, float64(n), name)
	}
	out <- prometheus.MustNewConstMetric(c.damaged, prometheus.GaugeValue, oneIf(s.Damage != ""))
	out <- prometheus.MustNewConstMetric(c.degraded, prometheus.GaugeValue, oneIf(s.Warning != ""))
	out <- prometheus.MustNewConstMetric(c.syncs, prometheus.CounterValue, float64(s.Syncs))
}

func oneIf(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}
