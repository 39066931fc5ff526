package signatures

import (
	"context"
	"strings"
	"testing"
)

// TestBuiltinRules holds the built-in rules to what `rules check` asks of everybody's, and runs all their cases.
func TestBuiltinRules(t *testing.T) {
	t.Parallel()
	for _, d := range Check(context.Background(), builtinFS()) {
		t.Error(d)
	}
	rs, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	results, err := rs.RunCases(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range results {
		t.Run("rules/"+c.Rule+"/"+strings.ReplaceAll(c.Case, "/", "_"), func(t *testing.T) {
			if !c.Passed {
				t.Errorf("line %d: %s", c.Line, c.failure())
			}
		})
	}
}

// BenchmarkBuiltin is what every start of the program pays.
func BenchmarkBuiltin(b *testing.B) {
	for b.Loop() {
		if _, err := Builtin(); err != nil {
			b.Fatal(err)
		}
	}
}
