package amazonses

import (
	"crypto/x509"
	"net/url"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/provider/amazonses/settings"
	"github.com/mailvane/mailvane/receiver/provider/sns"
	"github.com/mailvane/mailvane/receiver/provider/sns/topic"
)

// service is Amazon SNS.
func service() sns.Service {
	return sns.Service{Signs: signs, Trusts: trusts, ConfirmHost: host}
}

// host returns the name of SNS in the region of a topic. The region is that of a listed topic, and no request chooses it.
func host(t *topic.Topic) string { return "sns." + t.Region + "." + settings.Suffix(t.Partition) }

// signs reports whether a URL is that of a certificate of SNS in the region of a topic, such as
// https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-<hash>.pem.
func signs(t *topic.Topic, at *url.URL) bool {
	name, ok := strings.CutSuffix(at.EscapedPath(), ".pem")
	return ok && at.Host == host(t) && strings.HasPrefix(name, "/") && strings.Trim(name, nameCharacters) == "" && strings.Count(name, "/") == 1
}

// nameCharacters are those of the path of a certificate.
const nameCharacters = "/-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// trusts reports whether a certificate that SNS publishes in the region of a topic is one of SNS and valid. Nobody but the host says who
// issued it: the connection to it was authenticated.
func trusts(t *topic.Topic, c *x509.Certificate, at time.Time) bool {
	if at.Before(c.NotBefore) || at.After(c.NotAfter) {
		return false
	}
	for _, name := range []string{subject(t.Region), "sns-signing." + t.Region + "." + settings.Suffix(t.Partition)} {
		if c.VerifyHostname(name) == nil || len(c.DNSNames) == 0 && c.Subject.CommonName == name {
			return true
		}
	}
	return false
}

// subject returns the name of the certificates of a region that is older than names by region are (AWS SDK for Java,
// sns-message-manager).
func subject(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "sns-" + region + ".amazonaws.com.cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "sns-us-gov-west-1.amazonaws.com"
	case strings.HasPrefix(region, "us-isob-"):
		return "sns-us-isob-east-1.sc2s.sgov.gov"
	case strings.HasPrefix(region, "us-iso-"):
		return "sns-us-iso-east-1.c2s.ic.gov"
	default:
		return "sns.amazonaws.com"
	}
}
