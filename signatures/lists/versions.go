package lists

import (
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/extwatch/extwatch/signatures/indicators"
)

// form returns a regular expression that is compiled when it is first used.
func form(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

var (
	spanForm  = form(`^([0-9][0-9.]*)\s*(?:-|–|\.\.|to)\s*([0-9][0-9.]*)$`)
	boundForm = form(`^<=\s*([0-9][0-9.]*)$`)
	bothForm  = form(`^>=\s*([0-9][0-9.]*)\s+<=\s*([0-9][0-9.]*)$`)
	listForm  = form(`[,;|]+\s*`)
)

// versionsOf reads what lists write: "*", "1.2, 1.3", "1.2 - 1.4", "<= 1.4", ">= 1.2 <= 1.4". Nil means all. It fails
// for anything else: read as "all" it would accuse those who have a clean version.
func versionsOf(text string) (versions []string, ok bool) {
	text = strings.TrimSpace(text)
	switch strings.ToLower(text) {
	case "", "*", "all", "any", "all versions":
		return nil, true
	}
	for _, part := range listForm().Split(text, -1) {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if m := spanForm().FindStringSubmatch(part); m != nil {
			versions = append(versions, m[1]+".."+m[2])
		} else if m := boundForm().FindStringSubmatch(part); m != nil {
			versions = append(versions, "0.."+m[1])
		} else if m := bothForm().FindStringSubmatch(part); m != nil {
			versions = append(versions, m[1]+".."+m[2])
		} else {
			for word := range strings.FieldsSeq(part) {
				versions = append(versions, strings.TrimPrefix(word, "="))
			}
		}
	}
	probe := indicators.Row{Value: strings.Repeat("a", 32), Browser: "chrome", Versions: versions, Campaign: "c", Verdict: "capable", Source: "s"}
	return versions, len(versions) > 0 && probe.Check(indicators.ID) == nil
}

// dateOf reads the dates that lists write; zero for none.
func dateOf(text string) time.Time {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.DateOnly, time.RFC3339, "02/01/06", "02/01/2006", "2006/01/02"} {
		if day, err := time.Parse(layout, text); err == nil && day.Year() >= 2008 && day.Year() < 2200 { // before, there were no extensions
			return day
		}
	}
	return time.Time{}
}
