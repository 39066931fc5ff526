package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

const (
	// maxStories bounds the flows told of one finding. One is enough to act on; a bundle repeats the same one in each script.
	maxStories = 4
	// maxPlot bounds the places of one story. Where it begins and where it ends matter most.
	maxPlot = 7
	// flowKey is the field of the rules that a flow's evidence names.
	flowKey = "flows"
	// gainedKey is the field of what an update added; of a flow it says "flow: cookies -> fetch -> collect.example".
	gainedKey = "gained"
)

// flowsOf returns the flows that made a finding match: those that end at a place which the evidence names, or else begin
// there.
func flowsOf(f signatures.Finding, code *behavior.Report) []*behavior.Flow {
	if code == nil {
		return nil
	}
	at := map[spot]bool{}
	gained := map[string]bool{}
	for _, ev := range f.Evidence {
		switch {
		case ev.Key == flowKey && ev.File != "":
			at[spotOf(ev.File, ev.Line, ev.Column)] = true
		case ev.Key == gainedKey || ev.Key == flowKey:
			gained[strings.TrimPrefix(ev.Text, "flow: ")] = true
		}
	}
	if len(at)+len(gained) == 0 {
		return nil
	}
	var out []*behavior.Flow
	told := map[string]bool{}
	add := func(flow *behavior.Flow) {
		if text := plot(flow); !told[text] && len(out) < maxStories {
			told[text] = true
			out = append(out, flow)
		}
	}
	for _, wanted := range []func(*behavior.Flow) bool{
		func(flow *behavior.Flow) bool {
			return at[spotAt(flow.Steps[len(flow.Steps)-1])] && at[spotAt(flow.Steps[0])]
		},
		func(flow *behavior.Flow) bool { return gained[flowText(flow)] },
		func(flow *behavior.Flow) bool { return at[spotAt(flow.Steps[0])] },
	} {
		for i := range code.Flows {
			if flow := &code.Flows[i]; len(flow.Steps) > 0 && wanted(flow) {
				add(flow)
			}
		}
		if len(out) > 0 {
			break
		}
	}
	return out
}

// A spot is where something stands.
type spot struct {
	file         string
	line, column int
}

func spotAt(s behavior.Step) spot { return spotOf(s.File, s.Line, s.Column) }

// spotOf leaves out a file's name that evidence writes otherwise than the analysis: one with hidden letters, or very long.
func spotOf(file string, line, column int) spot {
	if len(file) > maxName || strings.ContainsFunc(file, func(r rune) bool { return r == '\\' || hidden(r) }) {
		file = ""
	}
	return spot{file, line, column}
}

func flowText(f *behavior.Flow) string { return f.Source + " -> " + f.Sink + optional(" -> ", f.Host) }

// scenes are the steps of a flow that are told: neighbours at one place are one, and of a long way the middle is left out.
func scenes(f *behavior.Flow) (steps []behavior.Step, left int) {
	for _, s := range f.Steps {
		if n := len(steps); n > 0 && steps[n-1].Place == s.Place {
			if s.What != steps[n-1].What {
				steps[n-1].What += ", " + s.What
			}
			continue
		}
		steps = append(steps, s)
	}
	if left = len(steps) - maxPlot; left > 0 {
		half := maxPlot / 2
		steps = slices.Concat(steps[:half], steps[len(steps)-maxPlot+half:])
	}
	return steps, max(0, left)
}

// plot tells a flow in one line: "bg.js:12 reads all cookies → bg.js:18 POST to collect.example, a stranger's host".
func plot(f *behavior.Flow) string {
	steps, left := scenes(f)
	parts := make([]string, 0, len(steps)+1)
	for i, s := range steps {
		if left > 0 && i == maxPlot/2 {
			parts = append(parts, fmt.Sprintf("%s between", count(left, "step")))
		}
		parts = append(parts, clean(fmt.Sprintf("%s:%d", s.File, s.Line), maxName)+" "+clean(s.What, maxText))
	}
	return strings.Join(parts, " → ") + optional(", ", partyOf(f.Party))
}

// partyOf says whose host a flow ends at, after "POST to collect.example, ".
func partyOf(p behavior.Party) string {
	switch p {
	case behavior.Own:
		return "the vendor's own host"
	case behavior.Origin:
		return "the site that it came from"
	case behavior.Analytics:
		return "a service for statistics or errors"
	case behavior.Dropbox:
		return "a service where anyone can open a letterbox"
	case behavior.RPC:
		return "a node of a blockchain"
	case behavior.Local:
		return "this computer or its own network"
	case behavior.User:
		return "a host that was typed into the extension's page"
	case behavior.Stranger:
		return "not the vendor's host"
	case behavior.Unknown:
		return "a host that cannot be told from the code"
	}
	return ""
}

// stories tells all that a finding is about, one line each.
func stories(f signatures.Finding, code *behavior.Report) []string {
	var out []string
	for _, flow := range flowsOf(f, code) {
		out = appendNew(out, plot(flow))
	}
	return out
}
