// Package syntax reads JavaScript: tokens, syntax trees, places in a text. Whatever browsers run gives a tree, in part at
// least; the functions of libraries that hold no word of interest are left out of large scripts.
package syntax

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

// Bounds of the second parser, which has none itself: it is quadratic on chains of texts, and overflows the stack, which
// ends the process, on some ten thousand nested operators.
const (
	maxRescue     = 2 << 20
	maxRescueTime = 2 * time.Second
	maxDepth      = 2000
	maxRow        = 20_000
)

// maxRepairs is how many statements that no parser reads are taken out of a script before it is given up.
const maxRepairs = 8

// A Parser turns scripts into syntax trees.
type Parser struct {
	Stuck bool // the second parser did not end in time, and still runs
}

// A Tree is a parsed script.
type Tree struct {
	AST  *js.AST
	Src  []byte               // what ast refers to
	Back func(offset int) int // from an offset in src to one in the text; nil when they are the same
	Lost []int                // offsets in the text of statements that are not in ast
}

// ParseScript parses a script. The text that the tree refers to may differ from src.
func ParseScript(src []byte) (*js.AST, []byte, error) {
	t, err := new(Parser).Parse(src, false, true)
	if err != nil {
		return nil, nil, err
	}
	return t.AST, t.Src, nil
}

// Parse reads a script in the dialect that browsers run. What the first parser refuses is tried, in this order: with
// its long chains of operators put into parentheses, rewritten by the second parser, and without the statements that
// none of them reads.
// Page says whether it runs in pages of the web, handler whether it is an on… attribute.
func (p *Parser) Parse(text []byte, handler, page bool) (t *Tree, err error) {
	defer func() {
		if r := recover(); r != nil { // a bug of a parser or lexer costs one script
			t, err = nil, fmt.Errorf("the parser failed: %v", r)
		}
	}()
	if len(bytes.TrimSpace(text)) == 0 {
		return &Tree{AST: &js.AST{}, Src: text}, nil
	}
	text = PlainNames(text)
	if t := parseOutline(text, page); t != nil {
		return t, nil
	}
	t, at, err := parseOnce(text, handler)
	if err == nil {
		return t, nil
	}
	if t, err := parseWrapped(text, handler); err == nil {
		return t, nil
	}
	if t, err := p.rescue(text); err == nil {
		return t, nil
	}
	if t := repair(text, at, handler); t != nil {
		return t, nil
	}
	return nil, err
}

// parseOutline parses a large script without the functions that the engine would not walk through. It returns nil when
// that is no gain, or when the script is not what it seemed.
func parseOutline(text []byte, page bool) *Tree {
	if len(text) < outlinedFrom {
		return nil
	}
	o := outlined(text, page)
	if o == nil {
		return nil
	}
	t, _, err := parseOnce(o.text, false)
	if err != nil {
		return nil
	}
	t.Back = o.back
	return t
}

// parseOnce parses with the first parser. On error it returns the offset up to which it came.
func parseOnce(text []byte, handler bool) (t *Tree, at int, err error) {
	in := parse.NewInputBytes(text)
	defer func() {
		if r := recover(); r != nil { // as above; and the others may read it
			t, at, err = nil, min(in.Offset(), len(text)), fmt.Errorf("the parser failed: %v", r)
		}
	}()
	ast, err := js.Parse(in, js.Options{Inline: handler})
	if err != nil {
		var where *parse.Error
		if errors.As(err, &where) {
			err = errors.New(where.Message) // without the text around, which may be one line of 10 MB
		}
		return nil, min(in.Offset(), len(text)), err
	}
	return &Tree{AST: ast, Src: in.Bytes()}, 0, nil
}

func parseWrapped(text []byte, handler bool) (*Tree, error) {
	wrapped, back := wrapChains(text)
	if back == nil {
		return nil, errors.New("no long chain")
	}
	t, _, err := parseOnce(wrapped, handler)
	if err != nil {
		return nil, err
	}
	t.Back = back
	return t, nil
}

