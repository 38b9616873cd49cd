// Package settings reads the settings of an endpoint of Tencent SES, which has none.
package settings

import "github.com/mailvane/mailvane/receiver/settings"

// Parse refuses what is none of the settings.
func Parse(data []byte) (Settings, error) {
	var s Settings
	return s, settings.Decode(data, &s)
}
