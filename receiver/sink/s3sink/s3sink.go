// Package s3sink writes events into objects of Amazon S3, or of storage that speaks its protocol: a batch makes one object for each of its types and
// dates, whose name follows from the batch, so that one that is sent again overwrites itself.
package s3sink

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/s3sink/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinkaws"
)

// Kind returns the sink kind "S3".
func Kind() sink.Kind { return sink.Kind{Type: "S3", New: newSink} }

// s3Sink is one destination.
type s3Sink struct {
	settings.Parsed

	client  *s3.Client
	session *sinkaws.Session
	codes   sinkaws.Codes
}

var (
	_ sink.AttributeReader = (*s3Sink)(nil)
	_ sink.Prober          = (*s3Sink)(nil)
)

func newSink(data []byte, env sink.Environment) (sink.Sink, error) {
	parsed, err := settings.Parse(data, common.Environment{})
	if err != nil {
		return nil, err
	}
	session := sinkaws.New(sinkaws.Options{Region: parsed.Region, Endpoint: parsed.Endpoint, TLS: parsed.TLS, Account: parsed.Account}, env)
	client := s3.NewFromConfig(session.Config, func(o *s3.Options) { o.UsePathStyle = parsed.PathStyle })
	return &s3Sink{Parsed: parsed, client: client, session: session, codes: codesOf(&parsed)}, nil
}

// codesOf are what S3 says: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
func codesOf(p *settings.Parsed) sinkaws.Codes {
	return sinkaws.Codes{
		Service:   "the storage",
		Missing:   []string{"NoSuchBucket", "NotFound", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"},
		Create:    "create the bucket " + p.Bucket + " in " + p.Region + ", or name the region that it is in",
		Permanent: []string{"EntityTooLarge", "MaxMessageLengthExceeded"},
		Grant:     "the right s3:PutObject for the bucket's objects, and to use the key of an encryption",
		Hidden:    p.Account.Hidden(),
	}
}

// ReadsAttributes returns true: keys are made of them.
func (s *s3Sink) ReadsAttributes() bool { return true }

// Send writes the objects of a batch, one after the other. Of those that are written the messages are delivered; with the first that is not, all
// that follow have failed as it has.
func (s *s3Sink) Send(ctx context.Context, batch sink.Batch) error {
	if err := ctx.Err(); err != nil || len(batch.Messages) == 0 {
		return err
	}
	parts := s.partition(batch.Messages)
	for done := range parts {
		err := s.write(ctx, parts[done].prefix+batch.ID, batch.Messages, parts[done].messages)
		switch {
		case err == nil:
			continue
		case done == 0:
			return err
		}
		failed := map[int]error{}
		for _, part := range parts[done:] {
			for _, i := range part.messages {
				failed[i] = err
			}
		}
		return sink.Partial(failed)
	}
	return nil
}

// write writes one object. Storage has it as a whole or not at all.
func (s *s3Sink) write(ctx context.Context, key string, messages []sink.Message, of []int) error {
	o, err := s.object(messages, of)
	if err != nil {
		return err
	}
	input := &s3.PutObjectInput{
		Bucket: aws.String(s.Bucket), Key: aws.String(key + o.suffix), Body: o.reader(), ContentLength: aws.Int64(int64(len(o.body))),
		ContentType: aws.String(o.mediaType), ContentMD5: aws.String(o.md5()),
	}
	switch s.Encryption {
	case settings.EncryptionAES256:
		input.ServerSideEncryption = types.ServerSideEncryptionAes256
	case settings.EncryptionKMS:
		input.ServerSideEncryption = types.ServerSideEncryptionAwsKms
		if s.KMSKeyID != "" {
			input.SSEKMSKeyId = aws.String(s.KMSKeyID)
		}
	}
	_, err = s.client.PutObject(ctx, input)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return s.codes.Error(err)
}

// Probe asks for a list of at most one object, which tells of the bucket and of the credentials. Who may write alone is refused the list.
func (s *s3Sink) Probe(ctx context.Context) error {
	_, err := s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(s.Bucket), MaxKeys: aws.Int32(1)})
	if sinkaws.HasCode(err, "AccessDenied") {
		return nil
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return s.codes.Unasked(err)
}

// Close closes idle connections.
func (s *s3Sink) Close() error {
	s.session.Close()
	return nil
}
