// Package scalewaytem makes the requests that Scaleway Transactional Email would send through Scaleway Topics and Events.
package scalewaytem

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/mailvane/mailvane/internal/simulate/sns"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/scalewaytem/settings"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// Sign has a request come from the first of the topics in the order of their names, signed with signingKey, whose certificate must be
// among those of the settings.
func Sign(data, signingKey []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("scalewaytem: %w", err)
	}
	first := s.Topics[slices.Sorted(maps.Keys(s.Topics))[0]]
	topic := sns.Topic{
		ARN: first.ARN, CertificateURL: "https://messaging.s3.fr-par.scw.cloud/" + first.Region + "/sns/0123456789abcdef.pem",
		ConfirmHost: "sns.mnq." + first.Region + ".scaleway.com", Pinned: s.Pinned,
	}
	if err := topic.Sign(signingKey, r); err != nil {
		return fmt.Errorf("scalewaytem: %w", err)
	}
	return nil
}

// Freshen has a sample tell of a new event of a new message, now.
func Freshen(r *provider.Request, unique string) {
	sns.Freshen(r, unique, func(name, _ string) string {
		switch name {
		case "created_at":
			return sns.Time(r.ReceivedAt)
		case "id", "email_id":
			return unique
		default:
			return ""
		}
	})
}
