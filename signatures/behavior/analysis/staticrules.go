package analysis

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures/behavior"
	"github.com/extwatch/extwatch/signatures/behavior/flow"
	"github.com/extwatch/extwatch/signatures/behavior/parties"
	"github.com/extwatch/extwatch/signatures/behavior/syntax"
	"github.com/tidwall/gjson"
)

// staticRulesAPI is how a rule of a static rule set is told: as a call that the browser makes by itself.
const staticRulesAPI = "declarativeNetRequest.static"

const (
	// maxRuleSets: browsers take 100 static rule sets (declarativeNetRequest.MAX_NUMBER_OF_STATIC_RULESETS).
	maxRuleSets = 100
	// maxRuleBytes bounds the rule files of an extension. Those of the largest content blockers hold 30 MB.
	maxRuleBytes = 64 << 20
	// keptStatic bounds the rules that are remembered, listedStatic those that are reported: content blockers change the
	// headers of some hundred sites. The most telling come first.
	keptStatic   = 10_000
	listedStatic = 500
	// maxRuleSites bounds the names of sites that are told of one rule.
	maxRuleSites = 20
)

// A staticRule is what one rule does to one header, or where it sends a request. It is the argument of the call.
type staticRule struct {
	Action  string `json:"action"`           // "remove", "set", "append", "redirect"
	Header  string `json:"header,omitempty"` // in lower case
	Of      string `json:"of,omitempty"`     // "request" or "response"
	Value   string `json:"value,omitempty"`  // of the header
	To      string `json:"to,omitempty"`     // host of a redirect
	On      string `json:"on"`               // "*", or what it is limited to: hosts and filters with blanks between
	Enabled bool   `json:"enabled"`          // from the beginning; code can switch the others on
	place   behavior.Place
	code    string
}

// staticRules reads the rule files that the manifest names.
func (c *collector) staticRules() {
	var found []staticRule
	left := int64(maxRuleBytes)
	for i, rf := range c.m.RuleFiles {
		if c.stopped {
			return
		}
		if i >= maxRuleSets || left <= 0 {
			c.problem("", "more static rules than a browser takes; the rest was not looked at")
			break
		}
		name := c.find("", rf.Path)
		if name == "" {
			continue // browsers refuse to load such an extension
		}
		before := c.total
		text := c.read(name)
		left -= c.total - before
		if text == nil || !mayChangeRequests(text) {
			continue
		}
		if !gjson.ValidBytes(text) {
			c.problem(name, "the static rules are no JSON")
			continue
		}
		found = readStaticRules(found, name, text, rf.Enabled)
	}
	c.tellStatic(found)
}

// mayChangeRequests is a quick look for rules that do more than block and allow. Escapes may hide the words.
func mayChangeRequests(text []byte) bool {
	for _, word := range []string{"modifyHeaders", "redirect", `\u`} {
		if bytes.Contains(text, []byte(word)) {
			return true
		}
	}
	return false
}

// readStaticRules adds what the rules of one file do.
func readStaticRules(found []staticRule, name string, text []byte, enabled bool) []staticRule {
	p := syntax.NewPosition(text)
	gjson.ParseBytes(text).ForEach(func(_, rule gjson.Result) bool {
		m := lastMembers(rule)
		action := lastMembers(m["action"])
		kind := action["type"].String()
		if kind != "modifyHeaders" && kind != "redirect" {
			return true
		}
		line, column := p.At(rule.Index)
		like := staticRule{On: ruleSites(lastMembers(m["condition"])), Enabled: enabled,
			place: behavior.Place{File: name, Line: line + 1, Column: column + 1}, code: behavior.Shorten(strings.Join(strings.Fields(rule.Raw[:min(len(rule.Raw), 1000)]), " "), 160)}
		if kind == "redirect" {
			if like.To = redirectHost(lastMembers(action["redirect"])); like.To != "" {
				like.Action = "redirect"
				found = append(found, like)
			}
			return len(found) < keptStatic
		}
		for _, of := range []string{"request", "response"} {
			action[of+"Headers"].ForEach(func(_, h gjson.Result) bool {
				change := lastMembers(h)
				r := like
				r.Of, r.Action = of, change["operation"].String()
				r.Header = strings.ToLower(behavior.Shorten(change["header"].String(), 100))
				r.Value = behavior.Shorten(change["value"].String(), 100)
				found = append(found, r)
				return len(found) < keptStatic
			})
		}
		return len(found) < keptStatic
	})
	return found
}

// lastMembers are the members of an object. Of two with the same name the last one counts, as in browsers.
func lastMembers(o gjson.Result) map[string]gjson.Result {
	out := map[string]gjson.Result{}
	if o.IsObject() {
		o.ForEach(func(key, value gjson.Result) bool {
			out[key.String()] = value
			return len(out) < 100 // a rule has some ten
		})
	}
	return out
}

