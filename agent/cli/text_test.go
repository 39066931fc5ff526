package cli

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

func TestClean(t *testing.T) {
	for _, tt := range []struct {
		in    string
		limit int
		want  string
	}{
		{"MetaMask", 60, "MetaMask"},
		{"Meta\u202eksaM", 60, "Meta<U+202E>ksaM"},
		{"Meta\u200bMask", 60, "Meta<U+200B>Mask"},
		{"a\x1b[31mred", 60, "a<U+001B>[31mred"},
		{"two\nlines\r\x00", 60, "two<U+000A>lines<U+000D><U+0000>"},
		{"nb\u00a0sp\u3164", 60, "nb<U+00A0>sp<U+3164>"},
		{"交易助手", 60, "交易助手"},
		{"交易助手", 5, "交易…"},
		{"Привет, café", 60, "Привет, café"},
		{"\xff\xfe", 60, "\ufffd\ufffd"},
		{"e" + strings.Repeat("\u0301", 6), 60, "e" + strings.Repeat("\u0301", 4) + "<U+0301><U+0301>"},
		{"\U000e0041tag", 60, "<U+E0041>tag"},
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abcde…"},
		{"", 6, ""},
	} {
		if got := clean(tt.in, tt.limit); got != tt.want {
			t.Errorf("clean(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"a", "\x1b]0;x\a", "\u202e\u2066", strings.Repeat("\u0301", 99), "\xff", "交\U0001F468\u200d\U0001F469"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s, 20)
		if cells(got) > 20 {
			t.Errorf("%q has %d cells", got, cells(got))
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				t.Errorf("clean(%q) = %q holds %U", s, got, r)
			}
		}
	})
}

func TestWrap(t *testing.T) {
	text := "one two three four five six seven eight nine ten https://www.example.test/a/very/long/address/that/stays/whole eleven"
	want := []string{
		" - one two three four five six seven",
		"   eight nine ten",
		"   https://www.example.test/a/very/long/address/that/stays/whole",
		"   eleven",
	}
	if diff := cmp.Diff(want, wrap(text, " - ", "   ", 40)); diff != "" {
		t.Errorf("wrap (-want +got):\n%s", diff)
	}
}

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{{"ab", 4, "ab  "}, {"abcdef", 4, "abc…"}, {"交易助手", 5, "交易…"}, {"交易助手", 6, "交易… "}, {"", 2, "  "}} {
		if got := fit(tt.in, tt.n); got != tt.want {
			t.Errorf("fit(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "just now", time.Second: "just now", 3 * time.Second: "3 seconds ago", time.Minute: "1 minute ago",
		90 * time.Minute: "1 hour ago", 47 * time.Hour: "47 hours ago", 72 * time.Hour: "3 days ago", 100 * 24 * time.Hour: "on 21 November 2025",
	} {
		if got := ago(noon.Add(-d), noon); got != want {
			t.Errorf("ago(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestBrief(t *testing.T) {
	long := strings.Repeat("x", 150) + "."
	for in, want := range map[string]string{
		"": "", "One.": "One.", "One. Two.": "One. Two.", "One. Two. Three": "One. Two. Three",
		long + " " + long: long, "One. " + long + " " + long: "One. " + long, long + long: long + long,
	} {
		if got := brief(in); got != want {
			t.Errorf("brief(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	if got := []string{count(0, "rule"), count(1, "rule"), count(2, "rule"), count(2, "entry")}; !cmp.Equal(got, []string{"0 rules", "1 rule", "2 rules", "2 entries"}) {
		t.Error(got)
	}
}
