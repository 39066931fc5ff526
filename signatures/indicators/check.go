package indicators

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/extwatch/extwatch/manifests"
	"golang.org/x/net/publicsuffix"
)

// geckoForm is what Firefox accepts: a GUID in braces, or something like an e-mail address.
var geckoForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\{[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\}|[A-Za-z0-9._-]*@[A-Za-z0-9._-]+)$`)
})

// The other forms are told without regular expressions: every row is checked whenever the program starts.

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

// isSlug reports whether text is words of lower case letters and digits with one "-" or "." between.
func isSlug(text string) bool { return joined(text, lower+digits, "-.") }

// isBrowsers: "chrome", "chrome edge". Told to people, not compared: an ID belongs to one store anyway.
func isBrowsers(text string) bool { return joined(text, lower, " ") }

// joined reports whether text is words of these letters with one of these separators between.
func joined(text, letters, between string) bool {
	apart := true // at the beginning, or after a separator
	for i := range len(text) {
		switch c := text[i]; {
		case strings.IndexByte(letters, c) >= 0:
			apart = false
		case apart || strings.IndexByte(between, c) < 0:
			return false
		default:
			apart = true
		}
	}
	return !apart
}

// isVersion reports whether text may be one exact version.
func isVersion(text string) bool {
	return text != "" && strings.IndexByte("._+-", text[0]) < 0 && !strings.Contains(text, "..") &&
		strings.Trim(text, lower+digits+"ABCDEFGHIJKLMNOPQRSTUVWXYZ._+-") == ""
}

// isDomain reports whether text is a host name of at least two labels, the last of which begins with a letter.
func isDomain(text string) bool {
	if len(text) > maxDomain || strings.Trim(text, lower+digits+"-.") != "" {
		return false
	}
	labels, last := 0, ""
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		labels++
		last = label
	}
	return labels > 1 && len(last) > 1 && strings.IndexByte(lower, last[0]) >= 0
}

const (
	maxSlug   = 64  // characters of a campaign, as of the name of a rule
	maxDomain = 253 // characters of a domain name (RFC 1035)
	maxGecko  = 80  // characters of a Firefox add-on ID that Mozilla's store takes
)

// IsGecko reports whether id has the form of a Firefox add-on ID: a GUID in braces, or like an e-mail address.
func IsGecko(id string) bool { return len(id) <= maxText && geckoForm().MatchString(id) }

// CheckDomain refuses what is no host name in ASCII lower case, and names that many owners share.
func CheckDomain(name string) error {
	if !isDomain(name) {
		return fmt.Errorf("%q is no domain name in lower case", clip(name))
	}
	if suffix, _ := publicsuffix.PublicSuffix(name); suffix == name {
		return fmt.Errorf("%q is shared by many owners", name)
	}
	return nil
}

// Check says what is wrong with a row, nil when nothing is.
func (r *Row) Check(kind Kind) error {
	switch {
	case !isSlug(r.Campaign) || len(r.Campaign) > maxSlug:
		return fmt.Errorf("campaign %q is no slug", clip(r.Campaign))
	case !slices.Contains([]string{"malicious", "suspicious", "capable", Retracted}, r.Verdict):
		return fmt.Errorf("verdict %q is not malicious, suspicious, capable or retracted", clip(r.Verdict))
	case r.Source == "":
		return errors.New("no source")
	case max(len(r.Source), len(r.Note), len(r.Browser), len(joinVersions(r.Versions)), len(joinWords(r.Tags))) > maxText:
		return fmt.Errorf("a text is longer than %d bytes", maxText)
	case !utf8.ValidString(r.Source + r.Note):
		return errors.New("a text is not UTF-8")
	}
	if r.Date != "" {
		if _, err := time.Parse(time.DateOnly, r.Date); err != nil {
			return fmt.Errorf("date %q is not like 2026-01-31", clip(r.Date))
		}
	}
	for _, tag := range r.Tags {
		if !isSlug(tag) {
			return fmt.Errorf("tag %q is no word in lower case", clip(tag))
		}
	}
	return r.checkValue(kind)
}

func (r *Row) checkValue(kind Kind) error {
	switch kind {
	case ID:
		return r.checkID()
	case SHA256:
		if len(r.Value) != 64 || strings.Trim(r.Value, "0123456789abcdef") != "" {
			return fmt.Errorf("%q is no SHA-256 in lower case", clip(r.Value))
		}
		return nil
	case Domain:
		return CheckDomain(r.Value)
	}
	return fmt.Errorf("no %v", kind)
}

func (r *Row) checkID() error {
	if !manifests.ValidID(r.Value) && (!IsGecko(r.Value) || len(r.Value) > maxGecko) {
		return fmt.Errorf("%q is neither 32 letters a to p nor a Firefox add-on ID", clip(r.Value))
	}
	if !isBrowsers(r.Browser) {
		return fmt.Errorf("browser %q", clip(r.Browser))
	}
	if r.Versions != nil && len(r.Versions) == 0 {
		return errors.New("no versions; write * for all")
	}
	for _, v := range r.Versions {
		if _, _, isRange := rangeOf(v); isRange {
			continue
		}
		if !isVersion(v) {
			return fmt.Errorf("version %q is not exact; write *, or versions or ranges like 1.2..1.4 with spaces between", clip(v))
		}
	}
	return nil
}

// clip shortens text that is shown in an error.
func clip(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	n := most
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
