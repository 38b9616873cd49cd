package topic_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/provider/sns/topic"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]topic.Topic{
		"arn:aws:sns:eu-west-1:123456789012:ses-events":                     {Partition: "aws", Region: "eu-west-1", Account: "123456789012"},
		"arn:aws-cn:sns:cn-north-1:123456789012:a":                          {Partition: "aws-cn", Region: "cn-north-1", Account: "123456789012"},
		"arn:scw:sns:fr-par:project-a1b2c3d4-0000-4000-8000-000000000000:t": {Partition: "scw", Region: "fr-par", Account: "project-a1b2c3d4-0000-4000-8000-000000000000"},
	} {
		want.ARN = arn
		got, err := topic.Parse(arn)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", arn, err, diff)
		}
	}
	for arn, reason := range map[string]string{
		"": "nothing", "ses-events": "a name alone",
		"arn:aws:sqs:eu-west-1:123456789012:ses-events":                  "a queue",
		"arn:aws:sns:eu-west-1:123456789012":                             "no name",
		"arn:aws:sns:eu-west-1:123456789012:t:0a1b2c3d":                  "a subscription",
		"arn:aws:sns:eu-west-1.evil.example:123456789012:t":              "a region that makes another host",
		"arn:aws:sns:evil.example/:123456789012:t":                       "a region with a path",
		"arn:aws:sns::123456789012:t":                                    "no region",
		"arn:aws:sns:eu-west-1:123456789012:ses events":                  "a blank",
		"arn:aws:sns:eu-west-1:123456789012:" + strings.Repeat("a", 512): "too long",
		"arn:aws:sns:eu-west-1:123456789012:*":                           "a pattern: topics are listed exactly",
		"arn:aws:sns:eu-west-1:123456789012:ses-events.fifo":             "Amazon SES takes no FIFO topic",
		" arn:aws:sns:eu-west-1:123456789012:ses-events":                 "a blank before it",
	} {
		if got, err := topic.Parse(arn); err == nil {
			t.Errorf("%s is taken: %+v", reason, got)
		}
	}
}

func TestParseAll(t *testing.T) {
	t.Parallel()
	isAWS := func(partition string) bool { return partition == "aws" }
	topics, err := topic.ParseAll([]string{"arn:aws:sns:eu-west-1:123456789012:a", "arn:aws:sns:eu-west-1:123456789012:b"}, isAWS)
	if err != nil || len(topics) != 2 || topics["arn:aws:sns:eu-west-1:123456789012:b"].Region != "eu-west-1" {
		t.Errorf("got %v, %v", topics, err)
	}
	for want, arns := range map[string][]string{
		"topicARNs: ":    nil,
		"topicARNs[1]: ": {"arn:aws:sns:eu-west-1:123456789012:a", "a"},
		"topicARNs[0]: ": {"arn:scw:sns:fr-par:project-1:a"},
	} {
		if _, err := topic.ParseAll(arns, isAWS); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: %v, want %s", arns, err, want)
		}
	}
}
