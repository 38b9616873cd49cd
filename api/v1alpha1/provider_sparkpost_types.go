package v1alpha1

// SparkPostProvider holds the settings of a SparkPost webhook. It has none: SparkPost signs nothing, so spec.authentication must set a
// factor, such as basic or header, which SparkPost sends when a webhook is told to.
type SparkPostProvider struct{}
