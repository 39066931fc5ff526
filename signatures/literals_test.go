package signatures

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestRequiredTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		expression    string
		want          string // texts, "" for none
		before, after int    // bytes that are not free
	}{
		{`api\.telegram\.org/bot[0-9]{8,10}:`, "api.telegram.org/bot", 0, 11},
		{`(?i)mshta(\.exe)?\s+https?:`, "mshta m\u017fhta", 1, 12},
		{`(ethereum|solana)\.(request|send)\s*=[^=]`, "ethereum.request ethereum.send solana.request solana.send", 5, 10},
		{`(?i)finger(\.exe)?\s+[a-z]+@`, "finger", 0, 5},
		{`postMessage\([^()]{1,80},\s*["']\*["']`, "postmessage(", 0, 324},
		{`keys\s*=\s*"[0-9a-f]{8}"`, "keys", 0, 11},
		{`a+bcd`, "abcd", 0, 0},
		{`(abc)+d`, "abcd", 0, 0},
		{`xy(z|w){2}`, "xyww xywz xyzw xyzz", 0, 0},
		{`(foo|bar|[0-9]+)`, "", 0, 0},
		{`(foobard|bard)`, "bard", 3, 3},
		{`[a-z]{3,}\.[a-z]+`, "", 0, 0},
		{`(?i)koss`, "koss kos\u017f ko\u017fs ko\u017f\u017f \u212aoss \u212aos\u017f \u212ao\u017fs \u212ao\u017f\u017f", 4, 4},
		{`\bconnect\b`, "connect", 0, 0},
		{`(secret)?.*`, "", 0, 0},
		{"ab\ufffdcd", "", 0, 0}, // any broken byte
		{`привет`, "привет", 0, 0},
		{`[0-9]{12}`, "", 0, 0},
		{`okx|kraken`, "kraken okx", 3, 3}, // three letters are enough
		{`(ok|kraken)=`, "kraken= ok=", 4, 4},
		{`ok|kraken`, "", 0, 0},
	} {
		parsed, err := syntax.Parse(tt.expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		got, before, after := "", 0, 0
		if n := requiredTexts(parsed); n != nil {
			got, before, after = strings.Join(n.texts, " "), n.before.bytes, n.after.bytes
		}
		if got != tt.want || before != tt.before || after != tt.after {
			t.Errorf("%s: got %q before %d after %d", tt.expression, got, before, after)
		}
	}
}

func TestAskedTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ expression, want, also string }{
		{`https?://[a-z.]*kraken\.com/[a-z]*sign`, "kraken.com/", "http://,https:// sign"}, // of an address, what is in it tells more
		{`code=[0-9]*4001`, "code=", "4001"},
		{`code\s*=\s*4001`, "4001", "code"},
		{`(12|24)\s*words|seed phrase`, "seed phrase words", "12,24,seed phrase"}, // each way asks for something
		{`words|seed phrase`, "seed phrase words", ""},
		{`(12|24)\s*words`, "words", "12,24"},
		{`(1|2)\s*words`, "words", ""},
		{`["'](get|list)_?[a-z]+ cookies`, " cookies", "\"get,\"list,'get,'list"}, // with the quote they tell more
	} {
		parsed, err := syntax.Parse(tt.expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		n := requiredTexts(parsed)
		var also []string
		for _, texts := range n.also {
			also = append(also, strings.Join(slices.Sorted(slices.Values(texts)), ","))
		}
		if got := strings.Join(n.texts, " "); got != tt.want || strings.Join(also, " ") != tt.also {
			t.Errorf("%s: got %q, and asked for %q", tt.expression, got, also)
		}
	}
}