// ruleSites tells what a condition limits a rule to: "*" for all sites.
func ruleSites(condition map[string]gjson.Result) string {
	var sites []string
	for _, key := range []string{"requestDomains", "topDomains", "initiatorDomains", "domains"} {
		condition[key].ForEach(func(_, d gjson.Result) bool {
			sites = append(sites, strings.ToLower(behavior.Shorten(d.String(), 100)))
			return len(sites) < maxRuleSites
		})
	}
	for _, key := range []string{"urlFilter", "regexFilter"} {
		if filter := condition[key].String(); strings.ContainsFunc(strings.ReplaceAll(filter, "http", ""), isFilterLetter) {
			sites = append(sites, plainFilter(behavior.Shorten(filter, 200)))
		}
	}
	if len(sites) == 0 {
		return "*"
	}
	return strings.Join(sites, " ")
}

// isFilterLetter tells filters that name something from those, such as "*", "|http*://*" and ".*", that do not.
func isFilterLetter(r rune) bool {
	return r >= 'a' && r <= 'z' && r != 's' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// plainFilter takes the marks off a filter, so that the host in it can be compared: "||binance.com^" and
// "^https://www\.binance\.com/" both name binance.com.
func plainFilter(filter string) string {
	return strings.ToLower(strings.NewReplacer("||", "", "^", "", `\.`, ".", `\/`, "/", "|", "").Replace(filter))
}

// redirectHost is the host that a redirect leads to, or "" when it stays in the extension or at the host.
func redirectHost(redirect map[string]gjson.Result) string {
	if host := lastMembers(redirect["transform"])["host"].String(); host != "" {
		return strings.ToLower(behavior.Shorten(host, 253))
	}
	for _, key := range []string{"url", "regexSubstitution"} {
		address := redirect[key].String()
		if i := strings.Index(address, "://"); i > 0 && strings.HasPrefix(strings.ToLower(address), "http") {
			return urlHost([]byte(address[i:]))
		}
	}
	return ""
}

// weakens says whether the rule takes a protection of a page away.
func (r *staticRule) weakens() bool {
	switch r.Header {
	case "content-security-policy", "content-security-policy-report-only", "x-content-security-policy", "x-webkit-csp",
		"x-frame-options", "cross-origin-opener-policy", "cross-origin-embedder-policy", "cross-origin-resource-policy", "permissions-policy":
		return r.Of == "response" && r.Action != "append"
	}
	return false
}

// weight orders rules: what takes protection away on all sites first.
func (r *staticRule) weight() int {
	weight := 0
	if r.weakens() || r.To != "" {
		weight += 2
	}
	if r.On == "*" {
		weight++
	}
	return weight
}

// tellStatic reports static rules as calls, and what they take away or lead astray as flows.
func (c *collector) tellStatic(found []staticRule) {
	if len(found) >= keptStatic {
		c.problem("", fmt.Sprintf("the static rules change requests in more than %d ways; the rest is not listed", keptStatic))
	}
	slices.SortStableFunc(found, func(a, b staticRule) int { return cmp.Compare(b.weight(), a.weight()) })
	parties := parties.New(c.m)
	seen := map[string]bool{}
	for i := range found {
		r := &found[i]
		arg := marshalPlain(r)
		if seen[arg] {
			continue
		}
		if seen[arg] = true; len(seen) > listedStatic {
			return
		}
		c.calls = append(c.calls, behavior.Call{API: staticRulesAPI, Args: []string{arg}, Context: behavior.Background, Place: r.place})
		f := behavior.Flow{Source: flow.SrcConstant, From: r.On, Sink: flow.SinkHeaderRules, Context: behavior.Background}
		where := " on all sites"
		if r.On != "*" {
			where = " on " + behavior.Shorten(r.On, 60)
		}
		var what string
		switch {
		case r.To != "":
			f.Sink, f.Host, f.Party = flow.SinkRequestRules, r.To, parties.Of(r.To, r.On)
			what = "sends requests to " + r.To + where
		case r.weakens():
			what = r.Action + "s " + r.Header + where
		case r.Header == "cookie" || r.Header == "set-cookie" || r.Header == "authorization":
			what = r.Action + "s " + r.Header + where
		default:
			continue
		}
		f.Steps = []behavior.Step{{Place: r.place, What: what, Code: r.code}}
		c.flows = append(c.flows, f)
	}
}

func marshalPlain(r *staticRule) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(r) != nil {
		return "" // cannot be: it holds texts and a flag
	}
	return strings.TrimSpace(b.String())
}
