package program

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
)

// journals returns a Result with what pods say of their journals. Of several, the last one by name that has lost something, and the last
// one with another warning, is named: pods that share a journal say the same.
func (t *Target) journals(answers map[types.UID]Answer) Result {
	var result Result
	damage, warning := "", ""
	for i := range t.Pods {
		pod, said := t.Pods[i].Name, answers[t.Pods[i].UID].Loaded
		if said.JournalDamage != "" {
			damage = "Pod " + pod + ": " + said.JournalDamage + "."
		}
		if said.JournalWarning != "" {
			warning = "the journal of a pod: " + said.JournalWarning + "."
		}
		if said.HistoryProblem != "" {
			warning = strings.TrimSpace(warning + " the history of a pod, whose events are delivered all the same: " + said.HistoryProblem + ".")
		}
		if said.JournalProblem != "" {
			result.Journal = condition.First(result.Journal, condition.Finding{
				Reason: v1alpha1.ReasonJournalUnavailable, Message: "The journal of a pod takes no events, so it answers 503: " + said.JournalProblem,
			})
		}
	}
	result.Warnings = strings.TrimSpace(damage + " " + warning)
	return result
}
