// Package settings reads the settings of an endpoint of Azure Communication Services, apart from what decodes its requests.
package settings

import (
	"errors"
	"regexp"

	"github.com/mailvane/mailvane/receiver/settings"
)

// Defaults, which hold for Azure's public cloud.
const (
	// defaultOrigin is what Event Grid calls itself in a handshake of the CloudEvents schema.
	defaultOrigin = "eventgrid.azure.net"
	// defaultApplication is the application of Event Grid, which asks for the tokens.
	defaultApplication = "4962773b-9cdb-44cf-a8bf-237846a00ab7"
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Parse decodes an endpoint's settings, completes them with the defaults and refuses what cannot work.
func Parse(data []byte) (Settings, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Settings{}, err
	}
	if len(s.AllowedOrigins) == 0 {
		s.AllowedOrigins = []string{defaultOrigin}
	}
	if s.Entra == nil {
		return s, nil
	}
	if len(s.Entra.ApplicationIDs) == 0 {
		s.Entra.ApplicationIDs = []string{defaultApplication}
	}
	if !uuid.MatchString(s.Entra.TenantID) {
		return Settings{}, errors.New("entra.tenantID: must be a UUID in lower case")
	}
	if len(s.Entra.Audiences) == 0 {
		return Settings{}, errors.New("entra.audiences: must name at least one: the tenant makes tokens for other applications too")
	}
	return s, nil
}
