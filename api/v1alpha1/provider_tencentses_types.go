package v1alpha1

// TencentSESProvider holds the settings of a callback address of Tencent Cloud SES. It has none: Tencent documents no signature, so
// spec.authentication must set a factor, such as pathToken.
type TencentSESProvider struct{}
