package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
	"github.com/mailvane/mailvane/internal/admission"
)

// loadDefaults reads the receiver defaults: a file with the fields of spec.receiver of a WebhookEndpoint, in YAML. The file must
// keep to the rules of that field, and gets its defaults. Without a file, nothing is set.
func loadDefaults(ctx context.Context, file string) (v1alpha1.Receiver, error) {
	if file == "" {
		return v1alpha1.Receiver{}, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return v1alpha1.Receiver{}, fmt.Errorf("read receiver defaults: %w", err)
	}
	defaults, err := parseDefaults(ctx, text)
	if err != nil {
		return v1alpha1.Receiver{}, fmt.Errorf("receiver defaults %s: %w", file, err)
	}
	return defaults, nil
}

func parseDefaults(ctx context.Context, text []byte) (v1alpha1.Receiver, error) {
	var defaults v1alpha1.Receiver
	document, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return defaults, fmt.Errorf("decode: %w", err)
	}
	var fields map[string]any
	if err := utiljson.Unmarshal(document, &fields); err != nil {
		return defaults, fmt.Errorf("it does not hold the fields of spec.receiver: %w", err)
	}
	if fields == nil {
		fields = map[string]any{}
	}
	if err := admit(ctx, fields); err != nil {
		return defaults, err
	}
	if document, err = json.Marshal(fields); err != nil {
		return defaults, fmt.Errorf("encode: %w", err)
	}
	if err := json.Unmarshal(document, &defaults); err != nil {
		return defaults, fmt.Errorf("decode: %w", err)
	}
	return defaults, nil
}

// admit has the rules of spec.receiver judge the fields, and fills in their defaults: what holds for the receiver of an endpoint
// holds here.
func admit(ctx context.Context, fields map[string]any) error {
	rules, err := admission.New()
	if err != nil {
		return fmt.Errorf("prepare rules: %w", err)
	}
	endpoint := map[string]any{
		"apiVersion": v1alpha1.GroupVersion().String(), "kind": v1alpha1.WebhookEndpointKind,
		"metadata": map[string]any{"name": "defaults", "namespace": "defaults"},
		"spec": map[string]any{
			"provider": map[string]any{"type": string(v1alpha1.EmailEngine), "emailEngine": map[string]any{
				"serviceSecretRefs": []any{map[string]any{"name": "any", "key": "any"}},
			}},
			"routes":   []any{map[string]any{"name": "any", "sinkRef": map[string]any{"name": "any"}}},
			"receiver": fields,
		},
	}
	review := rules.Create(ctx, v1alpha1.GroupVersion().WithKind(v1alpha1.WebhookEndpointKind), endpoint)
	if len(review.Unknown) > 0 {
		return fmt.Errorf("unknown field %s", strings.ReplaceAll(strings.Join(review.Unknown, ", "), "spec.receiver.", ""))
	}
	if len(review.Errors) > 0 {
		return fmt.Errorf("%s", strings.ReplaceAll(review.Errors.ToAggregate().Error(), "spec.receiver.", ""))
	}
	return nil
}

// loadNetwork reads the parts of the receivers' NetworkPolicies that the installation decides on. Without a file a part is empty.
func loadNetwork(s *settings, o *children.Options) error {
	if err := loadList(s.metricsFrom, "NetworkPolicy peers", &o.MetricsFrom); err != nil {
		return fmt.Errorf("--receiver-metrics-from: %w", err)
	}
	if err := loadList(s.egress, "egress rules of a NetworkPolicy", &o.Egress); err != nil {
		return fmt.Errorf("--receiver-egress: %w", err)
	}
	return nil
}

// loadList reads a list in YAML.
func loadList[T any](file, what string, into *[]T) error {
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		return fmt.Errorf("%s does not hold a list of %s: %w", file, what, err)
	}
	return nil
}
