// Package settings reads the settings of an S3 sink, apart from what writes objects.
package settings

import (
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinkaws/account"
	"github.com/mailvane/mailvane/receiver/sink/sinktls"
	"github.com/mailvane/mailvane/receiver/sink/template"
)

// defaultPrefix is that of the API.
const defaultPrefix = "mailvane/type={type}/date={date}/"

// prefixMarks are the marks that a key may have beside letters and digits.
const prefixMarks = "-_.=/"

// Parsed is where and how objects are written.
type Parsed struct {
	Bucket, Region, Endpoint string
	// PathStyle has the bucket's name in the path.
	PathStyle   bool
	Prefix      template.Template
	Compression Compression
	// Encryption is empty for what the bucket says.
	Encryption Encryption
	KMSKeyID   string
	Account    account.Settings
	// TLS is nil for the defaults.
	TLS *tls.Config
}

// names are those of buckets and regions: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var names = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*[a-z0-9]$`)

// Parse decodes a sink's settings, completes them with the defaults and refuses what cannot work. No error holds a credential.
func Parse(data []byte, env settings.Environment) (Parsed, error) {
	s := Settings{Prefix: defaultPrefix, Compression: CompressionZstd}
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{
		Bucket: s.Bucket, Region: s.Region, Endpoint: s.Endpoint, Compression: s.Compression, Encryption: s.Encryption, KMSKeyID: s.KMSKeyID,
		PathStyle: s.Addressing == AddressingPath || s.Addressing == "" && s.Endpoint != "", Account: account.Settings(s.Authentication),
	}
	if err := errors.Join(s.check(), account.CheckEndpoint(s.Endpoint), p.Account.Check(), p.setPrefix(s.Prefix), p.setTLS(&s, env)); err != nil {
		return Parsed{}, err
	}
	return p, nil
}

// check refuses what the API refuses, too.
func (s *Settings) check() error {
	var errs []error
	refuse := func(when bool, message string) {
		if when {
			errs = append(errs, errors.New(message))
		}
	}
	refuse(!names.MatchString(s.Bucket), "bucket must be the name of a bucket")
	refuse(!names.MatchString(s.Region), "region must be the name of a region, such as eu-west-1")
	refuse(s.Addressing != "" && s.Addressing != AddressingPath && s.Addressing != AddressingVirtualHost, "addressing must be VirtualHost or Path")
	refuse(s.Compression != CompressionZstd && s.Compression != CompressionGzip && s.Compression != CompressionNone, "compression must be Zstd, Gzip or None")
	refuse(s.Encryption != "" && s.Encryption != EncryptionAES256 && s.Encryption != EncryptionKMS, "encryption must be AES256 or KMS")
	refuse(s.KMSKeyID != "" && s.Encryption != EncryptionKMS, "kmsKeyID must not be set unless encryption is KMS")
	return errors.Join(errs...)
}

func (p *Parsed) setPrefix(text string) (err error) {
	if p.Prefix, err = template.Parse(text, prefixMarks, template.TimeAttributes()...); err != nil {
		return fmt.Errorf("prefix %w", err)
	}
	return nil
}

func (p *Parsed) setTLS(s *Settings, env settings.Environment) (err error) {
	p.TLS, err = sinktls.Config(sinktls.Settings(s.TLS), env)
	if p.TLS != nil && !strings.HasPrefix(p.Endpoint, "https:") {
		return errors.New("tls needs an endpoint that begins with https://")
	}
	return err
}
