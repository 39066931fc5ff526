package browsers

import "strings"

// A node is one path component of the table's rows, so that a folder which many rows share is listed once and a missing
// one ends all of them.
type node struct {
	name     string // as in the table; holds a "*" for a glob
	key      string // name as folded for comparison
	rows     []row  // rows whose data folder this is
	children []*node
}

// buildTree arranges rows by path. path gives a row's path with forward slashes, or "" to leave it out.
func buildTree(rows []row, fold func(string) string, path func(row) string) *node {
	top := &node{}
	for _, r := range rows {
		p := path(r)
		if p == "" {
			continue
		}
		n := top
		for name := range strings.SplitSeq(p, "/") {
			n = n.child(name, fold(name))
		}
		n.rows = append(n.rows, r)
	}
	return top
}

func (n *node) child(name, key string) *node {
	for _, c := range n.children {
		if c.key == key {
			return c
		}
	}
	c := &node{name: name, key: key}
	n.children = append(n.children, c)
	return c
}

func (n *node) glob() bool { return strings.Contains(n.name, "*") }

// matches reports whether a folder's folded name is one that the node means.
func (n *node) matches(key string) bool {
	before, after, glob := strings.Cut(n.key, "*")
	if !glob {
		return key == n.key
	}
	return len(key) >= len(before)+len(after) && strings.HasPrefix(key, before) && strings.HasSuffix(key, after)
}

// hasGlob reports whether the folder must be listed because a child has no fixed name.
func (n *node) hasGlob() bool {
	for _, c := range n.children {
		if c.glob() {
			return true
		}
	}
	return false
}
