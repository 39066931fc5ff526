package inventory

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
)

// TestSigned: the store's signature proves an add-on's ID whichever way it came; that it came from the store is another
// matter.
func TestSigned(t *testing.T) {
	t.Parallel()
	const store, file = "https://addons.mozilla.org/x.xpi", "file:///home/ada/x.xpi"
	for _, tt := range []struct {
		state, source     string
		signed, fromStore bool
		origin            manifests.Origin
	}{
		{"2", store, true, true, manifests.OriginStore},
		{"2", file, true, false, manifests.OriginUnknown},
		{"4", file, true, false, manifests.OriginUnknown},
		{"3", file, true, false, manifests.OriginUnknown},
		{"1", store, false, false, manifests.OriginUnknown},
		{"0", store, false, false, manifests.OriginUnknown},
		{"-1", store, false, false, manifests.OriginUnknown},
		{"-2", store, false, false, manifests.OriginUnknown},
		{"null", store, false, false, manifests.OriginUnknown},
		{`"2"`, store, false, false, manifests.OriginUnknown},
		{"2.5", store, false, false, manifests.OriginUnknown},
		{"1e300", store, false, false, manifests.OriginUnknown},
	} {
		p := profileIn(newHome(t), browsers.Gecko)
		put(t, filepath.Join(p.Dir, "extensions.json"), fmt.Sprintf(
			`{"addons":[{"id":"a@b.example","type":"extension","location":"app-profile","active":true,"version":"1","signedState":%s,"sourceURI":%q}]}`, tt.state, tt.source))
		l := read(t, NewReader(Config{}), p)
		if len(l.Extensions) != 1 {
			t.Fatalf("%s: %d add-ons, problems %v", tt.state, len(l.Extensions), l.Problems)
		}
		if e := l.Extensions[0]; e.Signed != tt.signed || e.FromStore != tt.fromStore || e.Origin != tt.origin {
			t.Errorf("%s from %s: signed %v, from store %v, origin %s", tt.state, tt.source, e.Signed, e.FromStore, e.Origin)
		}
	}
}
