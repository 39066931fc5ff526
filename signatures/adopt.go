package signatures

import (
	"maps"
	"strings"

	"github.com/extwatch/extwatch/signatures/indicators"
)

// maxNamed bounds the hosts that are kept of one file, and of one extension, in bytes: some 1,500. Real extensions name up
// to a few hundred; those that name more hold lists of sites, and are read again when there are other rules.
const maxNamed = 32 << 10

// hashes reports whether the rules or indicators ask for hashes of files.
func (rs *Ruleset) hashes() bool { return rs.wantHashes || rs.indicators.some[indicators.SHA256] }

// Adopt makes of the contents that another ruleset has read what this one judges by, so that new rules need not read all
// disks again. It reports whether they say all that reading the files again would: paths, hashes and the hosts that code
// names are known of all files, and what was searched for needs no second search. Reading is needed only for a text that
// nobody has looked for in code, and for an extension that names a host that has become an indicator, since it may do so in a
// comment. Until then rules that ask for such a text do not match. Nil gives nil, false.
func (rs *Ruleset) Adopt(c *Contents) (adopted *Contents, complete bool) {
	switch {
	case c == nil:
		return nil, false
	case c.ruleset == rs:
		return c, !c.pending
	}
	n := *c
	n.ruleset, n.listed, n.unasked = rs, nil, nil
	n.pending = c.pending || c.ruleset.limits != rs.limits || rs.hashes() && !c.hashed
	n.adoptPlaces(c)
	n.adoptHosts(c)
	for _, f := range c.all {
		if f.sha256 != "" && rs.indicators.of(indicators.SHA256, f.sha256) != nil {
			n.listed = append(n.listed, contentFile{show(f.path), f.sha256})
		}
	}
	return &n, !n.pending
}

// adoptPlaces takes over where the searches of both rulesets found something.
func (c *Contents) adoptPlaces(from *Contents) {
	c.places = make([][]place, len(c.ruleset.searches))
	known := make([]bool, len(c.places))
	for i, s := range from.ruleset.searches {
		if to, ok := c.ruleset.byKey[s.key]; ok && !from.unasked[i] {
			known[to] = true
			if i < len(from.places) {
				c.places[to] = from.places[i]
			}
		}
	}
	for i, ok := range known {
		if ok || c.scripts == 0 {
			continue
		}
		if c.unasked == nil {
			c.unasked = map[int]bool{}
		}
		c.unasked[i], c.pending = true, true
	}
}

// adoptHosts takes over where hosts are named that have indicators in both rulesets.
func (c *Contents) adoptHosts(from *Contents) {
	listed := c.ruleset.indicators
	c.hosts = maps.Clone(from.hosts)
	for host := range c.hosts {
		if listed.domain(host) == nil {
			delete(c.hosts, host)
		}
	}
	if !listed.some[indicators.Domain] {
		return
	}
	c.pending = c.pending || !c.uncut
	for host := range strings.SplitSeq(c.named, "\n") {
		// A host that the other ruleset listed, and that is named in comments only, is not to be read for again.
		if _, ok := from.hosts[host]; !ok && listed.domain(host) != nil && from.ruleset.indicators.domain(host) == nil {
			c.pending = true
		}
	}
}
