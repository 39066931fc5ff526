package signatures

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"github.com/extwatch/extwatch/manifests"
	"github.com/google/go-cmp/cmp"
)

func scriptRules(t testing.TB) *Ruleset {
	return ruleset(t, `
text: {script|contains: sendSecret(}
cased: {script|contains|cased: SPOT_Withdraw}
expression: {script|re: 'key\s*=\s*"[0-9a-f]{8}"'}
folded: {script|re|i: 'ask\d+x'}
atomless: {script|re: '[0-9]{12}'}
condition: 1 of them`, "indicators/domains.csv", domainHeader+"evil.example,c,malicious,s,\nxn--bcher-kva.example,c,malicious,s,\n")
}

func TestSearch(t *testing.T) {
	t.Parallel()
	rs := scriptRules(t)
	for _, tt := range []struct {
		file, text string
		want       string // "line:column text"
	}{
		{"a.js", "1\n  sendSecret(x)\n", "2:3 sendSecret(x)"},
		{"a.JS", "SENDSECRET(", "1:1 SENDSECRET("},
		{"a.txt", "sendSecret(", ""},
		{"worker", "sendSecret(", "1:1 sendSecret("}, // the manifest names it
		{"a.html", "<script>sendSecret(1)</script>", "1:9 <script>sendSecret(1)</script>"},
		{"a.js", "SPOT_WITHDRAW", ""},
		{"a.js", "x.SPOT_Withdraw", "1:3 x.SPOT_Withdraw"},
		{"a.js", "key = \"0123abcd\"", "1:1 key = \"0123abcd\""},
		{"a.js", "KEY = \"0123abcd\"", ""},
		{"a.js", "ASK55X", "1:1 ASK55X"},
		{"a.js", "a\u017fk55x", "1:1 aſk55x"}, // the long s folds to s: no literal can be required
		{"a.js", "id: 123456789012", "1:5 id: 123456789012"},
		{"a.js", "\xff\xfe" + utf16le("\nsendSecret("), "2:1 sendSecret("},
		{"a.js", "sendSecret(\x00\u202e\x1b[31m", `1:1 sendSecret(\x00\u202e\x1b[31m`},
	} {
		c := read(t, rs, "manifest.json", `{"manifest_version":3,"name":"x","version":"1","background":{"service_worker":"/worker"}}`, tt.file, tt.text)
		r := rs.Judge(Input{Extension: extension(nil), Contents: c})
		got := ""
		if len(r.Findings) > 0 {
			e := r.Findings[0].Evidence[0]
			got = strings.Join([]string{itoa(e.Line), ":", itoa(e.Column), " ", e.Text}, "")
		}
		if got != tt.want {
			t.Errorf("%s %q: got %q, want %q", tt.file, tt.text, got, tt.want)
		}
	}
}

func itoa(n int) string { return string(rune('0' + n)) }

