package signatures

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures/indicators"
)

// decide applies the organisation's decision to the findings, before the verdict is made of them. What counts more
// stands first:
//
//  1. a block: it adds a finding of its own, and takes nothing away
//  2. a row for exactly this version, unless a trust names both its campaign and the version
//  3. what says malicious, unless a trust names its campaign or rule
//  4. a trust: other findings are set aside
//  5. the official identity of a wallet, which outweighs rows for all versions (matchID)
//  6. every other row and rule
func (s *subject) decide(result *Result, now time.Time) {
	d := s.decision(now)
	if d == nil {
		return
	}
	result.Decision = d
	if d.Action == actionBlock {
		result.Findings = append(result.Findings, d.finding(s))
		return
	}
	exact := s.exactCampaigns()
	result.Findings = slices.DeleteFunc(result.Findings, func(f Finding) bool {
		named := slices.Contains(d.Overrides, f.Rule) || f.Campaign != "" && slices.Contains(d.Overrides, f.Campaign)
		counts := f.Verdict == Malicious && !named || exact[f.Campaign] && !(named && indicators.Covers(d.Versions, s.m.Version))
		if !counts {
			result.SetAside = append(result.SetAside, f)
		}
		return !counts
	})
	sortFindings(result.SetAside)
}

// decision returns the decision for the extension: a block before a trust, the organisation's own file before the other.
func (s *subject) decision(now time.Time) *Decision {
	if len(s.rs.decisions) == 0 || s.ext.IDFromPath {
		return nil
	}
	var best *Decision
	rulings := s.rs.decisions[strings.ToLower(s.ext.ID)]
	for i := range rulings {
		d := &rulings[i].Decision
		switch {
		case !d.Covers(s.ext.Browser, s.m.Version):
		case d.ended(now):
			s.note(fmt.Sprintf("%s decided to %s it (%s), which ended on %s and does not count", d.By, d.Action, d.Owner, d.LastDay()))
		case d.Action == actionTrust && !s.genuine():
			s.note(d.By + " trusts this ID, but this copy came neither from a store nor by policy, so the trust does not count")
		case best == nil || best.Action == actionTrust && d.Action == actionBlock:
			best = d
		}
	}
	return best
}

// Covers reports whether a decision is about a version of its extension in a browser.
func (d *Decision) Covers(browser, version string) bool {
	return (len(d.Browsers) == 0 || slices.Contains(d.Browsers, browser)) && (len(d.Versions) == 0 || indicators.Covers(d.Versions, version))
}

// LastDay is the last day on which a decision counts, as "2027-01-31"; "" when it does not end.
func (d *Decision) LastDay() string {
	if d.Until.IsZero() {
		return ""
	}
	return d.Until.UTC().AddDate(0, 0, -1).Format(time.DateOnly)
}

// genuine reports whether the extension is what its ID says: unpacked and command-line extensions can claim any ID, and
// in Firefox every package can that the store has not signed.
func (s *subject) genuine() bool {
	if s.ext.IDFromPath || s.ext.CommandLine {
		return false
	}
	switch s.ext.Origin {
	case manifests.OriginStore, manifests.OriginPolicy:
		return true
	case manifests.OriginUnknown:
		return !indicators.IsGecko(s.ext.ID)
	}
	return false
}

// exactCampaigns returns the campaigns with a row for exactly this version.
func (s *subject) exactCampaigns() map[string]bool {
	out := map[string]bool{}
	for _, f := range s.matchID() {
		if f.row.versions != nil {
			out[f.row.campaign] = true
		}
	}
	return out
}

// finding says that the organisation does not want the extension. That is no accusation, and no proof of anything.
func (d *Decision) finding(s *subject) Finding {
	text := s.ext.ID
	if len(d.Versions) > 0 {
		text += " version " + s.m.Version
	}
	return Finding{
		Rule: organisationBlock, Title: clip("Blocked by "+d.By, maxTitle), Level: "high", Verdict: Suspicious,
		Description: fmt.Sprintf("%s does not want this extension here: %s. This says nothing about whether it is malicious.",
			capital(d.By), strings.TrimRight(show(d.Reason), ".")),
		Evidence: []Evidence{{Key: "id", Text: show(text + " (decided by " + d.Owner + ")")}},
		Response: Response{
			User:  []string{"Remove the extension in the browser's list of extensions.", "Ask " + show(d.Owner) + " if you need it for your work."},
			Admin: []string{"Block the ID by policy, so that the browser removes it.", "Tell the users why, and what to use instead."},
		},
	}
}

// capital returns the text with its first letter as at the beginning of a sentence.
func capital(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[n:]
}
