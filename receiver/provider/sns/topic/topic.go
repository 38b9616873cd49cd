// Package topic reads the names of topics of Amazon SNS and of services that speak its protocol.
package topic

import (
	"errors"
	"fmt"
	"strings"
)

// maxARN bounds the name of a topic, in bytes: its last part has 256 at most.
const maxARN = 512

// Topic is a topic, by the parts of its Amazon Resource Name.
type Topic struct {
	// ARN is the whole name, such as "arn:aws:sns:eu-west-1:123456789012:ses-events".
	ARN string
	// Partition is what the region belongs to, such as "aws", "aws-cn" or "scw".
	Partition string
	// Region is where the topic is, such as "eu-west-1".
	Region string
	// Account is whose it is: an account at AWS, "project-<id>" at Scaleway.
	Account string
}

var errARN = errors.New("must be the ARN of a topic, such as arn:aws:sns:eu-west-1:123456789012:ses-events")

// Parse reads the ARN of a topic. Its parts become parts of host names, so they have letters, digits, "-" and "_" and nothing else.
func Parse(arn string) (Topic, error) {
	parts := strings.Split(arn, ":")
	if len(arn) > maxARN || len(parts) != 6 || parts[0] != "arn" || parts[2] != "sns" {
		return Topic{}, errARN
	}
	for _, part := range parts {
		if part == "" || strings.ContainsFunc(part, isOther) {
			return Topic{}, errARN
		}
	}
	return Topic{ARN: arn, Partition: parts[1], Region: parts[3], Account: parts[4]}, nil
}

func isOther(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// ParseAll reads the topics of an endpoint, of which there must be one, by their ARNs. Known reports whether a partition is one that the
// provider has.
func ParseAll(arns []string, known func(partition string) bool) (map[string]Topic, error) {
	topics := make(map[string]Topic, len(arns))
	for i, arn := range arns {
		t, err := Parse(arn)
		if err == nil && !known(t.Partition) {
			err = errors.New("the partition of the ARN, its second part, is not one of the provider")
		}
		if err != nil {
			return nil, fmt.Errorf("topicARNs[%d]: %w", i, err)
		}
		topics[arn] = t
	}
	if len(topics) == 0 {
		return nil, errors.New("topicARNs: must hold at least one topic: anybody can have a topic of his own post to an endpoint")
	}
	return topics, nil
}
