// Package catalogue is the one list of the providers and sinks that Mailvane knows. What names them elsewhere is generated from it by
// hack/catalogue, or checked against it by a test: the API's enums, constants, unions and rules, the lists of receivers, of checks and of
// samples, and the tables of the README.
package catalogue

import (
	"slices"
	"strings"
)

// Coverage says what of a request a provider's signature covers.
type Coverage string

// What a signature covers.
const (
	// SignsBody covers the whole body.
	SignsBody Coverage = "the body"
	// SignsTime covers a time and not the body: who has seen one request can make others.
	SignsTime Coverage = "a time, not the body"
	// SignsCaller covers who sends and not the body: a token that goes with a request, and with others.
	SignsCaller Coverage = "who sends, not the body"
	// SignsNothing says that the provider signs nothing.
	SignsNothing Coverage = "nothing"
)

// Provider is an email provider.
type Provider struct {
	// Type is the value of spec.provider.type, such as "WebexConnect". The other names follow from it.
	Type string
	// Title is the name for people, such as "Webex Connect". That of the page docs/providers/<title>.md follows from it.
	Title string
	// Page is the address of what the provider says about its webhooks.
	Page string
	// Signs says what its signature covers.
	Signs Coverage
	// ReadsURL says that it signs, or is answered with, the URL that it posts to. Receivers are told the host of such endpoints alone: those of
	// an earlier release do not know the word for it, and refuse what they do not know.
	ReadsURL bool
	// Bare says that it has no settings: its member may be left out, and Factor.Unless is empty.
	Bare bool
	// Factor says when an endpoint needs spec.authentication as well; nil = never, because a credential is always set.
	Factor *Factor
	// Inbound says that it posts mail that it received, too.
	Inbound bool
	// Around is what it puts around its events, @, in JSON, also around one alone; "" = an event stands by itself. Forms have none.
	Around string
	// ListDetail is the detail of an unsubscription that says of which list, group or stream it is; "" = it is of all mail, or not certain. Where
	// ListEvents is set, that holds of those whose name at the provider begins with it.
	ListDetail, ListEvents string
	// Registration says how the manager registers webhooks by the provider's API; nil = it does not.
	Registration *Registration
}

// Registration is what an endpoint says of the provider's API, and what the API says of the webhook.
type Registration struct {
	// Account says what spec.registration.account holds, such as "the sending domain"; empty = nothing, and it must not be set.
	Account string
	// AccountOptional says that it may be left out.
	AccountOptional bool
	// Regions are the values that spec.registration.region may have, the default first; empty = it must not be set.
	Regions []string
	// BaseURL says that the provider is run by its users: spec.registration.baseURL must be set.
	BaseURL bool
	// Key is the field of the provider's member whose credentials the manager takes from the API, such as "signingSecretRefs", or makes and sets there;
	// empty = none. It may be left out where spec.registration is set.
	Key string
	// Carries lists the factors of spec.authentication, beside pathToken, that the provider can be told to send; empty = none.
	Carries string
}

// Registering returns the providers whose webhooks the manager can register.
func Registering() []Provider {
	return slices.DeleteFunc(Providers(), func(p Provider) bool { return p.Registration == nil })
}

// ListDetail returns the detail by which an unsubscription of a provider, under the provider's own name, is of one list; "" = it is of all mail.
func ListDetail(provider, event string) string {
	for _, p := range Providers() {
		if p.Type == provider && strings.HasPrefix(event, p.ListEvents) {
			return p.ListDetail
		}
	}
	return ""
}

// Factor is the rule by which an endpoint of a provider needs a factor of spec.authentication.
type Factor struct {
	// Unless is a CEL expression over the provider's member, which is "self", that is true where the endpoint needs none, such as
	// "has(self.hubSecretRefs)"; empty = it always needs one.
	Unless string
	// Field is the field of the member that is to be set; empty = spec.authentication is.
	Field string
	// Message completes the sentence that begins with the field. It says what to set.
	Message string
}

// Member returns the name of the member of spec.provider that holds the settings, such as "webexConnect".
func (p *Provider) Member() string { return memberName(p.Type) }

// Folder returns the name of the folder below receiver/provider and internal/simulate, and of the quickstart's endpoint.
func (p *Provider) Folder() string { return strings.ToLower(p.Type) }

// SettingsType returns the name of the member's type in package v1alpha1.
func (p *Provider) SettingsType() string { return p.Type + "Provider" }

// Docs returns the path of the provider's page, from the root of the repository.
func (p *Provider) Docs() string { return docs("providers", p.Title) }

// Sink is a kind of destination.
type Sink struct {
	// Type is the value of spec.type, such as "HTTP". The other names follow from it.
	Type string
	// Title is the name for people. That of the page docs/sinks/<title>.md follows from it.
	Title string
	// Summary says in a few words where the events go.
	Summary string
	// Bare says that it has no settings: its member may be left out.
	Bare bool
}

// Member returns the name of the member of the spec that holds the settings, such as "http".
func (s *Sink) Member() string { return memberName(s.Type) }

// Folder returns the name of the folder below receiver/sink.
func (s *Sink) Folder() string { return strings.ToLower(s.Type) + "sink" }

// SettingsType returns the name of the member's type in package v1alpha1.
func (s *Sink) SettingsType() string { return s.Type + "Sink" }

// Docs returns the path of the sink's page, from the root of the repository.
func (s *Sink) Docs() string { return docs("sinks", s.Title) }

func docs(folder, title string) string {
	return "docs/" + folder + "/" + strings.ReplaceAll(strings.ToLower(title), " ", "-") + ".md"
}

// memberName is a type in the form of the API's field names. A type of capitals alone is an abbreviation and becomes small as a whole.
func memberName(name string) string {
	if name == strings.ToUpper(name) {
		return strings.ToLower(name)
	}
	return strings.ToLower(name[:1]) + name[1:]
}
