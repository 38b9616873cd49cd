package event

// The SMTP reply codes that exist, both included (RFC 5321 section 4.2).
const (
	MinSMTPCode = 200
	MaxSMTPCode = 599
)

// RejectReasons returns every reject reason.
func RejectReasons() []string {
	reasons := []RejectReason{
		SuppressedBounce, SuppressedComplaint, UnsubscribedAddress, InvalidAddress,
		UnverifiedAddress, PolicyViolation, NoConsent, OtherReason,
	}
	names := make([]string, 0, len(reasons))
	for _, r := range reasons {
		names = append(names, string(r))
	}
	return names
}
