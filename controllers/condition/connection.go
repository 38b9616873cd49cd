package condition

import (
	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/receiver/config"
)

// Connected returns the finding of what receivers tell of the way to a sink; nil = nothing.
func Connected(c *config.Connection) Finding {
	switch {
	case c == nil:
		return Finding{Reason: v1alpha1.ReasonNothingSent, Message: "Nothing was sent yet.", Unknown: true}
	case c.Cause == "":
		return Finding{}
	}
	f := Finding{Reason: c.Cause, Message: meaning(c.Cause)}
	if c.Message != "" {
		f.Message += " It says: " + c.Message + "."
	}
	f.Message += " What is owed to it waits; mailvane sinks tells the last error."
	return f
}

func meaning(cause string) string {
	switch cause {
	case config.CredentialRefused:
		return "The destination refuses the credentials of the sink, or does not let it deliver; check the Secrets that it names and its rights there."
	case config.DestinationNotFound:
		return "The destination is there, and what events go to is not; create it, or mend its name in the sink."
	case config.DestinationUnreachable:
		return "No connection to the destination can be made; check its address, that it runs, and network policies between it and the receiver."
	default:
		return "The destination takes no events."
	}
}