// found runs an expression with its required texts over a script, as Read does.
func found(t testing.TB, expression string, data []byte) (got, want [][]int, filtered bool) {
	t.Helper()
	pattern, err := regexp.Compile(expression)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	s := search{expression: expression, pattern: pattern, need: requiredTexts(parsed)}
	want = pattern.FindAllIndex(data, maxPlaces)
	rs := &Ruleset{searches: []search{s}, finder: newFinder([]search{s})}
	sc := &scan{rs: rs, ends: make([][]int32, 1), counts: make([]int, 1)}
	sc.literals(data, &fileFacts{})
	slices.Sort(sc.ends[0])
	if s.need != nil && len(sc.ends[0]) == 0 {
		return nil, want, true
	}
	return s.find(data, sc.ends[0], maxPlaces), want, s.need != nil
}

// TestEquivalence holds that looking for texts first changes no match, for expressions and scripts made of the same
// few pieces, which therefore match often, and often nearly.
func TestEquivalence(t *testing.T) {
	t.Parallel()
	pieces := []string{"abca", "bca", "key", "KEY", "as", "\u017f", "\u212a", "\u00e9", "\xe2", "\x82", "\ufffd", " ", "\n", "=", "x", "aab", "12", "24", "http://", "code"}
	atom := rapid.SampledFrom([]string{"abca", "bcab", "keys", "ask", "k", "x", "=", "é", `\s`, `\b`, `\B`, "^", "$", ".", "[a-c]", `[^=]`, `\w`, "\ufffd", "[xy]", "(?s:.)", "(?m:^)", "(?m:$)", "(?:12|24)", "https?://", "code"})
	repeat := rapid.SampledFrom([]string{"", "", "", "", "+", "*", "?", "{2}", "{1,3}", "{2,}", "+?", "{0,4}"})
	var expression func(depth int) *rapid.Generator[string]
	expression = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			var b strings.Builder
			for range rapid.IntRange(1, 4).Draw(t, "parts") {
				part := atom.Draw(t, "atom")
				if depth > 0 && rapid.IntRange(0, 3).Draw(t, "group") == 0 {
					part = expression(depth-1).Draw(t, "left") + "|" + expression(depth-1).Draw(t, "right")
				}
				fmt.Fprintf(&b, "(?:%s)%s", part, repeat.Draw(t, "repeat"))
			}
			return b.String()
		})
	}
	filtered, matched := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		e := rapid.SampledFrom([]string{"", "(?i)"}).Draw(r, "fold") + expression(2).Draw(r, "expression")
		data := []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 60).Draw(r, "script"), ""))
		got, want, by := found(t, e, data)
		if by {
			filtered++
		}
		if by && len(want) > 0 {
			matched++
		}
		if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
			r.Fatalf("%q in %q (-whole +around texts)\n%s", e, data, diff)
		}
	})
	t.Logf("%d expressions with texts, of them %d with matches", filtered, matched)
}

// FuzzFind is TestEquivalence for any expression.
func FuzzFind(f *testing.F) {
	f.Add(`(?i)curl\s.{0,20}\|\s*(ba|z)?sh\b`, []byte("curl x |bash; CURL -s |\n sh"))
	f.Add(`\bkey\s*=`, []byte("monkey = 1; key = 2"))
	f.Fuzz(func(t *testing.T, expression string, data []byte) {
		parsed, err := syntax.Parse(expression, syntax.Perl)
		if err != nil || len(expression) > 60 {
			return
		}
		if p, err := syntax.Compile(parsed.Simplify()); err != nil || len(p.Inst) > 500 || regexp.MustCompile(expression).MatchString("") {
			return
		}
		got, want, _ := found(t, expression, data)
		if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
			t.Errorf("%q in %q (-whole +around texts)\n%s", expression, data, diff)
		}
	})
}

// TestFindDense holds the bounds: a script made of the text that is looked for costs one pass, not one for each.
func TestFindDense(t *testing.T) {
	t.Parallel()
	for _, tail := range []string{"", "keys=", "="} {
		data := append(bytes.Repeat([]byte("keys "), 20_000), tail...)
		got, want, filtered := found(t, `keys[a-z ]*=`, data)
		if !filtered {
			t.Error("not filtered")
		}
		if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
			t.Errorf("%q: %s", tail, diff)
		}
	}
}
