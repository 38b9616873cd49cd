package postmark

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// engagement reads an open or a click.
func (r *record) engagement(e *event.Event) {
	e.URL, e.UserAgent = r.Text("OriginalLink"), r.Text("UserAgent")
	geo, client, system := r.Object.Object("Geo"), r.Object.Object("Client"), r.Object.Object("OS")
	e.IP = geo.Text("IP")
	e.Client = event.Client{
		Name: wire.First(client.Text("Name"), client.Text("Family")),
		OS:   wire.First(system.Text("Name"), system.Text("Family")),
	}
	wire.SetDetail(e, "first", r.Text("FirstOpen"))
	wire.KeepDetails(e, r.Object, "Platform", "ReadSeconds", "ClickLocation")
	wire.KeepDetails(e, geo, "CountryISOCode", "Country", "RegionISOCode", "Region", "City", "Zip", "Coords")
}

// subscription reads that an address is suppressed, or no longer. Only who did it himself has unsubscribed; a suppression after a bounce
// or a complaint follows an event of its own, and one by the customer or by Postmark is no word of the recipient.
func (r *record) subscription(e *event.Event) {
	e.Reason = r.Text("SuppressionReason")
	wire.KeepDetails(e, r.Object, "Origin", "SuppressSending", "SuppressionReason")
	byRecipient := strings.EqualFold(r.Text("Origin"), "Recipient")
	switch suppress := r.Text("SuppressSending"); {
	case suppress == "true" && byRecipient && strings.EqualFold(e.Reason, "ManualSuppression"):
		e.Type = event.Unsubscribed
	case suppress == "true":
		e.Type = event.SuppressionAdded
	case suppress == "false" && byRecipient:
		e.Type = event.Resubscribed
	case suppress == "false":
		e.Type = event.SuppressionRemoved
	default:
		e.Type = event.Unknown
	}
}
