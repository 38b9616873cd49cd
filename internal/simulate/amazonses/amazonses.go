// Package amazonses makes the requests that Amazon SES would send through Amazon SNS.
package amazonses

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/internal/simulate/sns"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/amazonses/settings"
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
		return fmt.Errorf("amazonses: %w", err)
	}
	first := s.Topics[slices.Sorted(maps.Keys(s.Topics))[0]]
	host := "sns." + first.Region + "." + settings.Suffix(first.Partition)
	topic := sns.Topic{
		ARN: first.ARN, CertificateURL: "https://" + host + "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem", ConfirmHost: host,
		Pinned: s.Pinned, Version2: s.OnlyVersion2,
	}
	if err := topic.Sign(signingKey, r); err != nil {
		return fmt.Errorf("amazonses: %w", err)
	}
	return nil
}

// Freshen has a sample tell of a new event of a new message, now.
func Freshen(r *provider.Request, unique string) {
	sns.Freshen(r, unique, func(name, old string) string {
		switch {
		case name == "timestamp" || name == "time":
			return sns.Time(r.ReceivedAt)
		case name == "feedbackId" || name == "messageId" && !strings.Contains(old, "@"):
			return unique
		default:
			return ""
		}
	})
}