func utf16le(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

func TestURLHosts(t *testing.T) {
	t.Parallel()
	rs := scriptRules(t)
	for text, want := range map[string]string{
		"fetch('https://evil.example/x')":              "evil.example",
		"new WebSocket(\"WSS://a.Evil.Example:8443\")": "a.evil.example",
		`"https:\/\/evil.example\/x"`:                  "evil.example",
		"https://good.test@evil.example/":              "evil.example",
		"https://evil.example@good.test/":              "",
		"https://evil.example.":                        "evil.example",
		"https://evil.example.test/":                   "",
		"ftp://evil.example":                           "",
		"xhttps://evil.example":                        "",
		"//evil.example":                               "",
		"https://bücher.example/":                      "xn--bcher-kva.example",
		"https://" + strings.Repeat("a", 5000):         "",
		"://":                                          "",
		// comments
		"// see https://evil.example/x\nfoo()":                       "",
		"/* https://evil.example */ foo()":                           "",
		"a = 1 // https://evil.example":                              "",
		"// x\nfetch('https://evil.example')":                        "evil.example",
		"// https://evil.example\nfetch('https://evil.example')":     "evil.example",
		"u = 'http://x.test' // https://evil.example":                "",
		"u = \"//\" + \"https://evil.example\"":                      "evil.example",
		"u = '/*' ; fetch('https://evil.example') ; v = '*/'":        "evil.example",
		"r = /[/*]/; fetch('https://evil.example') /* */":            "evil.example",
		"r = /'/; fetch('https://evil.example') // '":                "evil.example",
		"return /\"/.test(x) || fetch('https://evil.example') //\"":  "evil.example",
		"a = (b) / 2; // https://evil.example":                       "",
		"t = `${ `//` + 'x' } https://evil.example`":                 "evil.example",
		"t = `//${a}`; // https://evil.example":                      "",
		"t = `a${ {b: `}`} }//`; fetch('https://evil.example')":      "evil.example",
		"/* open: https://evil.example":                              "evil.example",
		"x = 'open //\nfetch(\"https://evil.example\")":              "evil.example",
		"// x\u2028fetch('https://evil.example')":                    "evil.example",
		"case 1: // https://evil.example":                            "",
		"x(a ?b :c)\n//\thttps://evil.example\r\n":                   "",
		strings.Repeat("=/[", 300_000) + "'https://evil.example'":    "evil.example",
		strings.Repeat("/*", 300_000) + "'https://evil.example'":     "evil.example",
		strings.Repeat("=/[", 300_000) + "\n// https://evil.example": "evil.example", // nonsense: given up
	} {
		c := read(t, rs, "a.js", text)
		if got := strings.Join(sortedKeys(c.hosts), " "); got != want {
			t.Errorf("%s: got %q, want %q", clip(text, 60), got, want)
		}
	}
	page := read(t, rs, "a.html", "<!-- https://evil.example --><a href=https://a.evil.example>//</a>")
	if got := strings.Join(sortedKeys(page.hosts), " "); got != "a.evil.example" {
		t.Errorf("page: %q", got)
	}
}

// badFile fails while it is read.
type badFile struct{ fs.File }

func (badFile) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

type hostile struct{ fs.FS }

func (h hostile) Open(name string) (fs.File, error) {
	f, err := h.FS.Open(name)
	switch {
	case err == nil && strings.HasPrefix(name, "io"):
		return badFile{f}, nil
	case strings.HasPrefix(name, "denied"):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	case strings.HasPrefix(name, "gone"):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f, err
}

func TestReadHostile(t *testing.T) {
	t.Parallel()
	rs := scriptRules(t)
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s), Mode: 0o644} }
	many := fstest.MapFS{"sub/ok.js": file("sendSecret(")}
	for i := range 200 {
		many["denied"+strings.Repeat("x", i)+".js"] = file("x")
	}
	for _, tt := range []struct {
		name     string
		fsys     fstest.MapFS
		problems []string
		complete bool
		found    bool
	}{
		{"empty", fstest.MapFS{}, []string{"no file of the extension could be read"}, false, false},
		{"good", fstest.MapFS{"a.js": file("sendSecret("), "b.png": file("x")}, nil, true, true},
		{"manifest.json is a folder", fstest.MapFS{"manifest.json/x.js": file("sendSecret(")}, nil, true, true},
		{"manifest is broken", fstest.MapFS{"manifest.json": file("{"), "a.js": file("sendSecret(")}, nil, true, true},
		{"one bad, one good", fstest.MapFS{"io.js": file("x"), "denied.js": file("x"), "gone.js": file("x"), "z.js": file("sendSecret(")},
			[]string{"denied.js: no permission to read it", "gone.js: the file does not exist", "io.js: input/output error"}, false, true},
		{"link and pipe", fstest.MapFS{"a.js": {Data: []byte("x"), Mode: fs.ModeSymlink}, "b.js": {Mode: fs.ModeNamedPipe}, "c.js": file("x")},
			[]string{"a.js: no regular file; it was not read", "b.js: no regular file; it was not read"}, false, false},
		{"strange name", fstest.MapFS{"denied\n\u202e.js": file("x")}, []string{`denied\n\u202e.js: no permission to read it`}, false, false},
	} {
		c, err := rs.Read(t.Context(), files{FS: hostile{tt.fsys}})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, p := range c.Problems {
			if p.File == "" {
				got = append(got, p.Reason)
			} else {
				got = append(got, p.File+": "+p.Reason)
			}
		}
		if d := cmp.Diff(tt.problems, got); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
		r := rs.Judge(Input{Extension: extension(nil), Contents: c})
		if c.Complete != tt.complete || (len(r.Findings) > 0) != tt.found {
			t.Errorf("%s: complete %v, found %v", tt.name, c.Complete, r.Findings)
		}
	}
	c, err := rs.Read(t.Context(), files{FS: hostile{many}, problems: []manifests.Problem{{File: "x", Reason: "a link"}}})
	if err != nil || c.Complete || len(c.Problems) > maxContentProblems+2 || len(c.places[0])+len(c.places[1])+len(c.places[2]) == 0 {
		t.Errorf("many bad files: %v, %d problems", err, len(c.Problems))
	}
}

