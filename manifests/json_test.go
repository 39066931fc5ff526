package manifests

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
)

// Every row was tried on Chromium 156.0.8078.79, Linux, as a part of a manifest loaded with Extensions.loadUnpacked.
var accepted = []struct {
	name, in, want string // want "" means unchanged
}{
	{"plain", `{"a":1,"b":[true,false,null,"x",{}],"c":[]}`, ""},
	{"white space", " \t\r\n{ \"a\" :\t1 , \"b\" : [ ] }\n", ""},
	{"byte order mark", "\uFEFF{}", `{}`},
	{"byte order mark and comment", "\uFEFF//x\n{}", "   \n{}"},
	{"line comment first", "// x\n{}", "    \n{}"},
	{"line comment last", "{}// x", "{}    "},
	{"block comment first", "/* x */{}", "       {}"},
	{"block comment last", "{}/* x */", "{}       "},
	{"comments everywhere", `/**/{/*a*/"a"/*b*/:/*c*/3/*d*/,//e` + "\n" + `"b":[/*f*/1/*g*/]/***/}`,
		`    {     "a"     :     3     ,   ` + "\n" + `"b":[     1     ]     }`},
	{"comment that closes with its opening star", "/*/{}/*/", "   {}   "},
	{"comment keeps its lines", "/*\na\n*/{}", "  \n \n  {}"},
	{"comment with NUL", "/*\x00*/{}", "     {}"},
	{"comment that is not UTF-8", "/*\xff*///\xff\n{}", "        \n{}"},
	{"comment after a number", `[12/**/]`, `[12    ]`},
	{"slashes in a string", `["http://x/*y*/"]`, ""},
	{"hex escape", `["\x41\xe9"]`, `["\u0041\u00e9"]`},
	{"hex escape of a control character", `["\x00\x0a\x80"]`, `["\u0000\u000a\u0080"]`},
	{"raw line feed", "[\"a\nb\"]", `["a\nb"]`},
	{"raw carriage return", "[\"a\rb\r\n\"]", `["a\rb\r\n"]`},
	{"raw line feed in a key", "{\"a\nb\":1}", `{"a\nb":1}`},
	{"raw line separator and DEL", "[\"a\u2028\x7f\"]", ""},
	{"escapes", `["\"\\\/\b\f\n\r\t\u0000\uABcd"]`, ""},
	{"surrogate pair", `["\ud83d\ude00\udbff\udfff"]`, ""},
	{"noncharacters", "[\"\uffff\ufdd0\U0010ffff\\uffff\\ufdd0\"]", ""},
	{"duplicate keys", `{"a":1,"a":2}`, ""},
	{"empty key", `{"":1}`, ""},
	{"numbers", `[0,-0,1.5,-2e10,0e1,1E+2,1e-999,123456789012345678901234567890]`, ""},
	{"199 containers", strings.Repeat("[", 199) + strings.Repeat("]", 199), ""},
	{"scalar", `"x"`, ""},
}

func TestStandardizeAccepts(t *testing.T) {
	for _, tt := range accepted {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Standardize([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if want == "" {
				want = tt.in
			}
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !json.Valid(got) {
				t.Errorf("not standard JSON: %q", got)
			}
		})
	}
}

func TestStandardizeDoesNotCopyPlainText(t *testing.T) {
	for _, in := range []string{`{"a":["b",1]}`, "\uFEFF{}"} {
		data := []byte(in)
		got, err := Standardize(data)
		if err != nil {
			t.Fatal(err)
		}
		if &got[len(got)-1] != &data[len(data)-1] {
			t.Errorf("%q was copied", in)
		}
	}
}

