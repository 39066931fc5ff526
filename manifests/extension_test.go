package manifests

import "testing"

func TestExtensionNameAndVersion(t *testing.T) {
	tests := []struct {
		extension     Extension
		name, version string
	}{
		{Extension{ID: testKeyID}, testKeyID, ""},
		{Extension{ID: testKeyID, Manifest: &Manifest{Version: "1"}}, testKeyID, "1"},
		{Extension{ID: testKeyID, Manifest: &Manifest{Name: "n", Version: "1"}}, "n", "1"},
	}
	for _, tt := range tests {
		if tt.extension.Name() != tt.name || tt.extension.Version() != tt.version {
			t.Errorf("%q %q, want %q %q", tt.extension.Name(), tt.extension.Version(), tt.name, tt.version)
		}
	}
}
