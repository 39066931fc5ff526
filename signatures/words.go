package signatures

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

//go:embed words
var wordFiles embed.FS

const (
	// gap stands in an English text for what differs: a name, or another text.
	gap = "{}"
	// maxSaid bounds a text that is looked for; the longest description has 800 bytes.
	maxSaid = 4000
	// maxHeads bounds the places at which "name: text" may be divided.
	maxHeads = 8
)

// Words say in another language what rules, the catalog and this package say in English. They are the files of one folder
// of words, named by the language: each a list of English texts with what stands for them. A text that is not there, of a
// rule that came with a feed yesterday, is English. The zero Words know no text.
type Words struct {
	texts map[string]string
	forms []wordForm
}

// A wordForm is a text with gaps.
type wordForm struct {
	english *regexp.Regexp
	parts   []string // between the gaps, which stand in the same order
}

// ReadWords returns the words in a language, as "zh-Hans". A language that nobody wrote any for has none.
func ReadWords(tag string) (Words, error) {
	w := Words{texts: map[string]string{}}
	files, err := fs.ReadDir(wordFiles, path.Join("words", tag))
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	for _, f := range files {
		var data []byte
		if data, err = wordFiles.ReadFile(path.Join("words", tag, f.Name())); err == nil {
			err = json.Unmarshal(data, &w.texts) // adds to what is there
		}
		if err != nil {
			return w, fmt.Errorf("read %s of the words in %s: %w", f.Name(), tag, err)
		}
	}
	if err != nil {
		return w, fmt.Errorf("list the words in %s: %w", tag, err)
	}
	longest := sortedKeys(w.texts) // first: it says more
	slices.SortStableFunc(longest, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, english := range longest {
		if !strings.Contains(english, gap) {
			continue
		}
		parts := strings.Split(english, gap)
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		form, err := regexp.Compile(`(?s)\A` + strings.Join(parts, `(.+?)`) + `\z`)
		if err != nil {
			return w, fmt.Errorf("read %q of the words in %s: %w", english, tag, err)
		}
		w.forms = append(w.forms, wordForm{english: form, parts: strings.Split(w.texts[english], gap)})
		delete(w.texts, english)
	}
	return w, nil
}

// Say returns the text in the language of the words, and whether they know it; otherwise the English one. A text after
// "name: " is found as well, as in "Binance: Delete all API keys."
func (w Words) Say(english string) (string, bool) {
	if text, ok := w.texts[english]; ok {
		return text, true
	}
	if len(w.texts) == 0 || len(english) > maxSaid {
		return english, false
	}
	for _, f := range w.forms {
		if found := f.english.FindStringSubmatch(english); found != nil {
			var text strings.Builder
			for i, part := range f.parts {
				text.WriteString(part)
				if i+1 < len(found) && i+1 < len(f.parts) {
					text.WriteString(cmp.Or(w.texts[found[i+1]], found[i+1])) // another text, or a name
				}
			}
			return text.String(), true
		}
	}
	rest := english
	for range maxHeads {
		i := strings.Index(rest, ": ")
		if i < 0 {
			break
		}
		rest = rest[i+len(": "):]
		if text, ok := w.texts[rest]; ok {
			return english[:len(english)-len(rest)-len(": ")] + cmp.Or(w.texts[": "], ": ") + text, true
		}
	}
	return english, false
}
