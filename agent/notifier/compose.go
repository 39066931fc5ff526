package notifier

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/extwatch/extwatch/signatures"
)

const (
	maxExchanges = 2 // named in a sentence
	maxNames     = 3 // extensions named when several are told at once
	// recent is how long an installation is news; after that the warning has another cause.
	recent = 30 * 24 * time.Hour
	// gained begins the names of the rules for what an update brought.
	gained = "gained-"
)

// A Text is a warning in words. It is plain text, cleaned of what an extension could put into it.
type Text struct {
	Title, Body           string
	WhatNow, Block, Trust string // what stands on the buttons; Block and Trust are "" when several extensions are meant
	Ask                   string // what the buttons of a plain message box mean: Yes, No and Cancel, or OK and Cancel for several
	Critical              bool   // one is malicious: it stays until it is answered
}

// Compose puts warnings into words, in the first of the languages that there is: tags, or locales of the system. Several
// warnings fold into one text.
func Compose(list []Warning, now time.Time, languages ...string) Text {
	return language(languages...).compose(list, now)
}

func (c catalogue) compose(list []Warning, now time.Time) Text {
	if len(list) == 0 {
		return Text{}
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Warning) int {
		switch {
		case a.Verdict.Worse(b.Verdict):
			return -1
		case b.Verdict.Worse(a.Verdict):
			return 1
		}
		return 0
	})
	worst := list[0]
	t := Text{
		WhatNow: c.say("button.what_now"), Critical: worst.Verdict == signatures.Malicious,
		Ask: c.say("ask.two", "what_now", c.say("button.what_now")),
	}
	body := c.happened(worst, now)
	if len(list) == 1 {
		t.Title = c.say("title."+verdictKey(worst.Verdict), "name", name(worst))
		t.Block, t.Trust = c.say("button.block"), c.say("button.trust")
		t.Ask = c.say("ask.three", "what_now", t.WhatNow, "block", t.Block)
	} else {
		t.Title = c.say("title.many", "count", strconv.Itoa(len(list)))
		var names []string
		for _, w := range list {
			names = append(names, name(w))
		}
		body = c.say("many", "names", c.list(names, maxNames), "worst", body)
	}
	parts := []string{body}
	if why := c.why(worst); why != "" && len(list) == 1 {
		parts = append(parts, why)
	}
	t.Body = strings.Join(append(parts, c.say("first", "step", c.step(worst))), " ")
	t.Body = strings.NewReplacer("。 ", "。", "） ", "）").Replace(t.Body) // signs that wide have their space in them
	return t
}

func name(w Warning) string { return clean(cmp.Or(strings.TrimSpace(w.Name), w.ID, "?"), maxName) }

func verdictKey(v signatures.Verdict) string {
	switch v {
	case signatures.Malicious, signatures.Unreadable:
		return string(v)
	}
	return string(signatures.Suspicious)
}

// happened says which extension it is and what it can do.
func (c catalogue) happened(w Warning, now time.Time) string {
	if w.Verdict == signatures.Unreadable {
		return c.say("happened.unreadable", "name", name(w), "place", c.place(w))
	}
	if age := now.Sub(w.Installed); !w.Installed.IsZero() && age < recent {
		return c.say("happened.new", "name", name(w), "place", c.place(w), "ago", c.ago(age), "facts", c.facts(w))
	}
	return c.say("happened.known", "name", name(w), "place", c.place(w), "facts", c.facts(w))
}

func (c catalogue) place(w Warning) string {
	browser, profile := clean(w.Browser, maxName), clean(w.Profile, maxName)
	switch {
	case browser == "":
		return c.say("place.none")
	case profile == "":
		return c.say("place.browser", "browser", browser)
	}
	return c.say("place.profile", "browser", browser, "profile", profile)
}

func (c catalogue) ago(d time.Duration) string {
	for _, u := range []struct {
		unit string
		span time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		switch n := int(d / u.span); {
		case n == 1 && u.unit != "second":
			return c.say("ago." + u.unit)
		case n > 1:
			return c.say("ago."+u.unit+"s", "count", strconv.Itoa(n))
		}
	}
	return c.say("ago.now") // also the future: clocks differ
}

// facts are at most two: what it reaches, and what it does.
func (c catalogue) facts(w Warning) string {
	reach := c.reach(w)
	does := ""
	switch {
	case w.Sends != "":
		does = c.say("fact.sends", "what", c.say("what."+kindOf(w.Sends)), "party", c.say("party."+partyOf(w.Party)))
	case reach == "":
		does = c.say("fact." + verdictKey(w.Verdict))
	}
	if reach == "" || does == "" {
		return reach + does
	}
	return c.say("fact.and", "first", reach, "second", does)
}

