package cli

import (
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// A jsonFinding is a finding with the flows in the code that it is about.
type jsonFinding struct {
	signatures.Finding
	Flow []jsonFlow `json:"flow,omitempty"`
}

// A jsonFlow is data on its way, and the same told in a line.
type jsonFlow struct {
	Story  string          `json:"story"` // "bg.js:12 reads all cookies → bg.js:18 POST to collect.example, not the vendor's host"
	Source string          `json:"source"`
	From   string          `json:"from,omitempty"`
	Sink   string          `json:"sink"`
	Host   string          `json:"host,omitempty"`
	Party  behavior.Party  `json:"party,omitempty"`
	Steps  []behavior.Step `json:"steps"` // file, line, column, what, code
}

func findingsOf(res *signatures.Result, code *behavior.Report) []jsonFinding {
	out := make([]jsonFinding, 0, len(res.Findings))
	for _, f := range res.Findings {
		j := jsonFinding{Finding: f}
		j.Evidence, j.Response = list(f.Evidence), signatures.Response{User: list(f.Response.User), Admin: list(f.Response.Admin)}
		for _, flow := range flowsOf(f, code) {
			j.Flow = append(j.Flow, jsonFlow{
				Story: plot(flow), Source: flow.Source, From: flow.From, Sink: flow.Sink, Host: flow.Host, Party: flow.Party,
				Steps: list(flow.Steps),
			})
		}
		out = append(out, j)
	}
	return out
}
