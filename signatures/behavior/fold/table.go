package fold

import "github.com/tdewolff/parse/v2/js"

// A textTable is what a script that hides its texts keeps them in.
type textTable struct {
	arrays  map[*js.ArrayExpr]bool
	holders []*js.Var // functions that return such an array
	turned  []*js.Var // variables whose array is turned: x.push(x.shift())
}

func (t *textTable) add(holder *js.Var, list *js.ArrayExpr) {
	if t.arrays == nil {
		t.arrays = map[*js.ArrayExpr]bool{}
	}
	t.arrays[list] = true
	if holder != nil {
		t.holders = append(t.holders, holder)
	}
}

// HidesTexts reports whether the script keeps its texts in an array behind a function, or turns it before use.
func (f *Folder) HidesTexts() bool {
	if f.script.AST == nil || f.script.OpenTexts {
		return false // collecting takes time and memory: not for scripts that cannot have one
	}
	f.collect()
	return len(f.looks.table.arrays) > 0
}

// Hides reports whether an array is the one that holds the hidden texts. In what order they stand in it, only running the
// program tells.
func (f *Folder) Hides(list *js.ArrayExpr) bool {
	return f.HidesTexts() && f.looks.table.arrays[list]
}

// findTurned finds the arrays that are turned under the name of a parameter: (function(a, n) { … })(array, 123).
func (f *Folder) findTurned() {
	for _, v := range f.looks.table.turned {
		for range 4 {
			s := f.vars[canonical(v)]
			if s == nil {
				break
			}
			if list, ok := s.init.(*js.ArrayExpr); ok && texts(list) >= MinTexts {
				f.looks.table.add(nil, list)
				break
			}
			next, ok := s.init.(*js.Var)
			if !ok {
				break
			}
			v = next
		}
	}
}

// decoded lists the texts that calls of the script's own functions with constant arguments give: what a string array hides.
func (f *Folder) decoded() []string {
	out, _ := f.Decode()
	return out
}

// Decode also reports whether the script hides texts of which most stayed hidden.
func (f *Folder) Decode() (out []string, closed bool) {
	if f.script.AST == nil {
		return nil, false
	}
	hides := f.HidesTexts()
	found, lost := 0, 0
	seen := map[string]bool{}
	for n, e := range f.calls {
		if n >= maxDecoded || f.Exhausted() {
			break
		}
		v, ok := e.X.(*js.Var)
		if !ok || len(e.Args.List) == 0 || f.static(canonical(v)) == nil {
			continue
		}
		literal := constantArgs(e.Args.List)
		if !literal && !hides {
			continue
		}
		c, _ := f.Fold(e)
		s, ok := c.(string)
		switch {
		case ok:
			found++
		case literal:
			if left := maxPlausible; f.plausibleArgs(e.Args.List, &left) {
				lost++
			}
		}
		if s != "" && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out, hides && (lost > found || found == 0)
}

// Closed is the sign for a script whose texts stayed hidden.
func (f *Folder) Closed() Sign {
	at := 0
	if holders := f.looks.table.holders; len(holders) > 0 {
		at = Offset(f.script.Src, holders[0].Data)
	}
	return f.sign(signUndecoded, max(at, 0), "texts that could not be decoded")
}

func constantArgs(args []js.Arg) bool {
	for _, a := range args {
		e := a.Value
		if u, ok := e.(*js.UnaryExpr); ok {
			e = u.X
		}
		switch e.(type) {
		case *js.LiteralExpr, *js.BinaryExpr:
		default:
			return false
		}
	}
	return len(args) > 0
}
