package fold

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tdewolff/parse/v2/js"
)

// The values were written by node 20. {"u":1} is undefined, {"n":…} a number that JSON lacks, {"o":…} an object.
func TestExpressions(t *testing.T) {
	text, err := os.ReadFile("testdata/expressions.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		Code  string
		Value any
	}
	if err := json.Unmarshal(text, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) < 120 {
		t.Fatalf("only %d expressions", len(rows))
	}
	for _, row := range rows {
		t.Run(row.Code, func(t *testing.T) {
			f := New(parsed(t, "("+row.Code+")"), 1_000_000)
			got, ok := f.Fold(f.script.AST.List[0].(*js.ExprStmt).Value)
			if !ok {
				// Assignments are no constants, but code that is run may hold them.
				if got, ok = f.evaluate(func(c *jsCompiler) jsCode { return c.expr(f.script.AST.List[0].(*js.ExprStmt).Value) }); !ok {
					t.Fatal("does not fold")
				}
			}
			want := fromNode(row.Value)
			same := cmp.Comparer(func(a, b float64) bool {
				return a == b && math.Signbit(a) == math.Signbit(b) || a != a && b != b
			})
			if d := cmp.Diff(want, got, same); d != "" {
				t.Error(d)
			}
		})
	}
}

func fromNode(v any) Constant {
	switch v := v.(type) {
	case []any:
		out := make([]Constant, len(v))
		for i, e := range v {
			out[i] = fromNode(e)
		}
		return out
	case map[string]any:
		if _, ok := v["u"]; ok {
			return undefined{}
		}
		if s, ok := v["n"].(string); ok {
			n, _ := strconv.ParseFloat(s, 64)
			return n
		}
		out := map[string]Constant{}
		for k, e := range v["o"].(map[string]any) {
			out[k] = fromNode(e)
		}
		return out
	}
	return v
}
