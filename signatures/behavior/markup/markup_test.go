package markup

import "testing"

func FuzzParse(f *testing.F) {
	for _, s := range []string{`<script>a</script>`, `<script src=a.js>`, `<b onclick=x>`, `<iframe srcdoc="<script>a</script>">`, `<!--<script>-->`,
		`<script><!--</script>--></script>`, `<a href=javascript:a>`, `<svg><script href=x />`, `<base href="/a/">`, "<script>\x00",
		`<label for=a>Seed phrase</label><textarea id=a>`, `<input id=b placeholder=code><label for=b>Code</label>`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p := Parse(text)
		for _, s := range p.Parts {
			if s.Offset < 0 || s.Offset > len(text) {
				t.Fatalf("a part at %d of %d", s.Offset, len(text))
			}
		}
		for _, f := range p.Fields {
			f.Selects("form #a .b[name=c]")
		}
	})
}