// reach says the worst that it may do, and on which exchanges it may do that.
func (c catalogue) reach(w Warning) string {
	for _, able := range []struct{ capability, key string }{
		{"session.read", "fact.login"}, {"api_keys.page", "fact.act"}, {"withdrawal.page", "fact.act"},
		{"page.change", "fact.change"}, {"request.change", "fact.change"}, {"page.read", "fact.read"}, {"request.read", "fact.read"},
		{"", "fact.reach"},
	} {
		var titles []string
		for _, r := range w.Reach {
			if able.capability == "" || slices.Contains(r.Capabilities, able.capability) {
				titles = append(titles, exchange(r))
			}
		}
		if len(titles) > 1 && able.key == "fact.login" {
			able.key = "fact.logins"
		}
		if len(titles) > 0 {
			return c.say(able.key, "exchanges", c.list(titles, maxExchanges))
		}
	}
	return ""
}

func exchange(r signatures.Reach) string { return clean(cmp.Or(r.Title, r.Exchange), maxName) }

// list joins names, at most so many: "a", "a and b", "a, b and 3 more".
func (c catalogue) list(names []string, most int) string {
	switch n := len(names); {
	case n > most:
		return c.say("list.more", "list", strings.Join(names[:most], c.say("list.comma")), "count", strconv.Itoa(n-most))
	case n > 1:
		return c.say("list.and", "list", strings.Join(names[:n-1], c.say("list.comma")), "last", names[n-1])
	}
	return strings.Join(names, "")
}

// why says what was found, unless what happened says it already.
func (c catalogue) why(w Warning) string {
	if len(w.Findings) == 0 || w.Verdict == signatures.Unreadable {
		return ""
	}
	f := w.Findings[0]
	title, _ := c.words.Say(f.Title) // a title without words is told in English
	title = strings.TrimRight(clean(title, maxText), ".。")
	switch {
	case title == "":
		return ""
	case f.Campaign != "":
		return c.say("campaign", "title", title)
	case w.Sends == "":
		return c.say("found", "title", title)
	case slices.ContainsFunc(w.Findings, func(f signatures.Finding) bool { return strings.HasPrefix(f.Rule, gained) }):
		return c.say("updated")
	}
	return ""
}

// step is what to do first. The steps of what was found fit best; the general one is for who would not understand them.
func (c catalogue) step(w Warning) string {
	for _, f := range w.Findings {
		if len(f.Response.User) == 0 {
			continue
		}
		if step, ok := c.words.Say(f.Response.User[0]); ok || c.Tag == fallback {
			return c.say("sentence", "text", clean(opening(step), maxText))
		}
		break
	}
	of := ""
	if len(w.Reach) > 0 {
		of = exchange(w.Reach[0])
	}
	switch kind := kindOf(w.Sends); {
	case kind == "seed" || kind == "wallet":
		return c.say("step.wallet")
	case of != "" && w.Verdict == signatures.Malicious:
		return c.say("step.freeze", "exchange", of)
	case of != "" && w.Verdict == signatures.Suspicious:
		return c.say("step.out", "exchange", of)
	}
	return c.say("step.off")
}

// opening is what a step says first, without its link, which nobody can follow from a notification; the page has all of it.
func opening(step string) string {
	for _, end := range []string{". ", "。", ": https://", "：https://"} {
		step, _, _ = strings.Cut(step, end)
	}
	return strings.TrimRight(step, ".")
}

// kindOf groups the sources of docs/behavior.md by what they are for a person.
func kindOf(source string) string {
	switch source {
	case "cookies", "document.cookie":
		return "cookies"
	case "storage_token", "request_headers":
		return "token"
	case "password_field":
		return "password"
	case "otp_field":
		return "code"
	case "seed_input":
		return "seed"
	case "form_data", "key_events":
		return "typed"
	case "page_text":
		return "pages"
	case "request_body", "page_responses", "debugger":
		return "requests"
	case "clipboard":
		return "clipboard"
	case "screenshot":
		return "screen"
	case "wallet_request":
		return "wallet"
	case "history", "tab_urls":
		return "history"
	}
	return "other"
}

func partyOf(party string) string {
	switch party {
	case "stranger", "dropbox", "unknown":
		return party
	}
	return "other"
}
