package controllers

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/receiver"
	"github.com/mailvane/mailvane/controllers/receiver/exposure"
	"github.com/mailvane/mailvane/controllers/registration/upkeep"
	"github.com/mailvane/mailvane/controllers/render"
)

// addIndexes makes the cache find objects by what they refer to.
func addIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &v1alpha1.WebhookEndpoint{}, receiver.SecretIndex, func(o client.Object) []string {
		if endpoint, ok := o.(*v1alpha1.WebhookEndpoint); ok {
			return render.EndpointSecrets(endpoint)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("index endpoints by Secret: %w", err)
	}
	err = indexer.IndexField(ctx, &v1alpha1.WebhookEndpoint{}, exposure.URLIndex, func(o client.Object) []string {
		if endpoint, ok := o.(*v1alpha1.WebhookEndpoint); ok && endpoint.Spec.Exposure != nil {
			return []string{exposure.At(endpoint)}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("index endpoints by URL: %w", err)
	}
	err = indexer.IndexField(ctx, &v1alpha1.WebhookEndpoint{}, upkeep.SecretIndex, func(o client.Object) []string {
		if endpoint, ok := o.(*v1alpha1.WebhookEndpoint); ok {
			return render.RegistrationSecrets(endpoint)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("index endpoints by Secret of their registration: %w", err)
	}
	err = indexer.IndexField(ctx, &v1alpha1.EventSink{}, receiver.SecretIndex, func(o client.Object) []string {
		if sink, ok := o.(*v1alpha1.EventSink); ok {
			return render.SinkSecrets(sink)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("index sinks by Secret: %w", err)
	}
	return nil
}
