package cluster

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/receiver/admin/access"
)

// rolePrefix begins the names of the ClusterRoles that let people read the tokens, one for each right.
const rolePrefix = "mailvane-"

// Token returns the token of a receiver that gives the first of the rights whose Secret may be read. Where there is none of these
// Secrets, there is no token: receivers of older releases ask for none.
func (c *Cluster) Token(ctx context.Context, namespace, receiver string, rights []access.Right) (string, error) {
	var denied []string
	for _, right := range rights {
		name := children.AdminSecretName(receiver, right)
		data, found, err := c.Secret(ctx, namespace, name)
		switch {
		case apierrors.IsForbidden(err):
			denied = append(denied, fmt.Sprintf("%q (ClusterRole %s%s)", name, rolePrefix, right))
		case err != nil:
			return "", err
		case found:
			tokens, err := access.ParseTokens(data[children.AdminTokenKey])
			if err != nil {
				return "", fmt.Errorf("the Secret %q in namespace %q: %w; delete it, and the manager makes another", name, namespace, err)
			}
			return tokens[0], nil
		}
	}
	if len(denied) > 0 {
		return "", fmt.Errorf("receiver %s/%s: %w", namespace, receiver, &NoRightError{Secrets: denied})
	}
	return "", nil
}

// NoRightError says that none of the Secrets may be read that hold a token for what was asked.
type NoRightError struct {
	// Secrets are the names of the Secrets and what grants the right to read them.
	Secrets []string
}

// Error says which right is missing.
func (e *NoRightError) Error() string {
	return "you may read none of the Secrets with a token for this: " + strings.Join(e.Secrets, ", ") + "; ask for a binding to one of the roles"
}
