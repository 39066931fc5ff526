package manifests

import (
	"bytes"
	"strconv"
	"strings"
	"unsafe"

	"github.com/tidwall/gjson"
)

// ReadJSON reads text in the dialect of Standardize for gjson. Nothing is copied, so data must not be changed afterwards.
// The error is a *SyntaxError.
func ReadJSON(data []byte) (gjson.Result, error) {
	text, err := Standardize(data)
	if err != nil {
		return gjson.Result{}, err
	}
	return parseJSON(text), nil
}

func parseJSON(text []byte) gjson.Result {
	return gjson.Parse(unsafe.String(unsafe.SliceData(text), len(text)))
}

// Object returns the members of a JSON object, the last of equal keys winning as in every browser; nil when r is not
// an object. r must come from ReadJSON, or other text that Standardize accepted.
func Object(r gjson.Result) map[string]gjson.Result {
	if !r.IsObject() {
		return nil
	}
	members := make(map[string]gjson.Result)
	r.ForEach(func(key, value gjson.Result) bool {
		members[key.Str] = value
		return true
	})
	return members
}

const (
	// maxTrackedKeys bounds the memory for finding equal keys: large real manifests have some thousand keys.
	maxTrackedKeys = 100_000
	// maxDuplicates is how many equal keys are worth naming.
	maxDuplicates = 100
)

// A frame is one open object or array while duplicateKeys walks.
type frame struct {
	seen  map[string]bool // of an object: key -> already reported; nil for an array
	key   string          // current key of an object
	index int             // current index of an array
}

// duplicateKeys returns the paths of keys given more than once in one object ("background.scripts"), each once, in
// order. text is standard JSON. complete is false when it holds more keys than are compared.
func duplicateKeys(text []byte) (paths []string, complete bool) {
	var (
		stack   []frame
		tracked int
		isKey   bool
	)
	for i := 0; i < len(text); i++ {
		top := len(stack) - 1
		switch text[i] {
		case '{':
			stack, isKey = append(stack, frame{seen: map[string]bool{}}), true
		case '[':
			stack, isKey = append(stack, frame{}), false
		case '}', ']':
			stack, isKey = stack[:top], false
		case ',':
			isKey = stack[top].seen != nil
			stack[top].index++
		case '"':
			end := stringEnd(text, i)
			if isKey {
				isKey = false
				if tracked++; tracked > maxTrackedKeys {
					return paths, false
				}
				f := &stack[top]
				f.key = unquote(text[i:end])
				reported, again := f.seen[f.key]
				f.seen[f.key] = again
				if again && !reported && len(paths) < maxDuplicates {
					paths = append(paths, framePath(stack))
				}
			}
			i = end - 1
		}
	}
	return paths, true
}

// stringEnd returns the index after the closing quote of the string that begins at i.
func stringEnd(text []byte, i int) int {
	for i++; ; i++ {
		i = plainEnd(text, i)
		switch text[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

// unquote returns what a JSON string token stands for: "permi\u0073sions" is the same key as "permissions".
func unquote(token []byte) string {
	if bytes.IndexByte(token, '\\') < 0 {
		return string(token[1 : len(token)-1])
	}
	return gjson.ParseBytes(token).Str
}

func framePath(stack []frame) string {
	var b strings.Builder
	for i, f := range stack {
		switch {
		case f.seen == nil:
			b.WriteString("[" + strconv.Itoa(f.index) + "]")
		case i > 0:
			b.WriteString("." + clip(f.key))
		default:
			b.WriteString(clip(f.key))
		}
	}
	return b.String()
}

// clip shortens a text of the extension for use in a sentence.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
