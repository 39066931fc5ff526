package updates

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/extwatch/extwatch/signatures"
)

const ours = `title: An odd permission
id: 6f0a4a3e-54a6-4b7e-9d0a-0c4a52c7be10
name: our-campaign
status: experimental
description: It asks for what nobody asks for.
references: ["https://news.example/odd"]
author: Example Ltd
date: 2026-01-31
tags: [attack.t1176.001]
logsource: {product: browser, category: extension}
detection:
  selection: {permissions: odd}
  condition: selection
falsepositives: [None are known.]
level: high
verdict: suspicious
campaign: our-campaign
response:
  user: [Remove the extension.]
  admin: [Block the ID by policy.]
tests:
  match: [{case: odd, permissions: [odd]}]
  no_match: [{case: tabs, permissions: [tabs]}]
`

func files(pairs ...string) fs.FS {
	out := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return out
}

func builtin(t *testing.T) *signatures.Ruleset {
	t.Helper()
	rules, err := signatures.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestRehearse(t *testing.T) {
	t.Parallel()
	rules := builtin(t)
	first := rules.Rules()[0]
	for name, tt := range map[string]struct {
		files fs.FS
		fails string
	}{
		"a good rule":          {files("org/campaigns/our-campaign.yml", ours), ""},
		"nothing":              {files("decisions.yml", "decisions: []\n"), ""},
		"a case that fails":    {files("campaigns/our-campaign.yml", strings.Replace(ours, "match: [{case: odd, permissions: [odd]}]", "match: [{case: even, permissions: [even]}]", 1)), `rule our-campaign: the case "even" (line 22) fails`},
		"no YAML":              {files("campaigns/our-campaign.yml", "title: [\n"), "campaigns/our-campaign.yml"},
		"an unknown key":       {files("campaigns/our-campaign.yml", ours+"trust_me: true\n"), "trust_me"},
		"a taken name":         {files("org/campaigns/x.yml", strings.ReplaceAll(ours, "our-campaign", first.Name)), "the same as in"},
		"a decision of no end": {files("org/decisions.yml", "decisions: [{action: trust, id: aaaabbbbccccddddeeeeffffgggghhhh, reason: r, owner: o}]\n"), "trust needs an end"},
		"half a segment":       {files("indicators/segments/1-id.seg", "EXTWIDX"), "indicators/segments"},
		"a version of words":   {files("version.txt", "newest"), "version.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := Rehearse(context.Background(), rules, tt.files)
			if tt.fails == "" && err != nil || tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)) {
				t.Errorf("%v, want %q", err, tt.fails)
			}
		})
	}
}

func TestRehearsalEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Rehearse(ctx, builtin(t), files("campaigns/our-campaign.yml", ours)); err == nil {
		t.Error("the rehearsal passed without the time for it")
	}
}
