package amazonses

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// subscription reads a change of what a recipient wants of a contact list. Where he left one topic and joined another, he left: not to
// send is the safe side.
func subscription(e *event.Event, n *notice, _ wire.Object) {
	before, after := n.about.Object("oldTopicPreferences"), n.about.Object("newTopicPreferences")
	wire.KeepDetails(e, n.about, "contactList", "source")
	wire.KeepDetails(e, after, "unsubscribeAll")
	was := preferences(before)
	var topics []string
	left, joined := isAll(after), isAll(before) && !isAll(after)
	for _, topic := range after.Objects("topicSubscriptionStatus") {
		name, status := topic.Text("topicName"), topic.Text("subscriptionStatus")
		topics = append(topics, name+"="+status)
		left = left || isOut(status) && isIn(was[name])
		joined = joined || isIn(status) && isOut(was[name])
	}
	wire.SetDetailList(e, "topicSubscriptionStatus", topics)
	switch {
	case left:
		e.Type = event.Unsubscribed
	case joined:
		e.Type = event.Resubscribed
	default:
		e.Type = event.Unknown
	}
}

// preferences returns the status of each topic.
func preferences(of wire.Object) map[string]string {
	status := map[string]string{}
	for _, topic := range of.Objects("topicSubscriptionStatus") {
		status[topic.Text("topicName")] = topic.Text("subscriptionStatus")
	}
	return status
}

func isAll(preferences wire.Object) bool { return preferences.Text("unsubscribeAll") == "true" }

func isIn(status string) bool { return strings.EqualFold(status, "OptIn") }

func isOut(status string) bool { return strings.EqualFold(status, "OptOut") }
