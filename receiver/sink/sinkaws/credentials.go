package sinkaws

import (
	"context"
	"errors"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	static "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// The environment of web identity, as EKS sets it for a service account with a role:
// https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html
const (
	roleVariable     = "AWS_ROLE_ARN"
	identityVariable = "AWS_WEB_IDENTITY_TOKEN_FILE"
	sessionVariable  = "AWS_ROLE_SESSION_NAME"
	stsVariable      = "AWS_ENDPOINT_URL_STS"

	// defaultSession is what CloudTrail calls the sink.
	defaultSession = "mailvane"
)

var errNoIdentity = errors.New("there is no access key, and the receiver has no web identity (" + roleVariable + " and " + identityVariable +
	"): set authentication.accessKeyIDRef and secretAccessKeyRef, or give the receiver's service account a role")

// noIdentity has every use of a client fail.
type noIdentity struct{}

// Retrieve returns errNoIdentity.
func (noIdentity) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errNoIdentity
}

// credentials returns what requests are signed with: an access key, a role that it may take, or the role of the receiver's service account. Others, such as
// the role of a node, come from metadata services, which no sink reaches.
func credentials(o Options, client *http.Client) aws.CredentialsProvider {
	config := aws.Config{Region: o.Region, HTTPClient: client, Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
	if endpoint := os.Getenv(stsVariable); endpoint != "" {
		config.BaseEndpoint = aws.String(endpoint)
	}
	session := os.Getenv(sessionVariable)
	if session == "" {
		session = defaultSession
	}
	a := &o.Account
	if a.AccessKeyID != "" {
		key := static.NewStaticCredentialsProvider(a.AccessKeyID, a.SecretAccessKey, a.SessionToken)
		if a.RoleARN == "" {
			return key
		}
		config.Credentials = key
		return aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(config), a.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = session
		}))
	}
	role, file := a.RoleARN, os.Getenv(identityVariable)
	if role == "" {
		role = os.Getenv(roleVariable)
	}
	if role == "" || file == "" {
		return noIdentity{}
	}
	return aws.NewCredentialsCache(stscreds.NewWebIdentityRoleProvider(sts.NewFromConfig(config), role, stscreds.IdentityTokenFile(file),
		func(o *stscreds.WebIdentityRoleOptions) { o.RoleSessionName = session }))
}