func TestReadBounds(t *testing.T) {
	t.Parallel()
	rs := scriptRules(t)
	small := *rs
	small.limits = readLimits{script: 100, read: 500, files: 5}
	x := strings.Repeat("x", 100)
	for _, tt := range []struct {
		texts   []string
		problem string
		found   string
	}{
		{[]string{"a.js", x, "z.js", "sendSecret("}, "", "z.js"},
		{[]string{"a.js", x + "sendSecret(", "z.js", "sendSecret("}, "larger than 100 bytes; only the beginning and the end were searched", "a.js"},
		{[]string{"a.js", strings.Repeat(x, 2), "b.js", strings.Repeat(x, 2), "z.js", "sendSecret("}, "larger than 100 bytes; only the beginning and the end were searched", "z.js"},
		{[]string{"a.js", x, "b.js", x, "c.js", x, "d.js", x, "e.js", x + x, "z.js", "sendSecret("}, "more than 500 bytes; only the beginning was read", ""},
		{[]string{"a", "", "b", "", "c", "", "d", "", "e", "", "z.js", "sendSecret("}, "more than 5 files; the rest was not read", ""},
	} {
		c := read(t, &small, tt.texts...)
		problem, found := "", ""
		if len(c.Problems) > 0 {
			problem = c.Problems[0].Reason
		}
		if r := small.Judge(Input{Extension: extension(nil), Contents: c}); len(r.Findings) > 0 {
			found = r.Findings[0].Evidence[0].File
		}
		if problem != tt.problem || found != tt.found || c.Complete != (problem == "") {
			t.Errorf("%.60q: problem %q, found %q, complete %v", tt.texts, problem, found, c.Complete)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rs.Read(ctx, inMemory("a.js", "x")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	var many strings.Builder
	for range 10_000 {
		many.WriteString("sendSecret(123456789012)\n")
	}
	c := read(t, rs, "a.js", many.String())
	for i := range c.places {
		if len(c.places[i]) > maxPlaces {
			t.Errorf("%d places kept", len(c.places[i]))
		}
	}
}

// TestUnsearched: what was not read is not called harmless when the extension can do anything.
func TestUnsearched(t *testing.T) {
	t.Parallel()
	rs := scriptRules(t)
	small := *rs
	small.limits = readLimits{script: 100, read: 2000, files: 4}
	x := strings.Repeat("x", 150)
	for _, tt := range []struct {
		name    string
		files   []string
		change  func(*manifests.Extension, *manifests.Manifest)
		verdict Verdict
		file    string
	}{
		{"large script", []string{"a.js", x}, allowed, Unreadable, "a.js"},
		{"large script, switched off", []string{"a.js", x}, func(e *manifests.Extension, m *manifests.Manifest) {
			allowed(e, m)
			e.Enabled = false
		}, Unreadable, "a.js"},
		{"large script that may do nothing", []string{"a.js", x}, nil, Clean, "a.js"},
		{"large picture", []string{"a.png", x, "b.js", "x"}, allowed, Clean, ""},
		{"no permission", []string{"denied.js", "x", "a.js", "x"}, allowed, Unreadable, "denied.js"},
		{"an image without permission", []string{"denied.png", "x", "a.js", "x"}, allowed, Clean, ""},
		{"broken", []string{"io.js", "x"}, allowed, Unreadable, "io.js"},
		{"vanished in an update", []string{"gone.js", "x", "a.js", "x"}, allowed, Clean, "gone.js"},
		{"too many files", []string{"a.png", "", "b.png", "", "c.png", "", "d.png", "", "e.js", "x"}, allowed, Unreadable, ""},
		{"too much", []string{"a.js", strings.Repeat(x, 20)}, allowed, Unreadable, "a.js"},
		{"end of a large script", []string{"a.js", x + "sendSecret("}, allowed, Suspicious, "a.js"},
		{"end of a large script in UTF-16", []string{"a.js", "\xff\xfe" + utf16le(x+"sendSecret(")}, allowed, Suspicious, "a.js"},
		{"the same, odd", []string{"a.js", "\xff\xfe" + utf16le(x+"sendSecret(") + "x"}, allowed, Suspicious, "a.js"},
		{"built in", []string{"a.js", x}, func(e *manifests.Extension, m *manifests.Manifest) {
			allowed(e, m)
			e.Origin = manifests.OriginBuiltin
		}, Clean, "a.js"},
	} {
		c, err := small.Read(t.Context(), files{FS: hostile{inMemory(tt.files...).FS}})
		if err != nil {
			t.Fatal(err)
		}
		r := small.Judge(Input{Extension: extension(tt.change), Contents: c})
		file := ""
		if len(r.Problems) > 0 {
			file = r.Problems[0].File
		}
		if r.Verdict != tt.verdict || file != tt.file {
			t.Errorf("%s: %s, %+v", tt.name, r.Verdict, r.Problems)
		}
	}
	// The reason stands first, whatever else went wrong, and refused links to scripts count.
	c, err := rs.Read(t.Context(), files{FS: inMemory("a.js", "x").FS, problems: []manifests.Problem{{File: "x.png", Reason: "a link"}, {File: "x.js", Reason: "a link"}}})
	if err != nil {
		t.Fatal(err)
	}
	r := rs.Judge(Input{Extension: extension(allowed), Contents: c})
	if r.Verdict != Unreadable || len(r.Problems) != 2 || r.Problems[0].File != "x.js" {
		t.Errorf("a link: %s, %+v", r.Verdict, r.Problems)
	}
	linked, err := rs.Read(t.Context(), files{FS: fstest.MapFS{"a.js": {Data: []byte("x"), Mode: fs.ModeSymlink}, "b.js": {Data: []byte("x")}}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Verdict{"/home/ada/x": Unreadable, "/usr/share/webext/lightbeam": Clean, "": Unreadable} {
		e := extension(allowed)
		e.Path = path
		if r := rs.Judge(Input{Extension: e, Contents: linked}); r.Verdict != want || len(r.Problems) != 1 {
			t.Errorf("a script that is a link, %q: %s, %+v", path, r.Verdict, r.Problems)
		}
	}
	long := append(bytes.Repeat([]byte("x"), 3*tailScript), "end"...)
	end, n, err := lastBytes([]byte("start"), bytes.NewReader(long))
	if err != nil || n != int64(len(long)) || len(end) != tailScript || !bytes.HasSuffix(end, []byte("xend")) {
		t.Errorf("the end: %d of %d, %v", len(end), n, err)
	}
}

func allowed(_ *manifests.Extension, m *manifests.Manifest) { m.Permissions = []string{"storage"} }

func TestShow(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a\tb\nc":                         `a b\nc`,
		"\u202eabc\u200b":                 `\u202eabc\u200b`,
		"\xffx":                           `\ufffdx`,
		strings.Repeat("ä", maxSnippet):   strings.Repeat("ä", maxSnippet),
		strings.Repeat("ä", maxSnippet+1): strings.Repeat("ä", maxSnippet-1) + "…",
	} {
		if got := show(text); got != want {
			t.Errorf("%q: got %q", text, got)
		}
	}
	if n := len([]rune(show(strings.Repeat("\x00", 1000)))); n > maxSnippet {
		t.Errorf("%d characters", n)
	}
}

// FuzzSearch holds reading a script against panics, and places against the text.
func FuzzSearch(f *testing.F) {
	rs := scriptRules(f)
	f.Add([]byte("a\nsendSecret(https:\\/\\/evil.example"))
	f.Add([]byte("\xfe\xff\x00s"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := rs.Read(t.Context(), files{FS: fstest.MapFS{"a.js": {Data: data}}})
		if err != nil {
			t.Fatal(err)
		}
		has := bytes.Contains(bytes.ToLower(decodeText(data)), []byte("sendsecret("))
		found := false
		for i, s := range rs.searches {
			found = found || s.literal == "sendSecret(" && len(c.places[i]) > 0
		}
		if has && !found && !bytes.ContainsFunc(data, func(r rune) bool { return r > 127 }) {
			t.Error("the literal was not found")
		}
	})
}

// BenchmarkRead reads one script and one picture with the built-in rules, and with ten times their texts.
func BenchmarkRead(b *testing.B) {
	line := []byte("function a(b){return fetch('https://api.service.example/v1?x='+encodeURIComponent(b)).then(c=>c.json())}\n")
	in := files{FS: fstest.MapFS{"a.js": {Data: bytes.Repeat(line, 10_000)}, "b.png": {Data: bytes.Repeat(line, 10_000)}}}
	for _, times := range []int{1, 10} {
		b.Run(fmt.Sprintf("rules=x%d", times), func(b *testing.B) {
			builtin, err := Builtin()
			if err != nil {
				b.Fatal(err)
			}
			rs := *builtin
			for i := 1; i < times; i++ {
				for _, s := range builtin.searches {
					rs.searches = append(rs.searches, other(s, i))
				}
			}
			rs.finder = newFinder(rs.searches)
			b.SetBytes(int64(2 * 10_000 * len(line)))
			for b.Loop() {
				if _, err := rs.Read(b.Context(), in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// other is a search for something else of the same kind and length: its words are shifted along the alphabet.
func other(s search, by int) search {
	shift := func(text string) string {
		return strings.Map(func(r rune) rune {
			if 'a' <= r && r <= 'z' {
				return 'a' + (r-'a'+rune(by))%26
			}
			return r
		}, asciiLower(text))
	}
	s.literal = shift(s.literal)
	if s.need != nil {
		n := *s.need
		n.texts = nil
		for _, t := range s.need.texts {
			n.texts = append(n.texts, shift(t))
		}
		s.need = &n
	}
	return s
}
