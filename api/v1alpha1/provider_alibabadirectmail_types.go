package v1alpha1

// AlibabaDirectMailProvider holds the settings of an HTTP target of EventBridge that takes the events of Alibaba Cloud DirectMail. It has none:
// the signature of EventBridge is not checked, so spec.authentication must set a factor, such as pathToken.
type AlibabaDirectMailProvider struct{}
