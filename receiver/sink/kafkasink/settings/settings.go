// Package settings reads the settings of a Kafka sink, apart from what produces to its topics.
package settings

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinktls"
	"github.com/mailvane/mailvane/receiver/sink/template"
)

// The defaults of the API.
const (
	defaultTopic           = "mailvane"
	defaultMaxRequestBytes = 1_000_000
)

// The bounds of the API.
const (
	minRequestBytes = 16 << 10
	maxRequestBytes = 100 << 20
)

// topicMarks are the marks that a topic may have beside letters and digits (Topic.LEGAL_CHARS of Kafka).
const topicMarks = "-_."

// Parsed is where and how events are produced.
type Parsed struct {
	// Brokers are with their ports; there is at least one.
	Brokers     []string
	Topic       template.Template
	ContentMode ContentMode
	Compression Compression
	// Idempotent says that brokers are to drop what they get twice.
	Idempotent bool
	// MaxRequestBytes bounds a request.
	MaxRequestBytes int32
	// ProtocolVersion is such as 3.8, or empty.
	ProtocolVersion string
	// Authentication has at most one member set.
	Authentication Authentication
	// TLS is nil for connections without.
	TLS *tls.Config
	// TokenTLS is what the authorization server of OAuth is connected to with; nil = the defaults.
	TokenTLS *tls.Config
}

// Parse decodes a sink's settings, completes them with the defaults and refuses what cannot work. No error holds a credential.
func Parse(data []byte, env settings.Environment) (Parsed, error) {
	s := Settings{
		Topic: defaultTopic, ContentMode: ContentModeStructured, Compression: CompressionSnappy, Idempotence: IdempotenceEnable,
		MaxRequestBytes: defaultMaxRequestBytes, TLSMode: TLSModeVerify,
	}
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{
		ContentMode: s.ContentMode, Compression: s.Compression, Idempotent: s.Idempotence == IdempotenceEnable, MaxRequestBytes: s.MaxRequestBytes,
		ProtocolVersion: s.ProtocolVersion, Authentication: s.Authentication,
	}
	if err := errors.Join(p.setBrokers(s.Brokers), p.setTopic(s.Topic), p.setTLS(&s, env), s.check(), s.Authentication.check()); err != nil {
		return Parsed{}, err
	}
	return p, nil
}

var validVersion = regexp.MustCompile(`^([1-9]\.[0-9]{1,2})?$`)

// check refuses what the API refuses, too.
func (s *Settings) check() error {
	var errs []error
	refuse := func(when bool, message string) {
		if when {
			errs = append(errs, errors.New(message))
		}
	}
	refuse(!slices.Contains([]ContentMode{ContentModeStructured, ContentModeBinary}, s.ContentMode), "contentMode must be Structured or Binary")
	refuse(!slices.Contains([]Compression{CompressionNone, CompressionGzip, CompressionSnappy, CompressionLZ4, CompressionZstd}, s.Compression),
		"compression must be None, Gzip, Snappy, LZ4 or Zstd")
	refuse(s.Idempotence != IdempotenceEnable && s.Idempotence != IdempotenceDisable, "idempotence must be Enable or Disable")
	refuse(s.MaxRequestBytes < minRequestBytes || s.MaxRequestBytes > maxRequestBytes,
		fmt.Sprintf("maxRequestBytes must be between %d and %d", minRequestBytes, maxRequestBytes))
	refuse(!validVersion.MatchString(s.ProtocolVersion), "protocolVersion must be a version of Kafka, such as 3.8")
	return errors.Join(errs...)
}

func (p *Parsed) setBrokers(brokers []Address) error {
	if len(brokers) == 0 {
		return errors.New("brokers must name a broker, such as kafka-bootstrap.kafka.svc:9093")
	}
	for i, address := range brokers {
		host, port, err := net.SplitHostPort(string(address))
		number, failed := strconv.ParseUint(port, 10, 16)
		if err != nil || failed != nil || host == "" || number == 0 || strings.ContainsAny(host, "@/ ") {
			return fmt.Errorf("brokers[%d] must be a name or an address with a port: kafka-bootstrap.kafka.svc:9093", i)
		}
		p.Brokers = append(p.Brokers, string(address))
	}
	return nil
}

func (p *Parsed) setTopic(text string) (err error) {
	if p.Topic, err = template.Parse(text, topicMarks); err != nil {
		return fmt.Errorf("topic %w", err)
	}
	if text == "." || text == ".." {
		return errors.New("topic must be no . or .. alone")
	}
	return nil
}

func (p *Parsed) setTLS(s *Settings, env settings.Environment) (err error) {
	if p.TLS, err = sinktls.Config(sinktls.Settings(s.TLS), env); err != nil {
		return err
	}
	switch {
	case s.TLSMode == TLSModeVerify && p.TLS == nil:
		p.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	case s.TLSMode == TLSModeDisable && p.TLS != nil:
		return fmt.Errorf("tls must not be set when tlsMode is %s", TLSModeDisable)
	case s.TLSMode != TLSModeVerify && s.TLSMode != TLSModeDisable:
		return fmt.Errorf("tlsMode must be %s or %s", TLSModeVerify, TLSModeDisable)
	}
	if s.Authentication.OAuth != nil {
		if p.TokenTLS, err = sinktls.Config(sinktls.Settings{CAs: s.Authentication.OAuth.CAs}, env); err != nil {
			return fmt.Errorf("authentication.oauth: %w", err)
		}
	}
	return nil
}

// check tells of values only what they are not.
func (a *Authentication) check() error {
	set := 0
	for _, is := range []bool{a.Plain != nil, a.ScramSHA256 != nil, a.ScramSHA512 != nil, a.OAuth != nil, a.AWSIAM != nil} {
		if is {
			set++
		}
	}
	switch {
	case set > 1:
		return errors.New("authentication must be one of plainRef, scramSHA256Ref, scramSHA512Ref, oauth and awsIAM")
	case a.OAuth != nil:
		return a.OAuth.check()
	case a.AWSIAM != nil && (a.AWSIAM.AccessKeyID == "" || a.AWSIAM.SecretAccessKey == ""):
		return errors.New("authentication.awsIAM must have accessKeyID and secretAccessKeyRef")
	}
	return nil
}

var (
	validScope     = regexp.MustCompile(`^[!#-\[\]-~]+$`) // RFC 6749, section 3.3
	validExtension = regexp.MustCompile(`^[A-Za-z]+$`)    // RFC 7628, section 3.1
	validValue     = regexp.MustCompile(`^[!-~]+$`)
)

// check repeats nothing of an address that is wrong: it may hold a password.
func (o *OAuth) check() error {
	u, err := url.Parse(o.TokenURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return errors.New("authentication.oauth.tokenURL must be an absolute http or https URL without user name and password")
	}
	if o.ClientID == "" || o.ClientSecret == "" {
		return errors.New("authentication.oauth must have clientID and clientSecretRef")
	}
	return o.checkMore()
}

// checkMore looks at what may be left out.
func (o *OAuth) checkMore() error {
	for i, s := range o.Scopes {
		if !validScope.MatchString(string(s)) {
			return fmt.Errorf("authentication.oauth.scopes[%d] must be printable, without blanks, quotes and backslashes", i)
		}
	}
	for i, e := range o.Extensions {
		if !validExtension.MatchString(e.Name) || e.Name == "auth" || !validValue.MatchString(e.Value) {
			return fmt.Errorf("authentication.oauth.extensions[%d] must have a name of letters that is not auth, and a printable value", i)
		}
	}
	return nil
}