var rejected = []struct {
	name, in     string
	line, column int
	reason       string
}{
	{"empty", "", 1, 1, "the text ends where a value should stand"},
	{"only a comment", "//x", 1, 4, "the text ends where a value should stand"},
	{"UTF-16", "\xff\xfe{\x00}\x00", 1, 1, "found '\uFFFD' where a value should stand"},
	{"two byte order marks", "\uFEFF\uFEFF{}", 1, 2, `found '\ufeff' where a value should stand`},
	{"byte order mark at the end", "{}\uFEFF", 1, 3, "there is more text after the end of the value"},
	{"no-break space", "\u00A0{}", 1, 1, `found '\u00a0' where a value should stand`},
	{"form feed", "\f{}", 1, 1, `found '\f' where a value should stand`},
	{"NUL at the end", "{}\x00", 1, 3, "there is more text after the end of the value"},
	{"two values", "{}\n{}", 2, 1, "there is more text after the end of the value"},
	{"trailing comma in an object", "{\n \"é\":1, }", 2, 7, "there is a comma after the last entry"},
	{"trailing comma in a list", "[1,]", 1, 3, "there is a comma after the last entry"},
	{"trailing comma at the end", "{},", 1, 3, "there is more text after the end of the value"},
	{"leading comma", "[,1]", 1, 2, "found ',' where a value should stand"},
	{"no comma", "[1 2]", 1, 4, "found '2' where a comma or ] should stand"},
	{"comment inside a number", "[1/**/2]", 1, 7, "found '2' where a comma or ] should stand"},
	{"no colon", `{"a" 1}`, 1, 6, "found '1' where a colon should stand"},
	{"bare key", `{a:1}`, 1, 2, "found 'a' where a key in double quotes should stand"},
	{"single quotes", `{'a':1}`, 1, 2, `found '\'' where a key in double quotes should stand`},
	{"wrong bracket", `[1}`, 1, 3, "found '}' where a comma or ] should stand"},
	{"open object", `{"a":1`, 1, 7, "the text ends where a comma or } should stand"},
	{"open comment", "{}/* ", 1, 3, "this comment is never closed"},
	{"line comment does not end at a carriage return", "//x\r{}", 1, 7, "the text ends where a value should stand"},
	{"lone slash", "{}/", 1, 3, "found '/' where a value or a comment should stand"},
	{"hash comment", "# x\n{}", 1, 1, "found '#' where a value should stand"},
	{"open string", `["a`, 1, 2, "this string is never closed"},
	{"string that ends in a backslash", `["a\`, 1, 4, "the text ends inside a string"},
	{"raw tab", "[\"a\tb\"]", 1, 4, "control character U+0009 inside a string"},
	{"raw NUL", "[\"\x00\"]", 1, 3, "control character U+0000 inside a string"},
	{"vertical tab escape", `["\v"]`, 1, 3, "unknown escape in a string"},
	{"quote escape", `["\'"]`, 1, 3, "unknown escape in a string"},
	{"upper-case hex escape", `["\X41"]`, 1, 3, "unknown escape in a string"},
	{"short hex escape", `["\x4"]`, 1, 3, `\x needs two hex digits`},
	{"short Unicode escape", `["\u123"]`, 1, 3, `\u needs four hex digits`},
	{"lone high surrogate", `["\ud83d"]`, 1, 3, "half of a surrogate pair without the other half"},
	{"lone low surrogate", `["\ude00"]`, 1, 3, "half of a surrogate pair without the other half"},
	{"two high surrogates", `["\ud83d\ud83d"]`, 1, 3, "half of a surrogate pair without the other half"},
	{"surrogate as UTF-8", "[\"\xed\xa0\x80\"]", 1, 3, "byte 0xED is not valid UTF-8"},
	{"overlong UTF-8", "[\"\xc0\x80\"]", 1, 3, "byte 0xC0 is not valid UTF-8"},
	{"Latin-1", "[\"caf\xe9\"]", 1, 6, "byte 0xE9 is not valid UTF-8"},
	{"leading zero", `[01]`, 1, 2, "this is not a valid number"},
	{"number ends in a dot", `[1.]`, 1, 2, "this is not a valid number"},
	{"number begins with a dot", `[.5]`, 1, 2, "found '.' where a value should stand"},
	{"number without exponent", `[1e]`, 1, 2, "this is not a valid number"},
	{"plus", `[+1]`, 1, 2, "found '+' where a value should stand"},
	{"minus", `[-]`, 1, 2, "this is not a valid number"},
	{"NaN", `[NaN]`, 1, 2, "found 'N' where a value should stand"},
	{"too large", `[1e309]`, 1, 2, "this number is too large"},
	{"too many digits", "[" + strings.Repeat("9", 400) + "]", 1, 2, "this number is too large"},
	{"Python's True", `[True]`, 1, 2, "found 'T' where a value should stand"},
	{"cut literal", `[tru]`, 1, 2, "found 't' where a value should stand"},
	{"long literal", `[truex]`, 1, 6, "found 'x' where a comma or ] should stand"},
	{"200 containers", strings.Repeat("[", 200) + strings.Repeat("]", 200), 1, 200, "objects and arrays are nested deeper than browsers allow (199)"},
	{"a million containers", strings.Repeat(`{"":`, 1_000_000), 1, 797, "objects and arrays are nested deeper than browsers allow (199)"},
}

func TestStandardizeRejects(t *testing.T) {
	for _, tt := range rejected {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Standardize([]byte(tt.in))
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("got %q, error %v", got, err)
			}
			want := &SyntaxError{Offset: syntax.Offset, Line: tt.line, Column: tt.column, Reason: tt.reason}
			if diff := cmp.Diff(want, syntax); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Eight bytes are read at a time: every special byte is put at every place of a word.
func TestStandardizeStringBorders(t *testing.T) {
	for n := range 20 {
		for b := range 256 {
			text := `["` + strings.Repeat("a", n) + string([]byte{byte(b)}) + strings.Repeat("\u00e9b", n) + `"]`
			got, err := Standardize([]byte(text))
			switch {
			case b == '\n' || b == '\r':
				if err != nil || !json.Valid(got) {
					t.Errorf("%q: %q, %v", text, got, err)
				}
			case b >= 0x80 || b < 0x20 || b == '\\' || b == '"' && n > 0:
				if err == nil {
					t.Errorf("%q accepted as %q", text, got)
				}
			case err != nil && b != '"':
				t.Errorf("%q: %v", text, err)
			}
		}
	}
}

func TestObject(t *testing.T) {
	members := Object(gjson.Parse(`{"a":1,"b":[2],"a":{"c":3},"\u0062":4,"A":5,"x.y":6}`))
	got := map[string]string{}
	for key, value := range members {
		got[key] = value.Raw
	}
	want := map[string]string{"a": `{"c":3}`, "b": "4", "A": "5", "x.y": "6"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, text := range []string{`[1]`, `"x"`, `1`, `null`, ``} {
		if Object(gjson.Parse(text)) != nil {
			t.Errorf("Object(%s) is not nil", text)
		}
	}
}

func TestDuplicateKeys(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{`{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}`, nil},
		{`{"permissions":[],"permissions":[]}`, []string{"permissions"}},
		{`{"permissions":[],"permi\u0073sions":[],"permissions":1}`, []string{"permissions"}},
		{`{"background":{"scripts":[],"scripts":["}"]}}`, []string{"background.scripts"}},
		{`{"a":[[],{"b":{"c\"":1,"c\"":2}}]}`, []string{`a[1].b.c"`}},
		{`[{"a":"a","b":"a","b":"b"}]`, []string{"[0].b"}},
		{`"a"`, nil},
	}
	for _, tt := range tests {
		got, complete := duplicateKeys([]byte(tt.text))
		if diff := cmp.Diff(tt.want, got); diff != "" || !complete {
			t.Errorf("%s: complete %v (-want +got):\n%s", tt.text, complete, diff)
		}
	}
	var many strings.Builder
	for i := range maxTrackedKeys + 1 {
		fmt.Fprintf(&many, `,"%d":0`, i)
	}
	if _, complete := duplicateKeys([]byte("{" + many.String()[1:] + "}")); complete {
		t.Error("more keys than are tracked, and yet complete")
	}
}

func FuzzStandardize(f *testing.F) {
	for _, tt := range accepted {
		f.Add([]byte(tt.in))
	}
	for _, tt := range rejected {
		f.Add([]byte(tt.in[:min(len(tt.in), 1000)]))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		out, err := Standardize(data)
		if !bytes.Equal(before, data) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			if valid := json.Valid(data); valid && !strings.Contains(err.Error(), "nested deeper") &&
				!strings.Contains(err.Error(), "too large") && !strings.Contains(err.Error(), "surrogate") &&
				!strings.Contains(err.Error(), "UTF-8") {
				t.Fatalf("standard JSON refused: %v", err)
			}
			return
		}
		if !json.Valid(out) {
			t.Fatalf("%q became %q, which is not JSON", data, out)
		}
		again, err := Standardize(out)
		if err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%q became %q, then %q, %v", data, out, again, err)
		}
		duplicateKeys(out)
		Object(gjson.ParseBytes(out))
	})
}

// preferences is like what a browser writes: nested objects, short keys, some long strings.
func preferences(size int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"extensions":{"settings":{`)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"abcdefghijklmnopabcdefghijkl%04d":{"active_permissions":{"api":["cookies","storage","tabs"],`+
			`"explicit_host":["https://*.example.com/*"],"manifest_permissions":[],"scriptable_host":[]},"creation_flags":1,`+
			`"first_install_time":"13400000000000000","from_webstore":true,"location":1,"path":"abcdefgh/1.0_0",`+
			`"manifest":{"description":"%s","manifest_version":3,"name":"n"}}`, i, strings.Repeat("Some words. ", 10))
	}
	b.WriteString(`}}}`)
	return b.Bytes()
}

func BenchmarkStandardize(b *testing.B) {
	plain := preferences(4 << 20)
	for name, data := range map[string][]byte{
		"plain":    plain,
		"cyrillic": bytes.ReplaceAll(plain, []byte("Some words. "), []byte("Немного слов. ")),
		"comment":  append([]byte("// x\n"), plain...),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Standardize(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
