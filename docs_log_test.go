package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A logLine is one call of a logger in the source.
type logLine struct {
	level  string
	fields []string
}

// What docs/administration.md says of the service's log is what the program writes: each message of its table is in the
// source, with its level and all its fields, and no message of level INFO is missing there.
func TestAdministrationLog(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("docs", "administration.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(page), "\n### The service's own log\n")
	if !ok {
		t.Fatal("the page has no section of the log")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	written := logLines(t)
	told := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^|]+)` \\| (\\w+) \\|(.*) \\|$").FindAllStringSubmatch(table, -1) {
		fields := []string{}
		for _, f := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(m[3], -1) {
			fields = append(fields, f[1])
		}
		for msg := range strings.SplitSeq(m[1], "`, `") {
			told[msg] = true
			if msg == "ready" || msg == "swept" {
				msg = "" // its text is no literal: the kind of the agent's event
			}
			if !slices.ContainsFunc(written[msg], func(l logLine) bool { return l.level == m[2] && slices.Equal(l.fields, fields) }) {
				t.Errorf("the page says %q, %s, %q; the source %+v", m[1], m[2], fields, written[msg])
			}
		}
	}
	for msg, lines := range written {
		if msg != "" && !told[msg] && slices.ContainsFunc(lines, func(l logLine) bool { return l.level == "INFO" }) {
			t.Errorf("the page does not have %q", msg)
		}
	}
	if len(told) < 15 {
		t.Errorf("the page has %d messages", len(told))
	}
}

// logLines finds what the service logs: calls of Info, Warn and Error with a text and pairs of names and values. A text that
// is no literal counts as "".
func logLines(t *testing.T) map[string][]logLine {
	t.Helper()
	all := map[string][]logLine{}
	visit := func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains([]string{"Info", "Warn", "Error"}, method.Sel.Name) {
			return true
		}
		line := logLine{level: strings.ToUpper(method.Sel.Name), fields: []string{}}
		for i := 1; i < len(call.Args); i += 2 {
			line.fields = append(line.fields, literal(call.Args[i]))
		}
		msg := literal(call.Args[0])
		all[msg] = append(all[msg], line)
		return true
	}
	for _, root := range []string{"agent", filepath.Join("signatures", "feed")} {
		err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err == nil {
				ast.Inspect(f, visit)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func literal(e ast.Expr) string {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(l.Value)
	if err != nil {
		return ""
	}
	return text
}
