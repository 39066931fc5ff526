package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/extwatch/extwatch/signatures"
)

// reasons puts the evidence of a finding into words. What it may do on exchanges is told by reachReasons; how it came and
// that it is switched on stand above.
func reasons(f signatures.Finding, reach []signatures.Reach) []string {
	named := map[string][]string{}
	var out []string
	for _, ev := range f.Evidence {
		switch ev.Key {
		case "reach", "enabled", "origin", "kind", "browser", "from_store":
		case "targets", "targets_api_keys", "targets_mail":
			named[ev.Key] = append(named[ev.Key], exchangeTitle(ev.Text, reach))
		default:
			out = appendNew(out, evidence(ev))
		}
	}
	for _, say := range []struct{ key, text string }{
		{"targets_api_keys", "it works on the API-key page of "},
		{"targets", "it asks by name for "},
		{"targets_mail", "it asks by name for your mail at "},
	} {
		if names := named[say.key]; len(names) > 0 {
			out = append(out, say.text+clip(strings.Join(names, ", "), maxText))
		}
	}
	return out
}

// exchangeTitle is the name of an exchange for its slug; anything else stays.
func exchangeTitle(slug string, reach []signatures.Reach) string {
	for _, r := range reach {
		if r.Exchange == slug && r.Title != "" {
			return r.Title
		}
	}
	return clean(slug, maxName)
}

// evidence writes one piece: "background.js:12: fetch(…)", "permissions: cookies".
func evidence(ev signatures.Evidence) string {
	place := ev.Key
	if ev.File != "" {
		place = ev.File
		if ev.Line > 0 {
			place += fmt.Sprintf(":%d", ev.Line)
		}
	}
	return optional("", clean(place, maxName), ": ") + clean(strings.TrimSpace(ev.Text), maxText)
}

// reachReasons says what it may do on exchanges: one line per set of abilities.
func reachReasons(reach []signatures.Reach) []string {
	if len(reach) == 0 {
		return nil
	}
	able := abilities(reach[0].Capabilities)
	var because string
	if len(reach[0].Because) > 0 {
		because = " (" + clean(strings.Join(reach[0].Because, ", "), maxText) + ")"
	}
	return []string{"it may " + able + " on " + exchanges(reach, 60) + because}
}

// abilities puts what an extension may do on an exchange into words.
func abilities(capabilities []string) string {
	words := map[string]string{
		"session.read":    "read your login session",
		"api_keys.page":   "act on the API-key page",
		"withdrawal.page": "act on the withdrawal page",
		"page.change":     "change what you see",
		"page.read":       "read what you see",
		"request.change":  "change what is sent",
		"traffic.proxy":   "redirect your connection",
		"screen.read":     "record the screen",
		"clipboard.read":  "read what you copy",
		"clipboard.write": "change what you paste",
	}
	var out []string
	for _, c := range capabilities {
		if w := words[c]; w != "" {
			out = append(out, w)
		}
	}
	switch len(out) {
	case 0:
		return "act"
	case 1:
		return out[0]
	}
	return strings.Join(out[:len(out)-1], ", ") + " and " + out[len(out)-1]
}

// exchanges names as many exchanges as fit in width cells: "Binance, OKX +13 more".
func exchanges(reach []signatures.Reach, width int) string {
	text, shown := "", 0
	for i, r := range reach {
		title := clean(cmp.Or(r.Title, r.Exchange), maxName)
		next := optional("", text, ", ") + title
		rest := ""
		if n := len(reach) - i - 1; n > 0 {
			rest = fmt.Sprintf(" +%d more", n)
		}
		if i > 0 && cells(next+rest) > width {
			break
		}
		text, shown = next, i+1
	}
	if n := len(reach) - shown; n > 0 {
		text += fmt.Sprintf(" +%d more", n)
	}
	return text
}