// rescue has the second parser rewrite the script into older syntax, with its constant texts joined.
func (p *Parser) rescue(text []byte) (*Tree, error) {
	if len(text) > maxRescue || p.Stuck || tooDeep(text) {
		return nil, errors.New("not for the second parser")
	}
	result, err := p.second(func() api.TransformResult {
		result := rewrite(text, api.LoaderJS)
		for _, loader := range dialects(text, len(result.Errors) > 0) {
			if other := rewrite(text, loader); len(other.Errors) == 0 {
				return other
			}
		}
		return result
	})
	if err != nil {
		return nil, err
	}
	t, _, err := parseOnce(result.Code, false)
	if err != nil && bytes.Contains(result.Code, []byte("=>")) { // ({a} = {b: 1}) => {} is refused
		if plain, err2 := p.second(func() api.TransformResult { return withoutArrows(result.Code) }); err2 == nil {
			if t, _, err = parseOnce(plain.Code, false); err == nil {
				inner, outer := readSourceMap(plain.Map, plain.Code, result.Code), readSourceMap(result.Map, result.Code, text)
				t.Back = func(offset int) int { return outer(inner(offset)) }
				return t, nil
			}
		}
	}
	back := readSourceMap(result.Map, result.Code, text)
	if err == nil {
		t.Back = back
		return t, nil
	}
	if t, err = parseWrapped(result.Code, false); err != nil {
		return nil, err
	}
	inner := t.Back
	t.Back = func(offset int) int { return back(inner(offset)) }
	return t, nil
}

// second runs the second parser, which nothing can stop, for a bounded time.
func (p *Parser) second(run func() api.TransformResult) (api.TransformResult, error) {
	done := make(chan api.TransformResult, 1)
	go func() { done <- run() }()
	timer := time.NewTimer(maxRescueTime)
	defer timer.Stop()
	select {
	case result := <-done:
		if len(result.Errors) > 0 {
			return result, errors.New(result.Errors[0].Text)
		}
		return result, nil
	case <-timer.C:
		p.Stuck = true
		return api.TransformResult{}, errors.New("the second parser took too long")
	}
}

// withoutArrows writes arrow functions as plain ones.
func withoutArrows(text []byte) api.TransformResult {
	return api.Transform(string(text), api.TransformOptions{
		LogLevel: api.LogLevelSilent, LogLimit: 1, Loader: api.LoaderJS, Target: api.ES2022, Charset: api.CharsetUTF8,
		TreeShaking: api.TreeShakingFalse, LegalComments: api.LegalCommentsNone,
		Sourcemap: api.SourceMapExternal, SourcesContent: api.SourcesContentExclude,
		Supported: map[string]bool{"arrow": false},
	})
}

// rewrite has the second parser rewrite a script that is written in one of its dialects.
func rewrite(text []byte, loader api.Loader) api.TransformResult {
	return api.Transform(string(text), api.TransformOptions{
		LogLevel: api.LogLevelSilent, LogLimit: 1, Loader: loader, Target: api.ES2022, Charset: api.CharsetUTF8,
		MinifySyntax: true, TreeShaking: api.TreeShakingFalse, LegalComments: api.LegalCommentsNone,
		Sourcemap: api.SourceMapExternal, SourcesContent: api.SourcesContentExclude,
		TsconfigRaw: `{"compilerOptions": {"verbatimModuleSyntax": true}}`,
		Supported:   map[string]bool{"import-attributes": false, "using": false, "decorators": false},
	})
}

// dialects are what sources that nobody has compiled may be written in, when they are no plain scripts: with elements
// in angle brackets (JSX), and with types (TypeScript, and nearly all of Flow). No browser runs such a file, so that
// whatever is read in it is more than runs.
func dialects(text []byte, refused bool) []api.Loader {
	if !refused || !bytes.Contains(text, []byte("import ")) && !bytes.Contains(text, []byte("require(")) {
		return nil
	}
	if !bytes.Contains(text, []byte("/>")) && !bytes.Contains(text, []byte("</")) {
		return []api.Loader{api.LoaderTS}
	}
	return []api.Loader{api.LoaderJSX, api.LoaderTSX}
}

// repair parses without the statements that cannot be read. Each is made white space, so that offsets stay true.
func repair(text []byte, at int, handler bool) *Tree {
	work := bytes.Clone(text)
	attempts := min(maxRepairs, 1+(16<<20)/len(text))
	var lost []int
	last, up := -1, 0
	for range attempts {
		if at <= last {
			up++
		} else {
			up = 0
		}
		last = at
		from, to, ok := statementAround(work, at, up)
		if !ok || from == 0 && to >= len(work) {
			return nil
		}
		blank(work[from:to])
		lost = append(lost, from)
		t, next, err := parseOnce(work, handler)
		if err == nil {
			t.Lost = lost
			return t
		}
		at = next
	}
	return nil
}

func blank(text []byte) {
	for i, c := range text {
		if c != '\n' {
			text[i] = ' '
		}
	}
}
